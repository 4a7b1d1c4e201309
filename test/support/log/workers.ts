// Logs that a primary serves to workers, in this process or with a primary of its own.
import { onTestFinished } from 'vitest'
import type { LmdbLog, Log, MemoryLog } from '../../../dist/index.js'
import { WorkerLog } from '../../../dist/log/workers/log.js'
import { LogServer, type LogServerOptions } from '../../../dist/log/workers/server.js'

/** Serves a log until the test ends; `connect` opens the log of one more worker. */
export async function serveLog(log: MemoryLog | LmdbLog, options?: LogServerOptions) {
  const server = await LogServer.listen(log, options)
  onTestFinished(async () => {
    await server.close()
    await log.close()
  })
  const connect = async (onLost?: (reason: string) => void) => {
    const worker = await WorkerLog.connect({ path: server.path, ...(onLost && { onLost }) })
    onTestFinished(() => worker.close())
    return worker
  }
  return { server, connect }
}

/** A worker's log, next to another worker that follows. To close it closes everything. */
export async function openWorker(log: MemoryLog | LmdbLog): Promise<Log> {
  const server = await LogServer.listen(log)
  const other = await WorkerLog.connect({ path: server.path })
  await other.follow(() => {})
  const worker = await WorkerLog.connect({ path: server.path })
  const closeWorker = worker.close.bind(worker)
  const close = async () => {
    await closeWorker()
    await other.close()
    await server.close()
    await log.close()
  }
  return Object.assign(worker, { close })
}
