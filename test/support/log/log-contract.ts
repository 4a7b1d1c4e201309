// The log contract as a test suite that every log must pass unchanged: the test file of a log only states how to open it.
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Entry, Filter, Log, Member, Page, Roster, Update } from '../../../dist/index.js'
import { testDedupContract } from './dedup-contract.ts'
import { testDeletionContract } from './deletion-contract.ts'
import { followed } from './log-folder.ts'

/** The retention for all topics: the newest `last` entries of each topic, and at most `entries` in total. */
export interface Kept {
  entries?: number
  last?: number
}

export const retentionOf = (kept: Kept) => (Object.keys(kept).length === 0 ? [] : [{ match: '*', ...kept }])

const everything: Filter = { admits: () => true }
const only = (topic: string): Filter => ({ admits: (topics) => topics.includes(topic) })
const page = { entries: 1_000, bytes: 2 ** 20 }

const update = (data: string, fields: Partial<Update> = {}): Update => ({ topics: ['t'], data, ...fields })
const dataOf = (entries: readonly Entry[]) => entries.map((entry) => entry.update.data)
const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)

export function testLogContract(openLog: (kept: Kept) => Promise<Log>): void {
  const open = async (kept: Kept = {}) => {
    const log = await openLog(kept)
    onTestFinished(() => log.close())
    return log
  }
  const readAll = async (log: Log, after: number, filter = everything, limit = page) => {
    const entries: Entry[] = []
    let lost = false
    for (let cursor = after; ; ) {
      const next = await log.read(cursor, filter, limit)
      entries.push(...next.entries)
      lost ||= next.lost
      if (next.cursor === cursor) return { entries, lost, cursor }
      cursor = next.cursor
    }
  }
  const fill = (log: Log, count: number, fields?: Partial<Update>) =>
    log.append(numbers(1, count).map((number) => update(String(number), fields)))

  it('starts empty, at offset 0', async () => {
    const log = await open()
    expect([log.head, log.first]).toEqual([0, 1])
    expect(await log.read(0, everything, page)).toEqual({ epoch: log.epoch, entries: [], cursor: 0, lost: false })
  })

  it('is ready until it is closed', async () => {
    const log = await open()
    expect(log.isReady).toBe(true)
    await log.close()
    expect(log.isReady).toBe(false)
  })

  it('assigns consecutive offsets and one epoch', async () => {
    const log = await open()
    const [first] = await log.append([update('one')])
    const [second, third] = await log.append([update('two'), update('three')])
    expect([first, second, third].map((entry) => entry?.offset)).toEqual([1, 2, 3])
    expect(new Set([first, second, third].map((entry) => entry?.epoch))).toEqual(new Set([log.epoch]))
    expect(log.head).toBe(3)
  })

  it('stores every field of an update', async () => {
    const log = await open()
    const whole = update('data\n\u{1f4e3}\0', {
      topics: ['a', 'ü'],
      type: 'x',
      id: 'mine',
      retry: 5,
      private: true,
      end: true
    })
    await log.append([whole])
    const { entries } = await readAll(log, 0)
    expect(entries.map((entry) => entry.update)).toEqual([whole])
    expect(entries[0]?.id).toBe('mine')
  })

  it('generates ids from epoch and offset if the publisher sets none', async () => {
    const log = await open()
    await fill(log, 40)
    const { entries } = await readAll(log, 35)
    expect(entries[0]?.id).toBe(`#${log.epoch}-10`)
  })

  it('delivers every entry to every follower in order, each once', async () => {
    const log = await open()
    const seen: number[][] = [[], []]
    for (const offsets of seen) {
      await log.follow((entries) => {
        offsets.push(...entries.map((entry) => entry.offset))
      })
    }
    await Promise.all(numbers(1, 50).map((number) => log.append([update(`${number}a`), update(`${number}b`)])))
    await expect.poll(() => seen.map((offsets) => offsets.length)).toEqual([100, 100])
    expect(seen).toEqual([numbers(1, 100), numbers(1, 100)])
  })

  it.each([{ last: 1 }, { entries: 3 }])(
    'delivers every entry to a follower, including those removed by the same append: %j',
    async (kept) => {
      const log = await open(kept)
      const seen = await followed(log)
      for (const batch of numbers(1, 6)) {
        await log.append(numbers(1, 4).map((number) => update(`${batch}.${number}`)))
      }
      await expect.poll(() => seen.length).toBe(24)
      expect(seen.map(({ offset }) => offset)).toEqual(numbers(1, 24))
      expect(dataOf((await readAll(log, 0)).entries)).toEqual(dataOf(seen).slice('last' in kept ? -1 : -3))
    }
  )

  it('delivers an entry only after it is readable', async () => {
    const log = await open()
    const early: Promise<boolean>[] = []
    await log.follow((entries) => {
      const [{ offset }] = entries as [Entry]
      early.push(log.read(offset - 1, everything, page).then((next) => next.entries[0]?.offset !== offset))
    })
    for (const number of numbers(1, 10)) await log.append([update(String(number))])
    await expect.poll(() => early.length).toBeGreaterThan(0)
    expect(await Promise.all(early)).not.toContain(true)
  })

  it('keeps a batch together and in order while others publish', async () => {
    const log = await open()
    const batches = numbers(1, 20).map((batch) => numbers(1, 5).map((number) => update(`${batch}.${number}`)))
    await Promise.all(batches.map((batch) => log.append(batch)))
    const read = dataOf((await readAll(log, 0)).entries)
    for (const batch of batches) {
      const at = read.indexOf(batch[0]?.data as string)
      expect(read.slice(at, at + 5)).toEqual(batch.map(({ data }) => data))
    }
  })

  it('continues reading from any offset, oldest first, with any page size', async () => {
    const log = await open()
    await fill(log, 25)
    for (const entries of [1, 7, 100]) {
      const { entries: read } = await readAll(log, 10, everything, { entries, bytes: 2 ** 20 })
      expect(dataOf(read)).toEqual(numbers(11, 25).map(String))
    }
  })

  it('ends a page at its byte limit, but not before its first entry', async () => {
    const log = await open()
    await log.append(numbers(1, 4).map(() => update('x'.repeat(10_000))))
    const next = await log.read(0, everything, { entries: 100, bytes: 15_000 })
    expect(next.entries.length).toBe(2)
    expect((await log.read(next.cursor, everything, { entries: 100, bytes: 1 })).entries.length).toBe(1)
  })

  it('reads only what the filter admits', async () => {
    const log = await open()
    await log.append(numbers(1, 30).map((number) => update(String(number), { topics: [`t${number % 3}`] })))
    const { entries } = await readAll(log, 4, only('t0'))
    expect(dataOf(entries)).toEqual(['6', '9', '12', '15', '18', '21', '24', '27', '30'])
  })

  it('passes to the filter whether an update is private', async () => {
    const log = await open()
    await log.append([update('public'), update('secret', { private: true })])
    const { entries } = await readAll(log, 0, { admits: (_, isPrivate) => !isPrivate })
    expect(dataOf(entries)).toEqual(['public'])
  })

  it('advances its first offset when retention removes entries', async () => {
    const log = await open({ entries: 10 })
    await fill(log, 25)
    await expect.poll(() => log.first).toBe(16)
    expect(dataOf((await readAll(log, 15)).entries)).toEqual(numbers(16, 25).map(String))
  })

  it('reports lost when retention removed entries that the filter admits', async () => {
    const log = await open({ entries: 10 })
    await fill(log, 25)
    await expect.poll(() => log.first).toBe(16)
    expect(await readAll(log, 14)).toMatchObject({ lost: true, cursor: 25 })
    expect(await readAll(log, 15)).toMatchObject({ lost: false, cursor: 25 })
  })

  it('does not report lost when retention removed only other entries', async () => {
    const log = await open({ entries: 10 })
    await fill(log, 3, { topics: ['rare'] })
    await fill(log, 25)
    await expect.poll(() => log.first).toBe(19)
    expect(await readAll(log, 3, only('rare'))).toMatchObject({ entries: [], lost: false })
    expect(await readAll(log, 2, only('rare'))).toMatchObject({ entries: [], lost: true })
  })

  it('computes offsets from its own ids, also for removed entries', async () => {
    const log = await open({ entries: 10 })
    await fill(log, 25)
    expect(await log.locate(`#${log.epoch}-0`)).toBe(0)
    expect(await log.locate(`#${log.epoch}-3`)).toBe(3)
    expect(await log.locate(`#${log.epoch}-p`)).toBe(25)
  })

  it('does not find malformed ids, ids of another epoch, or ids beyond the head', async () => {
    const log = await open()
    await fill(log, 3)
    for (const id of [`#x${log.epoch}-1`, `#${log.epoch}-4`, `#${log.epoch}`, `#${log.epoch}-01`, '#', '', 'nobody']) {
      expect(await log.locate(id), id).toBeUndefined()
    }
  })

  it("finds a publisher's id at its oldest retained entry", async () => {
    const log = await open({ entries: 10 })
    await log.append([update('1', { id: 'x' }), update('2'), update('3', { id: 'x' }), update('4', { id: 'x' })])
    expect(await log.locate('x')).toBe(1)
    await fill(log, 8)
    await expect.poll(() => log.first).toBe(3)
    expect(await log.locate('x')).toBe(3)
    await fill(log, 10)
    await expect.poll(() => log.locate('x')).toBeUndefined()
  })

  it('finds the offset before the newest n entries', async () => {
    const log = await open()
    await log.append(numbers(1, 30).map((number) => update(String(number), { topics: [`t${number % 3}`] })))
    const after = await log.newest(only('t0'), 3)
    expect(dataOf((await readAll(log, after, only('t0'))).entries)).toEqual(['24', '27', '30'])
    expect(await log.newest(everything, 1_000)).toBe(0)
  })

  it('finds the offset before the newest n entries after retention removed some', async () => {
    const log = await open({ entries: 10 })
    await fill(log, 25)
    await expect.poll(() => log.first).toBe(16)
    expect(await log.newest(everything, 100)).toBe(15)
    expect(await log.newest(only('nobody'), 1)).toBe(15)
  })

  it('assigns times that never decrease', async () => {
    const log = await open()
    await fill(log, 5)
    const times = (await readAll(log, 0)).entries.map((entry) => entry.time)
    expect(times).toEqual([...times].sort((a, b) => a - b))
    expect(Math.abs((times[0] as number) - Date.now())).toBeLessThan(60_000)
  })

  describe('the roster', () => {
    const update = (name: string, data: string): Update => ({ topics: [`who/${name}`], data, private: true })
    const member = (name: string, node = 'n') => {
      const topic = `who/${name}`
      return { topic, node, record: `of ${name}`, end: update(name, 'left') }
    }
    const join = (name: string, node?: string) => ({ update: update(name, 'came'), member: member(name, node) })
    const leave = (name: string) => ({ update: update(name, 'left'), member: null })
    const of = ({ roster }: Log): Roster => {
      if (!roster) throw new Error('the log keeps no roster')
      return roster
    }
    const roster = async (log: Log) => {
      const all: Member[] = []
      for await (const page of of(log).members()) all.push(...page)
      return all.sort((a, b) => (a.topic < b.topic ? -1 : 1))
    }
    const plain = ({ topic, node, record, end }: Member) => ({ topic, node, record, end })

    it('lists members that joined and did not leave, with their records', async () => {
      const log = await open()
      await of(log).announce([join('ann'), join('bob', 'm'), join('cid')])
      await of(log).announce([leave('ann')])
      expect((await roster(log)).map(plain)).toEqual([member('bob', 'm'), member('cid')])
    })

    it('marks each entry that adds or removes a member', async () => {
      const log = await open()
      const seen: Entry[] = []
      await log.follow((entries) => void seen.push(...entries))
      await log.append([{ topics: ['t'], data: 'x' }])
      await of(log).announce([join('ann'), leave('ann')])
      await expect.poll(() => seen.length).toBe(3)
      expect(seen.map(({ update: { data } }) => data)).toEqual(['x', 'came', 'left'])
      expect(seen.map(({ member: one }) => one && plain(one))).toEqual([undefined, member('ann'), null])
      expect(seen[1]?.update).toEqual(update('ann', 'came'))
    })

    it('ignores a join of a present member, and a leave of an absent one', async () => {
      const log = await open()
      await of(log).announce([join('ann'), join('ann'), leave('nobody')])
      await of(log).announce([join('ann'), join('bob')])
      await of(log).announce([leave('ann'), leave('ann')])
      expect(dataOf((await readAll(log, 0)).entries)).toEqual(['came', 'came', 'left'])
      expect((await roster(log)).map(({ topic }) => topic)).toEqual(['who/bob'])
      // Offsets have no gaps.
      expect([log.head, (await log.append([update('x', 'x')]))[0]?.offset]).toEqual([3, 4])
    })

    it('keeps a member when retention has removed its join entry', async () => {
      const log = await open({ entries: 5 })
      await of(log).announce([join('ann')])
      await fill(log, 50)
      await expect.poll(() => log.first).toBeGreaterThan(1)
      expect((await roster(log)).map(plain)).toEqual([member('ann')])
    })

    it('keeps a record without a node until it is withdrawn, whatever leases expire', async () => {
      const log = await open()
      const seen: Entry[] = []
      await log.follow((entries) => void seen.push(...entries))
      await of(log).announce([join('record', ''), join('ann', 'a')])
      await of(log).renew('a', 50)
      await expect.poll(() => of(log).renew('b', 60_000)).toEqual(['b'])
      expect((await roster(log)).map(plain)).toEqual([member('ann', 'a'), member('record', '')])
      await expect.poll(() => seen.length).toBe(2)
      expect(seen[0]?.member?.node).toBe('')
      await of(log).announce([leave('record')])
      expect((await roster(log)).map(({ topic }) => topic)).toEqual(['who/ann'])
    })

    it('replaces records in one step', async () => {
      const log = await open()
      await of(log).announce([join('one', '')])
      await of(log).announce([join('two', ''), leave('one')])
      expect((await roster(log)).map(({ topic }) => topic)).toEqual(['who/two'])
      expect(log.head).toBe(3)
    })

    it('stores thousands of members, and reads them in pages', async () => {
      const log = await open()
      const names = numbers(10_001, 13_000).map(String)
      for (let at = 0; at < names.length; at += 250)
        await of(log).announce(names.slice(at, at + 250).map((name) => join(name)))
      expect((await roster(log)).map(({ topic }) => topic)).toEqual(names.map((name) => `who/${name}`))
    })

    it('lists live nodes, each until its lease expires', async () => {
      const log = await open()
      expect(await of(log).renew('a', 60_000)).toEqual(['a'])
      expect([...(await of(log).renew('b', 60_000))].sort()).toEqual(['a', 'b'])
      expect([...(await of(log).renew('a', 60_000))].sort()).toEqual(['a', 'b'])
      await of(log).renew('b', 50)
      await expect.poll(() => of(log).renew('a', 60_000)).toEqual(['a'])
    })
  })

  it('serves reads of entries it has just delivered, also during close', async () => {
    const log = await open()
    const reads: Promise<Page>[] = []
    await log.follow((entries) => {
      for (const { offset } of entries) reads.push(log.read(offset - 1, everything, page))
    })
    // As many as can be read within the time that `close` waits for reads, also on a busy machine.
    const appended = Array.from({ length: 10 }, (_, at) => log.append([update(`t${at}`)]))
    await appended[0]
    await log.close()
    const answers = await Promise.allSettled(reads)
    expect(answers.filter(({ status }) => status === 'rejected')).toEqual([])
    expect(reads.length).toBeGreaterThan(0)
  })

  it('rejects appends after close, and delivers nothing more', async () => {
    const log = await open()
    const seen: number[] = []
    await log.follow((entries) => {
      seen.push(...entries.map((entry) => entry.offset))
    })
    await log.append([update('before')])
    await log.close()
    await expect(log.append([update('after')])).rejects.toMatchObject({ code: 'closed' })
    expect(seen).toEqual([1])
  })

  testDedupContract(open)
  testDeletionContract(open)
}
