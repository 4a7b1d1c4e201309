// Workers that read the folder of their primary, which is a process of its own: retention and deletions go on meanwhile.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import type { Log, RetentionRule } from '../../dist/index.js'
import { WorkerLog } from '../../dist/log/workers/log.js'
import { overwrite } from '../support/log/corruption.ts'
import { everything, many, newFolder, only, readAll, update } from '../support/log/log-folder.ts'
import { randomFrom } from '../support/random.ts'

const dist = (path: string) => JSON.stringify(fileURLToPath(new URL(`../../dist/${path}`, import.meta.url)))

/** A primary that appends as fast as its disk allows once a line was written to it, and workers in this process. */
async function startPrimary(folder: string, retention: readonly RetentionRule[] = [], bytes = 100) {
  const script = `import { LmdbLog } from ${dist('index.js')}
    import { LogServer } from ${dist('log/workers/server.js')}
    const options = ${JSON.stringify({ path: folder, durability: 'os', retention })}
    const log = await LmdbLog.open(options)
    console.log((await LogServer.listen(log)).path)
    process.stdin.once('data', async () => {
      for (let number = 1; ; number++) {
        const data = 'x'.repeat(${bytes})
        await log.append([1, 2, 3].map((of) => ({ topics: ['t' + ((number * of) % 7), 'all'], data })))
      }
    })`
  const args = ['--input-type=module', '-e', script]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  onTestFinished(async () => {
    const gone = once(child, 'close')
    child.kill('SIGKILL')
    await gone
  })
  const [path] = (await once(createInterface(child.stdout), 'line')) as [string]
  const connect = async () => {
    const worker = await WorkerLog.connect({ path })
    onTestFinished(() => worker.close())
    return worker
  }
  return { connect, begin: () => void child.stdin.write('\n') }
}

/** Reads near the oldest entry; an entry that is missing without `lost` is an error. Returns how many pages had lost something. */
async function readPages(log: Log, pages: number, spare: number): Promise<number> {
  const random = randomFrom(Date.now())
  let losses = 0
  for (let page = 0, cursor = 0, removalsSeen = 0; page < pages; page++) {
    if (page % 3 === 0) {
      removalsSeen = log.removals
      cursor = log.first - 1 + random.between(0, spare)
    }
    const next = await log.read(cursor, everything, { entries: 50, bytes: 2 ** 22 }, removalsSeen)
    expect(next.cursor).toBeLessThanOrEqual(log.head)
    const offsets = next.entries.map(({ offset }) => offset)
    if (next.lost) losses++
    else expect(offsets).toEqual(Array.from({ length: next.cursor - cursor }, (_, at) => cursor + 1 + at))
    cursor = next.cursor
  }
  return losses
}

it('misses nothing silently while retention removes what it reads', async () => {
  const primary = await startPrimary(newFolder(), [{ match: '*', entries: 3_000 }])
  const worker = await primary.connect()
  await worker.follow(() => {})
  primary.begin()
  await expect.poll(() => worker.removals).toBeGreaterThan(100)
  const losses = await Promise.all([10, 100, 1_000].map((spare) => readPages(worker, 600, spare)))
  console.log(`pages that had lost something: ${losses.join(', ')} of 600`)
  expect(Math.min(...losses)).toBeLessThan(600)
  expect(Math.max(...losses)).toBeGreaterThan(0)
})

it('reads a file that grows, and whose old pages are used again', async () => {
  const primary = await startPrimary(newFolder(), [{ match: '*', entries: 500 }], 20_000)
  const worker = await primary.connect()
  primary.begin()
  await expect.poll(() => worker.removals).toBeGreaterThan(500)
  await readPages(worker, 40, 400)
  const { entries } = await worker.read(worker.head - 100, everything, { entries: 50, bytes: 2 ** 22 })
  for (const { update } of entries) expect(update.data).toBe('x'.repeat(20_000))
})

it('loses no commit while processes open the folder', async () => {
  const primary = await startPrimary(newFolder(), [{ match: '*', entries: 1_000 }])
  primary.begin()
  let head = 0
  // The folder is closed in between, as in a new process.
  for (let count = 0; count < 300; count++) {
    const worker = await primary.connect()
    expect(worker.head).toBeGreaterThanOrEqual(head)
    head = worker.head
    await worker.close()
  }
  const worker = await primary.connect()
  await expect.poll(() => worker.head).toBeGreaterThan(head)
  expect(worker.isReady).toBe(true)
})

it('reads by topics, and never beyond what was delivered here', async () => {
  const primary = await startPrimary(newFolder())
  const worker = await primary.connect()
  let delivered = 0
  await worker.follow((entries) => {
    delivered = entries.at(-1)?.offset ?? delivered
  })
  primary.begin()
  await expect.poll(() => worker.head).toBeGreaterThan(100)
  for (let round = 0; round < 200; round++) {
    const filter = only(round % 2 === 0 ? 't3' : 'all')
    const { entries, cursor } = await worker.read(Math.max(0, worker.head - 30), filter, {
      entries: 100,
      bytes: 2 ** 20
    })
    expect(Math.max(cursor, entries.at(-1)?.offset ?? 0)).toBeLessThanOrEqual(delivered)
    expect(await worker.newest(filter, 1)).toBeLessThan(delivered)
  }
})

it('gets no deleted entry after the announcement', async () => {
  const primary = await startPrimary(newFolder())
  const [worker, other] = [await primary.connect(), await primary.connect()]
  const deleted = new Set<string>()
  await other.follow((entries) => {
    for (const { deletion } of entries) for (const topic of deletion?.topics ?? []) deleted.add(topic)
  })
  let isOver = false
  const read = async () => {
    while (!isOver) {
      const { entries } = await other.read(0, everything, { entries: 1_000, bytes: 2 ** 20 })
      expect(entries.filter((entry) => deleted.has(entry.update.topics[0] ?? ''))).toEqual([])
      for (const [at, end] of (await other.ends([...deleted])).entries()) expect(end, `topic ${at}`).toBeUndefined()
    }
  }
  const readers = Array.from({ length: 5 }, read)
  for (let number = 1; number <= 30; number++) {
    const topics = [`d${number}`]
    const entries = await worker.append([...many(20, { topics }), update('end', { topics, end: true })])
    const through = entries.at(-1)?.offset as number
    await worker.delete({ epoch: worker.epoch, topics, from: 1, through }, update('', { topics: ['deleted'] }))
  }
  isOver = true
  await Promise.all(readers)
  await expect.poll(() => deleted.size).toBe(30)
})

it('finds at once what another worker has appended', async () => {
  const primary = await startPrimary(newFolder())
  const [one, other] = [await primary.connect(), await primary.connect()]
  for (let number = 1; number <= 50; number++) {
    const [entry] = await one.append([update('x', { id: `id ${number}` })])
    expect(await other.locate(`id ${number}`)).toBe(entry?.offset)
  }
  expect(await other.locate('nobody')).toBeUndefined()
})

it('reports damaged data', async () => {
  const folder = newFolder()
  const primary = await startPrimary(folder)
  const worker = await primary.connect()
  await worker.append(many(3, { data: 'the text to damage' }))
  expect((await readAll(worker)).entries.length).toBe(3)
  const file = join(folder, 'data.mdb')
  const bytes = readFileSync(file)
  const text = 'the text to damage'
  for (let at = bytes.indexOf(text); at !== -1; at = bytes.indexOf(text, at + 1)) overwrite(file, at, 'THE')
  await expect(readAll(worker)).rejects.toThrow('is damaged')
})
