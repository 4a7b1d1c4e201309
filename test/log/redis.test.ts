// The log in Redis, on a Redis of its own: the contract, several nodes, retention rules, and the number of commands.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Entry, RedisLog } from '../../dist/index.js'
import { testLogContract } from '../support/log/log-contract.ts'
import {
  compareIndexWithScan,
  dataOf,
  everything,
  followed,
  keptIn,
  many,
  only,
  readAll,
  update
} from '../support/log/log-folder.ts'
import { randomFrom } from '../support/random.ts'
import { describeWith, redis } from '../support/requirements.ts'
import { newPrefix, openKept, openShared, type RedisServer, startRedis } from '../support/servers/redis.ts'

const offsetsOf = (entries: readonly Entry[]) => entries.map(({ offset }) => offset)
const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)

describeWith(await redis(), 'RedisLog', (program) => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis(program)
  })
  afterAll(() => server.stop())

  const openTwo = async (options: Parameters<typeof openShared>[1] = {}) => {
    const prefix = newPrefix()
    return [await openShared(server, { prefix, ...options }), await openShared(server, { prefix, ...options })] as const
  }

  describe('satisfies the log contract', () => testLogContract((kept) => openKept(server.url, kept)))

  describe('on many nodes', () => {
    it('has one order, and each entry once, on every node', async () => {
      const seed = Date.now()
      console.log(`seed ${seed}`)
      const random = randomFrom(seed)
      const logs = await openTwo()
      const seen = await Promise.all(logs.map(followed))
      const appends: Promise<Entry[]>[] = []
      for (const number of numbers(1, 500)) {
        const log = logs[random.between(0, 1)] as RedisLog
        appends.push(log.append(many(random.between(1, 4), { topics: [`t${number}`] })))
        if (random.chance(0.1)) await appends.at(-1)
      }
      const all = (await Promise.all(appends)).flat().sort((a, b) => a.offset - b.offset)
      await expect.poll(() => seen.map((entries) => entries.length)).toEqual([all.length, all.length])
      expect(offsetsOf(all)).toEqual(numbers(1, all.length))
      expect(seen).toEqual([all, all])
      expect((await readAll(logs[0])).entries).toEqual(all)
    })

    it('finds ids that another node has just generated or received', async () => {
      const [one, other] = await openTwo()
      await one.append([update('1', { id: 'x' }), update('2'), update('3', { id: 'x' })])
      expect(await other.locate('x')).toBe(1)
      await one.append([update('4')])
      expect(await other.locate(`#${one.epoch}-4`)).toBe(4)
      expect(await other.locate(`#${one.epoch}-5`)).toBeUndefined()
    })

    it('knows of the end of another node when it delivers it, also among other entries', async () => {
      const [one, other] = await openTwo()
      const known: boolean[] = []
      await other.follow((entries) => {
        if (entries.some((entry) => entry.update.end)) known.push(other.hasEnds)
      })
      await one.append([update('1', { topics: ['a'] })])
      await expect.poll(() => other.head).toBe(1)
      await one.append([update('2', { topics: ['a'], end: true }), update('3', { topics: ['b'] })])
      await expect.poll(() => known).toEqual([true])
    })

    it('follows from the head at the time of the call, not from the beginning', async () => {
      const [one, other] = await openTwo()
      await one.append(many(3))
      expect(other.head).toBe(0)
      await readAll(other)
      const seen = await followed(other)
      await one.append([update('4')])
      await expect.poll(() => offsetsOf(seen)).toEqual([4])
    })

    it('reports a gap on every node, only to readers of the removed topics', async () => {
      const [one, other] = await openTwo({ retention: [{ match: '*', entries: 10 }] })
      await one.append([...many(2, { topics: ['rare'] }), ...many(20)])
      for (const log of [other, one]) {
        for (const byIndex of [true, false]) {
          const lost = async (after: number, topic: string) =>
            (await log.read(after, only(topic, byIndex), { entries: 100, bytes: 2 ** 20 })).lost
          expect([await lost(11, 't'), await lost(12, 't')]).toEqual([true, false])
          expect([await lost(1, 'rare'), await lost(2, 'rare'), await lost(0, 'other')]).toEqual([true, false, false])
        }
        expect([log.first, log.removals]).toEqual([13, 12])
        const mark = log.removals
        const page = { entries: 100, bytes: 2 ** 20 }
        expect((await log.read(0, everything, page, mark)).lost).toBe(false)
      }
      const mark = other.removals
      await one.append([update('more')])
      expect((await other.read(0, everything, { entries: 100, bytes: 2 ** 20 }, mark)).lost).toBe(true)
    })

    it('learns of entries that another node removed', async () => {
      const [one, other] = await openTwo({ retention: [{ match: '*', entries: 10 }] })
      await followed(other)
      await one.append(many(25))
      await expect.poll(() => [other.head, other.first, other.removals]).toEqual([25, 16, 15])
    })

    it('applies the rules that were set last, also on nodes that were opened with others', async () => {
      const prefix = newPrefix()
      const one = await openShared(server, { prefix })
      await one.append([...many(10, { topics: ['a'] }), ...many(10, { topics: ['b'] })])
      const other = await openShared(server, {
        prefix,
        retention: [
          { match: 'a', last: 2 },
          { match: '*', entries: 3 }
        ]
      })
      expect(offsetsOf((await readAll(one)).entries)).toEqual([9, 10, 18, 19, 20])
      await one.append([update('11', { topics: ['a'] }), update('11', { topics: ['b'] })])
      expect(offsetsOf((await readAll(other)).entries)).toEqual([10, 19, 20, 21, 22])
      expect((await readAll(one, { after: 0, filter: only('a') })).lost).toBe(false)
      expect((await readAll(one, { after: 10, filter: only('b') })).lost).toBe(true)
    })

    it('recounts more than one page of entries with new rules, while others append', async () => {
      const prefix = newPrefix()
      const one = await openShared(server, { prefix })
      await one.append(many(2_000))
      const [other] = await Promise.all([
        openShared(server, { prefix, retention: [{ match: '*', entries: 100 }] }),
        ...many(50).map((one_) => one.append([one_]))
      ])
      await expect.poll(() => other.read(0, everything, { entries: 1, bytes: 1 }).then(() => other.first)).toBe(1_951)
    })
  })

  describe('applies its retention rules', () => {
    it('keeps the newest of each topic, and reports no gap', async () => {
      const log = await openShared(server, { retention: [{ match: 'k/{n}', last: 1 }] })
      await log.append(numbers(1, 9).map((number) => update(String(number), { topics: [`k/${number % 3}`] })))
      expect(await keptIn(log)).toEqual(['7', '8', '9'])
      expect(await readAll(log)).toMatchObject({ lost: false })
      expect([log.first, log.removals]).toEqual([7, 0])
    })

    it('keeps at most the configured bytes', async () => {
      const log = await openShared(server, { retention: [{ match: '*', bytes: 10_000 }] })
      for (const _ of numbers(1, 30)) await log.append([update('x'.repeat(800))])
      expect(log.head - log.first + 1).toBe(9)
    })

    it('removes some of thousands of entries in one append, wherever they are stored', async () => {
      const prefix_ = newPrefix()
      const retention = [
        { match: 'k/{n}', last: 2 },
        { match: 'rare', entries: 3 },
        { match: '*', entries: 700 }
      ]
      const log = await openShared(server, { prefix: prefix_, retention })
      const seen = await followed(log)
      const topicOf = (number: number) => (number % 500 === 0 ? 'rare' : number % 9 === 0 ? 'k/1' : `t${number % 4}`)
      // One script, which has to end within the timeout of the log also on a busy machine.
      const all = numbers(1, 3_000).map((number) => update(String(number), { topics: [topicOf(number), 'any'] }))
      await log.append(all)
      await expect.poll(() => seen.at(-1)?.offset).toBe(3_000)
      const kept = ['k/1', 'rare', 't'].flatMap((begin, at) =>
        all.filter(({ topics }) => topics[0]?.startsWith(begin)).slice(-([2, 3, 700][at] as number))
      )
      const expected = kept.map(({ data }) => data).sort((a, b) => Number(a) - Number(b))
      expect(await keptIn(log)).toEqual(expected)
      expect(dataOf((await readAll(log, { filter: only('any') })).entries)).toEqual(expected)
      expect(log.first).toBe(Number(expected[0]))
      expect((await readAll(log, { filter: only('rare') })).lost).toBe(true)
      expect((await readAll(log, { filter: only('k/1') })).lost).toBe(false)
      const left = (key: string, prefix: string) =>
        server.ask('ZLEXCOUNT', `{${prefix_}:log}:${log.epoch}:${key}`, `[${prefix}`, `(${prefix}:`)
      expect([await left('topics', 'a3:any'), await left('rules', '2:')]).toEqual([705, 700])
    })

    it('removes expired entries, also when nothing is published', async () => {
      let now = 1_000_000
      const log = await openShared(server, { retention: [{ match: '*', age: '1m' }], now: () => now })
      await log.append([update('old')])
      now += 60_001
      await expect.poll(() => log.first).toBe(2)
      now -= 60_001
      expect((await log.append([update('young')]))[0]?.time).toBe(1_000_000)
    })
  })

  it('reads by index exactly what a full scan returns', async () => {
    await compareIndexWithScan(await openShared(server))
  })

  it('groups concurrent appends into few commands', async () => {
    const log = await openShared(server)
    await server.ask('CONFIG', 'RESETSTAT')
    await Promise.all(many(2_000).map((one) => log.append([one])))
    expect(log.head).toBe(2_000)
    const stats = String(await server.ask('INFO', 'commandstats'))
    const calls = Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1])
    expect(calls).toBeLessThan(5)
    expect(dataOf((await readAll(log)).entries)).toEqual(numbers(1, 2_000).map(String))
  })
})
