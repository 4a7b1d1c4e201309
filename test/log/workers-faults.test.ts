// Workers and their primary when one of them does not read, or is killed.
import { once } from 'node:events'
import { connect } from 'node:net'
import { open as openLmdb } from 'lmdb'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type Entry, LmdbLog, MemoryLog } from '../../dist/index.js'
import { WorkerLog } from '../../dist/log/workers/log.js'
import { dataOf, everything, followed, newFolder, openLog, readAll, update } from '../support/log/log-folder.ts'
import { dist, isReading, run } from '../support/log/module-process.ts'
import { serveLog } from '../support/log/workers.ts'

const startPrimary = (path: string) =>
  run(`import { LmdbLog } from ${dist('index.js')}
    import { LogServer } from ${dist('log/workers/server.js')}
    const server = await LogServer.listen(await LmdbLog.open({ path: ${JSON.stringify(path)} }))
    setInterval(() => {}, 1000)
    console.log(server.path)`)

describe('LogServer', () => {
  it('encodes each entry once, whatever the number of workers', async () => {
    const reads = async (workers: number) => {
      const log = new MemoryLog()
      const { connect: connectWorker } = await serveLog(log)
      const opened = await Promise.all(Array.from({ length: workers }, () => connectWorker()))
      const seen = await Promise.all(opened.map(followed))
      let count = 0
      const counted = {
        topics: ['t'],
        get data() {
          count++
          return 'x'
        }
      }
      // Appended in the primary itself, so that the object is not a copy.
      await log.append([counted, update('y')])
      await expect.poll(() => seen.map(dataOf)).toEqual(Array(workers).fill(['x', 'y']))
      return count
    }
    expect(await reads(5)).toBe(await reads(1))
  })

  it('disconnects a worker that does not read, and serves the others', async () => {
    const maxQueuedBytes = 2 ** 20
    const { server, connect: connectWorker } = await serveLog(new MemoryLog(), { maxQueuedBytes })
    const worker = await connectWorker()
    const seen = await followed(worker)
    const stalled = connect(server.path).pause()
    stalled.on('error', () => {})
    onTestFinished(() => void stalled.destroy())
    await expect.poll(() => server.workers).toBe(2)
    let mostQueued = 0
    for (let number = 1; number <= 100; number++) {
      await worker.append([update('x'.repeat(65_536))])
      mostQueued = Math.max(mostQueued, server.queuedBytes)
    }
    expect(server.workers).toBe(1)
    expect(mostQueued).toBeGreaterThan(maxQueuedBytes / 2)
    expect(mostQueued).toBeLessThan(maxQueuedBytes + 2 * 70_000)
    expect(seen.length).toBe(100)
  })

  it('does not disconnect a worker because of one large batch, or many large pages', async () => {
    const { connect: connectWorker } = await serveLog(new MemoryLog(), { maxQueuedBytes: 2 ** 20 })
    const worker = await connectWorker()
    await worker.append(Array.from({ length: 100 }, () => update('x'.repeat(65_536))))
    const reads = Array.from({ length: 12 }, () => worker.read(0, everything, { entries: 100, bytes: 2 ** 23 }))
    for (const { entries } of await Promise.all(reads)) expect(entries.length).toBe(100)
    expect(worker.isReady).toBe(true)
  })

  it('disconnects a worker that sends what is no request', async () => {
    const { server } = await serveLog(new MemoryLog())
    const wrong = connect(server.path)
    wrong.on('error', () => {})
    wrong.write(Buffer.from([1, 0, 0, 0, 5]))
    wrong.resume()
    await once(wrong, 'close')
    await expect.poll(() => server.workers).toBe(0)
  })
})

