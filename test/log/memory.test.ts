import { describe, expect, it } from 'vitest'
import { MemoryLog } from '../../dist/index.js'
import { EndIndex } from '../../dist/log/memory/ends.js'
import { slowFilter } from '../support/hub/slow-filter.ts'
import { retentionOf, testLogContract } from '../support/log/log-contract.ts'
import { keptIn, only, readAll } from '../support/log/log-folder.ts'

describe('MemoryLog satisfies the log contract', () =>
  testLogContract(async (kept) => new MemoryLog({ retention: retentionOf(kept) })))

describe('MemoryLog', () => {
  const everything = { admits: () => true }
  const update = (data: string) => ({ topics: ['t'], data })

  it('forgets removed entries of a topic whose end it keeps', () => {
    const ends = new EndIndex()
    const entries = [1, 2, 3].map((offset) => ({
      epoch: 'e',
      offset,
      id: `${offset}`,
      time: 0,
      update: { ...update('x'), ...(offset === 1 && { end: true }) }
    }))
    for (const entry of entries) ends.add(entry)
    for (const entry of entries.slice(1)) ends.remove(entry)
    expect([...ends.newest('t')]).toEqual([1])
    ends.remove(entries[0] as (typeof entries)[0])
    expect(ends.isEmpty).toBe(true)
  })

  it('yields to other work while it searches with a slow filter', async () => {
    const log = new MemoryLog()
    await log.append(Array.from({ length: 5_000 }, () => update('x')))
    let turns = 0
    const others = setInterval(() => turns++, 0)
    expect(await log.newest(slowFilter, 10)).toBe(0)
    clearInterval(others)
    expect(turns).toBeGreaterThan(10)
  })

  it('ends a page early when the filter is slow, and reports how far it read', async () => {
    const log = new MemoryLog()
    await log.append(Array.from({ length: 2_000 }, () => update('x')))
    const { cursor } = await log.read(0, slowFilter, { entries: 10, bytes: 1_000 })
    expect(cursor).toBeGreaterThan(0)
    expect(cursor).toBeLessThan(1_000)
  })

  it('keeps at most the configured bytes', async () => {
    const log = new MemoryLog({ bytes: 10_000 })
    for (let number = 0; number < 100; number++) await log.append([update('x'.repeat(800))])
    // Each entry counts as its 800 bytes of data, its topic and a constant of 200.
    expect(log.head - log.first + 1).toBe(9)
  })

  it('remembers which topics it removed, and counts one that is too long to remember as every topic', async () => {
    const lostOf = async (topic: string) => {
      const log = new MemoryLog({ entries: 1 })
      await log.append([{ topics: [topic], data: '' }])
      await log.append([update('x')])
      return (await log.read(0, { admits: (topics) => topics.includes('t') }, { entries: 10, bytes: 1_000 })).lost
    }
    expect(await lostOf('short')).toBe(false)
    expect(await lostOf('x'.repeat(1_023))).toBe(false)
    expect(await lostOf('x'.repeat(1_024))).toBe(true)
  })

  it('refuses appends, followers and deletions once it is closed', async () => {
    const log = new MemoryLog()
    await log.append([update('x')])
    await log.close()
    const deletion = { epoch: log.epoch, from: 1, through: 1, topics: ['t'] }
    for (const attempt of [
      () => log.append([update('y')]),
      () => log.follow(() => {}),
      () => log.delete(deletion, { topics: ['t'], data: '' })
    ]) {
      await expect(attempt()).rejects.toMatchObject({ code: 'closed' })
    }
  })

  it('keeps the newest of each topic after its rules are set again', async () => {
    const log = new MemoryLog({ retention: [{ match: '*', last: 2 }] })
    await log.append([update('1'), update('2')])
    await log.retain([{ match: '*', last: 2 }])
    expect(await keptIn(log)).toEqual(['1', '2'])
    await log.retain([{ match: '*', last: 1 }])
    expect(await keptIn(log)).toEqual(['2'])
    await log.append([update('3')])
    expect(await keptIn(log)).toEqual(['3'])
  })

  it('counts no removal for an entry that was deleted before a bound removes it', async () => {
    const count = 50_000
    const log = new MemoryLog({ entries: count })
    await log.append(Array.from({ length: count }, () => update('x')))
    const { epoch, head } = log
    // The entries are hidden at once, and removed in steps; meanwhile others take their places.
    const deleted = log.delete({ epoch, from: 1, through: head, topics: ['t'] }, { topics: ['d'], data: '' })
    await log.append(Array.from({ length: count - 1 }, () => ({ topics: ['other'], data: '' })))
    await deleted
    expect((await log.read(0, everything, { entries: 1, bytes: 1 })).lost).toBe(false)
    expect(log.removals).toBe(0)
  })

  it('removes expired entries, also when nothing is published', async () => {
    let now = 1_000_000
    const log = new MemoryLog({ age: 60_000, now: () => now })
    await log.append([update('old')])
    now += 30_000
    await log.append([update('young')])
    now += 30_001
    expect(log.first).toBe(2)
    expect(await log.read(0, everything, { entries: 10, bytes: 1_000 })).toMatchObject({ lost: true, cursor: 2 })
    now += 30_000
    expect(log.first).toBe(3)
  })

  it('does not expire entries early when the clock is set back', async () => {
    let now = 1_000_000
    const log = new MemoryLog({ age: 60_000, now: () => now })
    await log.append([update('before')])
    now -= 500_000
    const [after] = await log.append([update('after')])
    expect(after?.time).toBe(1_000_000)
    expect(log.first).toBe(1)
  })

  it('reports gaps by topic after thousands of topics are evicted, with false positives but no false negatives', async () => {
    const log = new MemoryLog({ entries: 1 })
    await log.append([{ topics: ['mine'], data: '' }])
    const mine = { admits: (topics: readonly string[]) => topics.includes('mine') }
    const limit = { entries: 1, bytes: 1 }
    await log.append(Array.from({ length: 5_000 }, (_, number) => ({ topics: [`t${number}`], data: '' })))
    expect(await log.read(1, mine, limit)).toMatchObject({ lost: false })
    expect(await log.read(0, mine, limit)).toMatchObject({ lost: true })
    await log.append(Array.from({ length: 20_000 }, (_, number) => ({ topics: [`u${number}`], data: '' })))
    expect(await log.read(1, mine, limit)).toMatchObject({ lost: true })
    expect(await log.read(log.first - 1, mine, limit)).toMatchObject({ lost: false })
  })

  it('counts ids, types, and each of several topics as bytes', async () => {
    const log = new MemoryLog({ bytes: 10_000 })
    const topics = Array.from({ length: 100 }, (_, number) => `${number}`)
    await log.append(Array.from({ length: 10 }, () => ({ topics, data: '' })))
    expect(log.first).toBe(9)
    await log.append(
      Array.from({ length: 20 }, () => ({ topics: ['t'], data: '', id: 'i'.repeat(250), type: 'y'.repeat(250) }))
    )
    expect(log.first).toBe(18)
  })

  const manyOf = (count: number, topic: string) => Array.from({ length: count }, () => ({ topics: [topic], data: '' }))

  it.each([
    ['entries', { entries: 100_100 }],
    ['age', { age: '1h' }],
    ['last', { last: 100_100 }],
    ['bytes', { bytes: '100MiB' }],
    ['no bound', {}]
  ])('exceeds its default bounds when a rule allows it, with %s', async (_, bounds) => {
    const log = new MemoryLog({ retention: [{ match: '*', ...bounds }] })
    await log.append(manyOf(100_100, 't'))
    const large = { topics: ['t'], data: 'x'.repeat(2 ** 20) }
    if (!('entries' in bounds || 'last' in bounds)) await log.append(Array(65).fill(large))
    expect(log.first).toBe(1)
  })

  it('applies the default bounds to topics that no rule covers', async () => {
    const log = new MemoryLog({ retention: [{ match: 'a', entries: 200_000 }] })
    await log.append([...manyOf(100_100, 'a'), ...manyOf(100_100, 'b')])
    const kept = async (topic: string) => (await readAll(log, { filter: only(topic) })).entries.length
    expect([await kept('a'), await kept('b')]).toEqual([100_100, 100_000])
  })

  it('also applies the bounds of its own options, regardless of the rules', async () => {
    const log = new MemoryLog({ entries: 10, retention: [{ match: '*', entries: 20 }] })
    await log.append(manyOf(30, 't'))
    expect(log.first).toBe(21)
  })

  it('applies rules that are set later, also when it had none', async () => {
    const log = new MemoryLog()
    await log.append([...manyOf(5, 'a'), ...manyOf(5, 'b')])
    await log.retain([{ match: 'a', entries: 2 }])
    expect((await log.read(0, everything, { entries: 20, bytes: 10_000 })).entries.length).toBe(7)
  })

  it('rejects invalid bounds', () => {
    expect(() => new MemoryLog({ entries: 0 })).toThrow('entries: expected a number greater than 0')
    expect(() => new MemoryLog({ age: Number.NaN })).toThrow('age')
  })
})
