import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { LmdbLog } from '../../dist/index.js'
import { retentionOf, testLogContract } from '../support/log/log-contract.ts'
import {
  dataOf,
  everything,
  keptIn,
  many,
  newFolder,
  only,
  openLog,
  readAll,
  startWriter,
  update
} from '../support/log/log-folder.ts'

describe('LmdbLog satisfies the log contract', () =>
  testLogContract((kept) => LmdbLog.open({ path: newFolder(), retention: retentionOf(kept) })))

describe('LmdbLog persists across processes', () => {
  it('restores epoch, head, entries, ids and their order', async () => {
    const path = newFolder()
    const before = await openLog({ path })
    const whole = update('data\n\u{1f4e3}', { topics: ['a', 'ü'], type: 'x', id: 'mine', retry: 5, private: true })
    await before.append([whole, update('2', { id: 'again' }), update('3', { id: 'again' })])
    const { entries } = await readAll(before)
    await before.close()
    const after = await openLog({ path })
    expect([after.epoch, after.head, after.first]).toEqual([before.epoch, 3, 1])
    expect((await readAll(after)).entries).toEqual(entries)
    expect(await Promise.all(['mine', 'again', entries[2]?.id ?? ''].map((id) => after.locate(id)))).toEqual([1, 2, 2])
    expect((await after.append([update('4')]))[0]).toMatchObject({ offset: 4, epoch: before.epoch })
  })

  it('restores the records of its roster that belong to no node', async () => {
    const path = newFolder()
    const before = await openLog({ path, retention: [{ match: '*', entries: 1 }] })
    const end = update('', { topics: ['record'], private: true })
    const member = { topic: 'record', node: '', record: '{"of":"ü"}', end }
    await before.roster.announce([{ update: end, member }])
    await before.append(many(5))
    await before.close()
    const after = await openLog({ path })
    const found: unknown[] = []
    for await (const page of after.roster.members()) found.push(...page)
    expect(found).toEqual([member])
  })

  it('still reports entries removed before the restart, and no others', async () => {
    const path = newFolder()
    const retention = [{ match: '*', entries: 10 }]
    const before = await openLog({ path, retention })
    await before.append([update('rare', { topics: ['rare'] }), ...many(25)])
    await before.close()
    const log = await openLog({ path, retention })
    expect(log.first).toBe(17)
    for (const byIndex of [true, false]) {
      expect(await readAll(log, { after: 15, filter: only('t', byIndex) })).toMatchObject({ lost: true })
      expect(await readAll(log, { after: 16, filter: only('t', byIndex) })).toMatchObject({ lost: false })
      expect(await readAll(log, { after: 0, filter: only('rare', byIndex) })).toMatchObject({ entries: [], lost: true })
      expect(await readAll(log, { after: 1, filter: only('rare', byIndex) })).toMatchObject({
        entries: [],
        lost: false
      })
      expect(await readAll(log, { after: 0, filter: only('other', byIndex) })).toMatchObject({ lost: false })
    }
  })

  it('never reuses a removed offset, also when no entries are left', async () => {
    const path = newFolder()
    const retention = [{ match: '*', bytes: 1 }]
    const before = await openLog({ path, retention })
    await before.append(many(5))
    expect([before.head, before.first]).toEqual([5, 6])
    await before.close()
    const log = await openLog({ path, retention })
    expect([log.head, log.first]).toEqual([5, 6])
    expect((await log.append([update('6')]))[0]?.offset).toBe(6)
  })

  it('keeps all acknowledged appends, each whole or absent, when its process is killed', async () => {
    const path = newFolder()
    const { epoch, offset } = await (await startWriter(path, 'flush')).kill()
    const log = await openLog({ path })
    expect(log.epoch).toBe(epoch)
    expect(log.head).toBeGreaterThanOrEqual(offset)
    expect(log.head % 3).toBe(0)
    expect(await keptIn(log)).toEqual(many(log.head).map(({ data }) => data))
  })

  it('with durability "os", starts a new epoch after a kill, so that old ids are not trusted', async () => {
    const path = newFolder()
    const { epoch, offset } = await (await startWriter(path, 'os')).kill()
    const log = await openLog({ path, durability: 'os' })
    expect(log.epoch).not.toBe(epoch)
    expect(log.head).toBe(0)
    expect(await log.locate(`#${epoch}-${offset.toString(36)}`)).toBeUndefined()
  })

  it('with durability "os", keeps its epoch after a clean shutdown', async () => {
    const path = newFolder()
    const before = await openLog({ path, durability: 'os' })
    await before.append(many(3))
    await before.close()
    const log = await openLog({ path, durability: 'os' })
    expect([log.epoch, log.head]).toEqual([before.epoch, 3])
  })
})

