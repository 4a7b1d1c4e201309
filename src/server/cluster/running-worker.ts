// A worker process as the primary process sees it, and its end.
import type { Worker } from 'node:cluster'
import { once } from 'node:events'
import type { Config } from '../config/options.ts'
import type { Channel } from './channel.ts'
import type { WorkerMethods } from './messages.ts'

/** How much longer than the drain timeout a worker may take to end, in milliseconds. */
const graceMs = 10_000

export interface RunningWorker {
  readonly worker: Worker
  readonly number: number
  readonly channel: Channel<WorkerMethods>
  /** Its streams in the limits. */
  readonly streams: Set<number>
  /** What it began with. */
  config: Config | undefined
  isStarted: boolean
  startError: Error | undefined
}

/** Resolves when the worker has ended. One that takes too long is killed. */
export async function endWorker({ worker, channel }: RunningWorker, drainTimeout: number): Promise<void> {
  if (worker.isDead()) return
  const gone = once(worker, 'exit')
  channel.ask('stop').catch(() => worker.kill('SIGKILL'))
  const timer = setTimeout(() => worker.kill('SIGKILL'), drainTimeout + graceMs)
  await gone
  clearTimeout(timer)
}