describe('a worker whose primary is killed', () => {
  it('rejects what is pending, says that it is lost, and has lost nothing that was acknowledged', async () => {
    const path = newFolder()
    const primary = await startPrimary(path)
    const reasons: string[] = []
    const workers = await Promise.all(
      [1, 2].map(() => WorkerLog.connect({ path: primary.line, onLost: (reason) => void reasons.push(reason) }))
    )
    for (const worker of workers) onTestFinished(() => worker.close())
    const acknowledged: Entry[] = []
    const codes: string[] = []
    const publish = async (worker: WorkerLog, name: string) => {
      for (let number = 1; codes.length < 20; number++) {
        const appended = worker.append([update(`${name}-${number}`)])
        await appended.then(
          (entries) => void acknowledged.push(...entries),
          (error: { code: string }) => void codes.push(error.code)
        )
      }
    }
    const publishing = workers.flatMap((worker, at) =>
      Array.from({ length: 8 }, (_, number) => publish(worker, `${at}.${number}`))
    )
    await expect.poll(() => acknowledged.length).toBeGreaterThan(200)
    await primary.kill()
    await Promise.all(publishing)
    // What was on its way may be in the log; what was appended later is not.
    expect(codes.slice(0, 1)).toEqual(['append_timeout'])
    expect(new Set(codes)).toEqual(new Set(['append_timeout', 'log_unavailable']))
    expect(reasons.length).toBe(2)
    expect(workers.map(({ isReady }) => isReady)).toEqual([false, false])
    const [worker] = workers as [WorkerLog]
    const refused = { code: 'log_unavailable' }
    await expect(worker.append([update('late')])).rejects.toMatchObject(refused)
    await expect(worker.read(0, everything, { entries: 1, bytes: 1 })).rejects.toMatchObject(refused)
    await expect(worker.bus.send(worker.bus.node, 'late')).rejects.toMatchObject(refused)
    // LMDB cannot open a folder for writing in a process that reads it.
    for (const one of workers) await one.close()
    const kept = (await readAll(await openLog({ path }))).entries
    const places = new Set(kept.map(({ id, update: { data } }) => `${id} ${data}`))
    expect(acknowledged.filter(({ id, update: { data } }) => !places.has(`${id} ${data}`))).toEqual([])
  })

  it('is refused where there is no primary', async () => {
    const refused = WorkerLog.connect({ path: `${newFolder()}/nobody.sock` })
    await expect(refused).rejects.toMatchObject({ code: 'log_unavailable' })
  })
})

describe('a primary whose worker is killed', () => {
  it('goes on, knows that the node is gone, and lists it until its lease expires', async () => {
    const log = await LmdbLog.open({ path: newFolder() })
    const { server, connect: connectWorker } = await serveLog(log)
    const survivor = await connectWorker()
    const seen = await followed(survivor)
    const killed = await run(`import { WorkerLog } from ${dist('log/workers/log.js')}
      const log = await WorkerLog.connect({ path: ${JSON.stringify(server.path)} })
      await log.roster.renew(log.bus.node, 1_000)
      for (let number = 1; ; number++) {
        await log.append([{ topics: ['t'], data: String(number) }])
        if (number === 10) console.log(log.bus.node)
      }`)
    expect(await survivor.bus.send(killed.line, 'hello')).toBe(true)
    await killed.kill()
    await expect.poll(() => server.workers).toBe(1)
    expect(await survivor.bus.send(killed.line, 'hello')).toBe(false)
    const renew = () => survivor.roster.renew(survivor.bus.node, 60_000)
    await expect.poll(renew).toEqual([survivor.bus.node])
    await survivor.append([update('after')])
    expect(seen.at(-1)?.update.data).toBe('after')
    expect(seen.map(({ offset }) => offset)).toEqual(seen.map((_, at) => at + 1))
    expect(dataOf((await readAll(survivor)).entries)).toEqual(dataOf(seen))
  })

  it('frees the pages of the file that the worker was reading', async () => {
    const path = newFolder()
    const { server } = await serveLog(await LmdbLog.open({ path }))
    const reader = openLmdb({ path, readOnly: true })
    onTestFinished(() => reader.close())
    const killed = await run(`import { writeSync } from 'node:fs'
      import { open } from 'lmdb'
      import { WorkerLog } from ${dist('log/workers/log.js')}
      await WorkerLog.connect({ path: ${JSON.stringify(server.path)} })
      const entries = open({ path: ${JSON.stringify(path)}, readOnly: true }).openDB({ name: 'meta' })
      for (const _ of entries.getKeys()) {
        writeSync(1, 'reading\\n')
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
      }`)
    expect(killed.line).toBe('reading')
    expect(isReading(reader, killed.pid)).toBe(true)
    await killed.kill()
    await expect.poll(() => server.workers).toBe(0)
    await expect.poll(() => isReading(reader, killed.pid)).toBe(false)
  })
})
