// The log of a primary process in its workers: the contracts, over each log that belongs to one process.
import { describe, expect, it } from 'vitest'
import { type Entry, LmdbLog, MemoryLog, type RetentionRule, type Update } from '../../dist/index.js'
import { slowFilter } from '../support/hub/slow-filter.ts'
import { testBusContract } from '../support/log/bus-contract.ts'
import { retentionOf, testLogContract } from '../support/log/log-contract.ts'
import {
  compareIndexWithScan,
  everything,
  followed,
  many,
  newFolder,
  only,
  readAll,
  update
} from '../support/log/log-folder.ts'
import { openWorker, serveLog } from '../support/log/workers.ts'
import { randomFrom } from '../support/random.ts'

const page = { entries: 100, bytes: 2 ** 20 }
const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)
const offsetsOf = (entries: readonly Entry[]) => entries.map(({ offset }) => offset)

const logs: [string, (retention?: readonly RetentionRule[]) => Promise<MemoryLog | LmdbLog>][] = [
  ['a MemoryLog', async (retention = []) => new MemoryLog({ retention })],
  ['an LmdbLog', (retention = []) => LmdbLog.open({ path: newFolder(), retention })]
]

describe.each(logs)('WorkerLog over %s', (_, open) => {
  describe('satisfies the log contract', () =>
    testLogContract(async (kept) => openWorker(await open(retentionOf(kept)))))

  describe('satisfies the contract of a bus', () =>
    testBusContract(async () => {
      const { connect } = await serveLog(await open())
      return [await connect(), await connect()]
    }))

  const openTwo = async (retention?: readonly RetentionRule[]) => {
    const { connect } = await serveLog(await open(retention))
    return [await connect(), await connect()] as const
  }

  it('has one order, and each entry once, in every worker', async () => {
    const seed = Date.now()
    console.log(`seed ${seed}`)
    const random = randomFrom(seed)
    const workers = await openTwo()
    const seen = await Promise.all(workers.map(followed))
    const appends: Promise<Entry[]>[] = []
    for (const number of numbers(1, 500)) {
      const worker = random.chance(0.5) ? workers[0] : workers[1]
      appends.push(worker.append(many(random.between(1, 4), { topics: [`t${number}`] })))
      if (random.chance(0.1)) await appends.at(-1)
    }
    const all = (await Promise.all(appends)).flat().sort((a, b) => a.offset - b.offset)
    await expect.poll(() => seen.map((entries) => entries.length)).toEqual([all.length, all.length])
    expect(offsetsOf(all)).toEqual(numbers(1, all.length))
    expect(seen).toEqual([all, all])
    expect((await readAll(workers[0])).entries).toEqual(all)
  })

  it('delivers an entry to its own worker before the append is answered', async () => {
    const [worker] = await openTwo()
    const seen = await followed(worker)
    for (const number of numbers(1, 20)) {
      const [entry] = await worker.append([update(String(number))])
      expect([seen.at(-1), worker.head]).toEqual([entry, number])
    }
  })

  it('finds ids that another worker has just generated or received', async () => {
    const [one, other] = await openTwo()
    await one.append([update('1', { id: 'x' }), update('2'), update('3', { id: 'x' })])
    expect(await other.locate('x')).toBe(1)
    await one.append([update('4')])
    expect(await other.locate(`#${one.epoch}-4`)).toBe(4)
    expect(await other.locate(`#${one.epoch}-5`)).toBeUndefined()
  })

  it('begins with the state of the log, and follows from there', async () => {
    const log = await open([{ match: '*', entries: 10 }])
    await log.append([...many(24), update('end', { end: true })])
    const { connect } = await serveLog(log)
    const worker = await connect()
    expect([worker.epoch, worker.head, worker.first, worker.removals]).toEqual([log.epoch, 25, 16, 15])
    expect([worker.isReady, worker.hasEnds]).toEqual([true, true])
    const seen = await followed(worker)
    await log.append(many(1))
    await expect.poll(() => offsetsOf(seen)).toEqual([26])
  })

  it('reports a gap in every worker, only to readers of the removed topics', async () => {
    const [one, other] = await openTwo([{ match: '*', entries: 10 }])
    await one.append([...many(2, { topics: ['rare'] }), ...many(20)])
    for (const worker of [other, one]) {
      for (const byIndex of [true, false]) {
        const lost = async (after: number, topic: string) => (await worker.read(after, only(topic, byIndex), page)).lost
        expect([await lost(11, 't'), await lost(12, 't')]).toEqual([true, false])
        expect([await lost(1, 'rare'), await lost(2, 'rare'), await lost(0, 'other')]).toEqual([true, false, false])
      }
      expect([worker.first, worker.removals]).toEqual([13, 12])
      expect((await worker.read(0, everything, page, worker.removals)).lost).toBe(false)
    }
    const { removals } = other
    await one.append([update('more')])
    expect((await other.read(0, everything, page, removals)).lost).toBe(true)
  })

  it('learns of removals that no append caused', async () => {
    const log = await open()
    const { connect } = await serveLog(log)
    const worker = await connect()
    await worker.append(many(25))
    await log.retain([{ match: '*', entries: 10 }])
    await expect.poll(() => [worker.first, worker.removals]).toEqual([16, 15])
  })

  it('gets no deleted entry after the announcement of the deletion', async () => {
    const [one, other] = await openTwo()
    const deleted: Entry[] = []
    await other.follow((entries) => void deleted.push(...entries.filter((entry) => entry.deletion)))
    let isOver = false
    const read = async () => {
      while (!isOver) {
        const { entries } = await other.read(0, everything, { entries: 1_000, bytes: 2 ** 20 })
        const [topics] = [new Set(deleted.flatMap(({ deletion }) => deletion?.topics ?? []))]
        expect(entries.filter((entry) => topics.has(entry.update.topics[0] ?? ''))).toEqual([])
      }
    }
    const readers = numbers(1, 10).map(read)
    for (const number of numbers(1, 30)) {
      const topics = [`t${number}`]
      const entries = await one.append(many(20, { topics }))
      const through = entries.at(-1)?.offset as number
      const announcement: Update = { topics: ['deleted'], data: '' }
      await one.delete({ epoch: one.epoch, topics, from: 1, through }, announcement)
    }
    isOver = true
    await Promise.all(readers)
    expect(deleted.length).toBe(30)
  })

  it('reads by topics exactly what a full scan returns', async () => {
    const [worker] = await openTwo()
    await compareIndexWithScan(worker)
  })

  it('finds the newest few of thousands of entries, with a filter that admits few of them', async () => {
    const [worker] = await openTwo()
    await worker.append(numbers(1, 6_000).map((number) => update('x', { topics: [number < 5 ? 'rare' : 't'] })))
    expect(await worker.newest(only('rare', false), 2)).toBe(2)
    expect(await worker.newest(only('rare', false), 5)).toBe(0)
  })

  it('ends a page early, and yields to other work, when the filter is slow', async () => {
    const [worker] = await openTwo()
    await worker.append(many(5_000))
    const { cursor } = await worker.read(0, slowFilter, { entries: 10, bytes: 1_000 })
    expect(cursor).toBeGreaterThan(0)
    expect(cursor).toBeLessThan(1_000)
    let turns = 0
    const others = setInterval(() => turns++, 0)
    expect(await worker.newest(slowFilter, 10)).toBe(0)
    clearInterval(others)
    expect(turns).toBeGreaterThan(10)
  })

  it('lists members to a reader that stops early', async () => {
    const [worker, other] = await openTwo()
    const end = (topic: string) => update('left', { topics: [topic], private: true })
    const names = numbers(10_001, 11_200).map((number) => `who/${number}`)
    await worker.roster.announce(
      names.map((topic) => ({ update: end(topic), member: { topic, node: 'n', record: '', end: end(topic) } }))
    )
    for await (const members of other.roster.members()) {
      expect(members.length).toBeGreaterThan(0)
      break
    }
    const listed: string[] = []
    for await (const members of other.roster.members()) listed.push(...members.map(({ topic }) => topic))
    expect(listed.sort()).toEqual(names)
  })
})
