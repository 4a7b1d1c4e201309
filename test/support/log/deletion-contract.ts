// The part of the log contract about ends and deletions, as a test suite that every log must pass unchanged.
import { describe, expect, it } from 'vitest'
import type { Deletion, Entry, Filter, Log, Update } from '../../../dist/index.js'
import type { Kept } from './log-contract.ts'
import { dataOf, followed, many, only, readAll, update } from './log-folder.ts'

const announcement = (topics: readonly string[]): Update => ({ topics, data: '{}', type: 'tidings:deleted' })
const all = ({ epoch }: Log, topics: readonly string[], through: number): Deletion => ({
  epoch,
  topics,
  from: 1,
  through
})
const end = (data: string, fields: Partial<Update> = {}) => update(data, { end: true, ...fields })
const both: Filter = { admits: (topics) => topics.includes('a') || topics.includes('b'), topics: ['a', 'b'] }

export function testDeletionContract(open: (kept?: Kept) => Promise<Log>): void {
  const endedOffsets = async (log: Log, topics: readonly string[]) =>
    (await log.ends(topics)).map((entry) => entry?.offset)

  describe('ends', () => {
    it('finds the end of each topic whose newest entry is one', async () => {
      const log = await open()
      await log.append([update('1', { topics: ['a'] }), end('2', { topics: ['b', 'c'] }), end('3', { topics: ['d'] })])
      await log.append([update('4', { topics: ['d'] })])
      expect(await endedOffsets(log, ['a', 'b', 'c', 'd', 'nobody'])).toEqual([undefined, 2, 2, undefined, undefined])
      expect((await log.ends(['b']))[0]?.update).toEqual(end('2', { topics: ['b', 'c'] }))
    })

    it('reopens a topic with the next update, also where the topic is an alternate', async () => {
      const log = await open()
      await log.append([end('1', { topics: ['a'] }), end('2', { topics: ['b'] })])
      expect(log.hasEnds).toBe(true)
      await log.append([update('3', { topics: ['x', 'a'] })])
      expect(await endedOffsets(log, ['a', 'b'])).toEqual([undefined, 2])
      await log.append([end('4', { topics: ['a'] })])
      expect(await endedOffsets(log, ['a'])).toEqual([4])
    })

    it('says that there are none before the first', async () => {
      const log = await open()
      expect(log.hasEnds).toBe(false)
      await log.append(many(3))
      expect(log.hasEnds).toBe(false)
      expect(await endedOffsets(log, ['t'])).toEqual([undefined])
    })

    it('forgets an end that retention removed', async () => {
      const log = await open({ entries: 2 })
      await log.append([end('1', { topics: ['a'] })])
      await log.append(many(3))
      await expect.poll(() => log.first).toBe(3)
      expect(await endedOffsets(log, ['a'])).toEqual([undefined])
    })

    it('knows of an end when it delivers it', async () => {
      const log = await open()
      const known: boolean[] = []
      await log.follow((entries) => {
        if (entries.some((entry) => entry.update.end)) known.push(log.hasEnds)
      })
      await log.append([end('1')])
      await expect.poll(() => known).toEqual([true])
    })

    it('answers for hundreds of topics', async () => {
      const log = await open()
      const topics = Array.from({ length: 450 }, (_, number) => `t${number}`)
      await log.append(topics.map((topic) => end('x', { topics: [topic] })))
      expect(await endedOffsets(log, topics)).toEqual(topics.map((_, at) => at + 1))
    })
  })

  describe('deletion', () => {
    it('deletes the entries of a topic up to an offset, for every kind of reader, and delivers the announcement', async () => {
      const log = await open()
      const seen = await followed(log)
      await log.append([
        update('1', { topics: ['a'], id: 'one' }),
        update('2', { topics: ['b'] }),
        update('3', { topics: ['x', 'a'] }),
        update('4', { topics: ['a'], id: 'one' })
      ])
      const deletion = all(log, ['a'], 3)
      const entry = await log.delete(deletion, announcement(['a']))
      expect(entry).toMatchObject({ offset: 5, update: announcement(['a']) })
      expect(dataOf((await readAll(log)).entries)).toEqual(['2', '4', '{}'])
      expect(dataOf((await readAll(log, { filter: only('a') })).entries)).toEqual(['4', '{}'])
      expect(await log.newest(only('a'), 2)).toBe(3)
      expect(await log.locate('one')).toBe(4)
      await expect.poll(() => seen.at(-1)?.deletion).toEqual(deletion)
      expect(dataOf(seen)).toEqual(['1', '2', '3', '4', '{}'])
    })

    it('deletes a single entry', async () => {
      const log = await open()
      await log.append(many(5))
      await log.delete({ epoch: log.epoch, topics: ['t'], from: 3, through: 3 }, announcement(['t']))
      expect(dataOf((await readAll(log)).entries)).toEqual(['1', '2', '4', '5', '{}'])
    })

    it('is no gap', async () => {
      const log = await open()
      await log.append(many(20))
      await log.delete(all(log, ['t'], 15), announcement(['t']))
      expect(await readAll(log, { after: 2 })).toMatchObject({ lost: false })
      expect((await readAll(log, { after: 2, filter: only('t') })).lost).toBe(false)
    })

    it('is no gap where retention would have removed the same entries', async () => {
      const log = await open({ entries: 5 })
      await log.append(many(5))
      await log.delete(all(log, ['t'], 5), announcement(['t']))
      await log.append(many(4, { topics: ['other'] }))
      expect((await readAll(log, { filter: only('t') })).lost).toBe(false)
    })

    it('reopens a topic: the announcement is its newest entry', async () => {
      const log = await open()
      await log.append([end('1', { topics: ['a'] })])
      await log.delete(all(log, ['a'], 1), announcement(['a']))
      expect(await endedOffsets(log, ['a'])).toEqual([undefined])
    })

    it('deletes thousands of entries, and advances the first offset', async () => {
      const log = await open()
      for (let batch = 0; batch < 10; batch++) {
        await log.append(many(400, { topics: ['a'] }))
        await log.append(many(2, { topics: ['b'] }))
      }
      await log.delete(all(log, ['a'], log.head), announcement(['a']))
      const read = async () => (await readAll(log, { filter: both })).entries
      const topics = (entries: readonly Entry[]) => new Set(entries.map((entry) => entry.update.topics[0]))
      const left = await read()
      expect(left.length).toBe(21)
      expect([...topics(left)].sort()).toEqual(['a', 'b'])
      await expect.poll(() => log.first).toBe(401)
      expect((await read()).length).toBe(21)
    })

    it('counts what is left under its rules', async () => {
      const log = await open({ entries: 10 })
      await log.append(many(10))
      await log.delete(all(log, ['t'], 6), announcement(['t']))
      await log.append(many(5, { topics: ['u'] }))
      expect(dataOf((await readAll(log)).entries)).toEqual(['7', '8', '9', '10', '{}', '1', '2', '3', '4', '5'])
      expect((await readAll(log)).lost).toBe(false)
    })

    it('takes two deletions at a time', async () => {
      const log = await open()
      await log.append([...many(300, { topics: ['a'] }), ...many(300, { topics: ['b'] }), ...many(1)])
      await Promise.all([
        log.delete(all(log, ['a'], 600), announcement(['a'])),
        log.delete(all(log, ['b'], 600), announcement(['b']))
      ])
      expect((await readAll(log)).entries.map(({ offset }) => offset)).toEqual([601, 602, 603])
    })

    it('deletes nothing for another epoch', async () => {
      const log = await open()
      await log.append(many(3))
      const other = { epoch: 'other', topics: ['t'], from: 1, through: 3 }
      await expect(log.delete(other, announcement(['t']))).rejects.toMatchObject({ code: 'log_unavailable' })
      expect(dataOf((await readAll(log)).entries)).toEqual(['1', '2', '3'])
    })

    it('refuses to delete after close', async () => {
      const log = await open()
      await log.close()
      await expect(log.delete(all(log, ['t'], 1), announcement(['t']))).rejects.toMatchObject({ code: 'closed' })
    })
  })
}