describe('LmdbLog groups appends into commits', () => {
  it('groups concurrent appends into few commits', async () => {
    const log = await openLog()
    let commits = 0
    await log.follow(() => commits++)
    await Promise.all(Array.from({ length: 500 }, (_, number) => log.append([update(String(number))])))
    expect(log.head).toBe(500)
    expect(commits).toBeLessThan(5)
  })

  it('resolves appends in the order of the calls', async () => {
    const log = await openLog()
    const answered: number[] = []
    await Promise.all(
      many(50).map(async (one) => {
        const [entry] = await log.append([one])
        answered.push(entry?.offset as number)
      })
    )
    expect(answered).toEqual([...answered].sort((a, b) => a - b))
  })

  it('shows an entry to no reader before its append resolves and it is delivered', async () => {
    const log = await openLog()
    let delivered = 0
    let early = 0
    let isDone = false
    await log.follow((entries) => {
      delivered = entries.at(-1)?.offset as number
    })
    const publishing = (async () => {
      for (let time = 0; time < 300; time++) await log.append(many(3))
      isDone = true
    })()
    while (!isDone) {
      for (const filter of [everything, only('t')]) {
        const { entries, cursor } = await log.read(delivered, filter, { entries: 10, bytes: 10_000 })
        if (entries.length > 0 || cursor > delivered) early++
      }
      await new Promise(setImmediate)
    }
    await publishing
    expect(early).toBe(0)
  })

  it('keeps entries that were appended before close', async () => {
    const path = newFolder()
    const before = await openLog({ path })
    const appended = before.append(many(3))
    await before.close()
    expect((await appended).length).toBe(3)
    expect(await keptIn(await openLog({ path }))).toEqual(['1', '2', '3'])
  })
})

describe('LmdbLog uses its topic index', () => {
  const topic = fc.constantFrom('a', 'b', 'c', 'd'.repeat(4_000), 'nul\0')
  const written = fc.array(
    fc.record({ topics: fc.array(topic, { minLength: 1, maxLength: 3 }), private: fc.boolean() }),
    {
      maxLength: 60
    }
  )
  const queries = fc.record({
    wanted: fc.uniqueArray(topic, { minLength: 1 }),
    mayReadPrivate: fc.boolean(),
    after: fc.nat(60),
    count: fc.integer({ min: 1, max: 20 }),
    entries: fc.integer({ min: 1, max: 10 })
  })

  it('reads and counts exactly what a full scan returns', async () => {
    await fc.assert(
      fc.asyncProperty(
        written,
        fc.array(queries, { minLength: 1 }),
        fc.option(fc.nat(20)),
        async (updates, questions, bound) => {
          const log = await LmdbLog.open({
            path: newFolder(),
            retention: bound ? [{ match: 'a', entries: bound }] : []
          })
          await log.append(updates.map((one, number) => update(String(number), one)))
          for (const { wanted, mayReadPrivate, after, count, entries } of questions) {
            const admits = (topics: readonly string[], isPrivate: boolean) =>
              (mayReadPrivate || !isPrivate) && topics.some((one) => wanted.includes(one))
            const indexed = { admits, topics: wanted }
            expect(await readAll(log, { after, filter: indexed, entries })).toEqual(
              await readAll(log, { after, filter: { admits }, entries })
            )
            expect(await log.newest(indexed, count)).toBe(await log.newest({ admits }, count))
          }
          await log.close()
        }
      ),
      { numRuns: 40 }
    )
  })

  it('reads only the entries of the topic', async () => {
    const log = await openLog()
    for (let batch = 0; batch < 20; batch++) await log.append(many(1_000, { topics: [`loud ${batch}`] }))
    await log.append([update('mine', { topics: ['quiet'] })])
    let looked = 0
    const filter = { topics: ['quiet'], admits: () => ++looked > 0 }
    expect(dataOf((await log.read(0, filter, { entries: 10, bytes: 1_000 })).entries)).toEqual(['mine'])
    expect(await log.newest(filter, 1)).toBe(20_000)
    expect(looked).toBe(2)
  })

  it('scans a limited number of entries at a time when it must scan everything', async () => {
    const log = await openLog()
    await log.append(many(10_000))
    let looked = 0
    const nothing = { admits: () => ++looked < 0 }
    const { cursor } = await log.read(0, nothing, { entries: 10, bytes: 1_000 })
    expect(looked).toBeLessThan(5_000)
    expect(cursor).toBe(looked)
    expect((await readAll(log, { after: cursor, filter: everything })).entries.length).toBe(10_000 - cursor)
  })
})

it('aborts a running search on close', async () => {
  const log = await openLog()
  await log.append(many(10_000))
  const search = expect(log.newest({ admits: () => false }, 1)).rejects.toMatchObject({ code: 'closed' })
  await log.close()
  await search
})

it('rejects every request after close', async () => {
  const log = await LmdbLog.open({ path: newFolder() })
  onTestFinished(() => log.close())
  await log.close()
  const requests = [log.read(0, everything, { entries: 1, bytes: 1 }), log.newest(everything, 1), log.locate('x')]
  for (const request of requests) await expect(request).rejects.toMatchObject({ code: 'closed' })
})
