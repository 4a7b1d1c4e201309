// The deduplication part of the log contract, as a test suite that every log must pass unchanged.
import { describe, expect, it } from 'vitest'
import type { Appended, DedupKey, DedupOptions, Entry, Filter, Log, Update } from '../../../dist/index.js'
import type { Kept } from './log-contract.ts'
import { followed } from './log-folder.ts'

const everything: Filter = { admits: () => true }
const update = (data: string, fields: Partial<Update> = {}): Update => ({ topics: ['t'], data, ...fields })
const long = 60_000
const pollOptions = { interval: 50 }

/** Dedup keys from `key` or `key=fingerprint`; an empty text is no key. */
function dedup(texts: readonly string[], ms = long): DedupOptions {
  const keys = texts.map((text): DedupKey | undefined => {
    const [key = '', print = 'same'] = text.split('=')
    return key === '' ? undefined : { key, fingerprint: print }
  })
  return { keys, ttlMs: ms }
}

const offsetsOf = (entries: readonly Entry[]) => entries.map(({ offset }) => offset)
const repeatedOf = (entries: readonly Appended[]) => entries.map(({ repeated }) => repeated === true)

export function testDedupContract(open: (kept?: Kept) => Promise<Log>): void {
  /** The content of the log, which must equal what every follower received. */
  const contentOf = async (log: Log, seen: readonly Entry[]) => {
    await expect.poll(() => seen.length, pollOptions).toBe(log.head)
    const { entries } = await log.read(0, everything, { entries: 1_000, bytes: 2 ** 20 })
    expect(seen).toEqual(entries)
    return entries.map((entry) => entry.update.data)
  }

  describe('deduplication', () => {
    it('returns the first entry for a repetition, and delivers it once', async () => {
      const log = await open()
      const seen = await followed(log)
      const [first] = await log.append([update('a')], dedup(['k']))
      await log.append([update('b')])
      const [second] = await log.append([update('a')], dedup(['k']))
      expect(first).not.toHaveProperty('repeated')
      expect(second).toEqual({ ...first, repeated: true })
      expect(await contentOf(log, seen)).toEqual(['a', 'b'])
    })

    it("returns the publisher's own id, if it has one", async () => {
      const log = await open()
      await log.append([update('a', { id: 'mine' })], dedup(['k']))
      const [again] = await log.append([update('a', { id: 'mine' })], dedup(['k']))
      expect(again).toMatchObject({ id: 'mine', offset: 1, repeated: true })
    })

    it('recognizes a repetition while the first append is pending', async () => {
      const log = await open()
      const seen = await followed(log)
      const answers = await Promise.all(Array.from({ length: 20 }, () => log.append([update('a')], dedup(['k']))))
      expect(new Set(answers.flat().map(({ offset, time, id }) => `${offset} ${time} ${id}`)).size).toBe(1)
      expect(repeatedOf(answers.flat())).toEqual(answers.map((_, at) => at > 0))
      expect(await contentOf(log, seen)).toEqual(['a'])
    })

    it('recognizes a repetition after other appends, concurrent and completed', async () => {
      const log = await open()
      const seen = await followed(log)
      const append = (data: string) => log.append([update(data)], dedup([data]))
      const first = await Promise.all(['a', 'b', 'a', 'c', 'b'].map(append))
      expect(offsetsOf(first.flat())).toEqual([1, 2, 1, 3, 2])
      const second = await Promise.all(['c', 'd', 'a', 'b'].map(append))
      expect(offsetsOf(second.flat())).toEqual([3, 4, 1, 2])
      expect(await contentOf(log, seen)).toEqual(['a', 'b', 'c', 'd'])
    })

    it('appends only the new updates of a batch, in order', async () => {
      const log = await open()
      const seen = await followed(log)
      await log.append(
        ['a', 'b'].map((data) => update(data)),
        dedup(['a', 'b'])
      )
      const batch = ['x', 'b', 'y', 'a', 'z', 'y']
      const answer = await log.append(
        batch.map((data) => update(data)),
        dedup(['', 'b', 'y', 'a', 'z', 'y'])
      )
      expect(offsetsOf(answer)).toEqual([3, 2, 4, 1, 5, 4])
      expect(repeatedOf(answer)).toEqual([false, true, false, true, false, true])
      expect(answer.map((entry) => entry.id)).toEqual(offsetsOf(answer).map((offset) => `#${log.epoch}-${offset}`))
      expect(await contentOf(log, seen)).toEqual(['a', 'b', 'x', 'y', 'z'])
    })

    it('rejects an append with a key used for another update, in full, and affects no other append', async () => {
      const log = await open()
      const seen = await followed(log)
      await log.append([update('a')], dedup(['k=a']))
      const answers = await Promise.allSettled([
        log.append([update('before')]),
        log.append([update('x'), update('b'), update('y')], dedup(['new', 'k=b', ''])),
        log.append([update('after')], dedup(['other'])),
        // The rejected append has not used its other keys.
        log.append([update('x')], dedup(['new=x'])),
        log.append([update('a')], dedup(['k=a']))
      ])
      expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', ...Array(3).fill('fulfilled')])
      expect(answers[1]).toMatchObject({ reason: { code: 'key_reused', status: 422 } })
      expect(answers[4]).toMatchObject({ value: [{ offset: 1, repeated: true }] })
      expect(await contentOf(log, seen)).toEqual(['a', 'before', 'after', 'x'])
    })

    it('rejects a conflicting key within one append and within concurrent appends', async () => {
      const log = await open()
      const seen = await followed(log)
      const own = log.append([update('a'), update('b')], dedup(['k=a', 'k=b']))
      await expect(own).rejects.toMatchObject({ code: 'key_reused' })
      const [first, second] = await Promise.allSettled(
        ['c', 'd'].map((data) => log.append([update(data)], dedup([`k=${data}`])))
      )
      expect([first?.status, second?.status]).toEqual(['fulfilled', 'rejected'])
      expect(await contentOf(log, seen)).toEqual(['c'])
    })

    it('forgets a key after its TTL, counted from the append and not from a repetition', async () => {
      const log = await open()
      const append = async () => (await log.append([update('a')], dedup(['k'], 3_000)))[0] as Appended
      await append()
      expect(await append()).toMatchObject({ offset: 1, repeated: true })
      await expect.poll(append, pollOptions).not.toHaveProperty('repeated')
      expect(await append()).toMatchObject({ offset: 2, repeated: true })
      expect(log.head).toBe(2)
    })

    it('applies the TTL of each key', async () => {
      const log = await open()
      await log.append([update('short')], dedup(['short'], 1))
      await log.append([update('long')], dedup(['long']))
      const append = async (key: string) => (await log.append([update(key)], dedup([key])))[0]?.offset
      await expect.poll(() => append('short'), pollOptions).toBe(3)
      expect(await append('long')).toBe(2)
    })

    it('recognizes a key whose entry retention has removed', async () => {
      const log = await open({ entries: 3 })
      const [first] = await log.append([update('a')], dedup(['k']))
      await log.append(Array.from({ length: 10 }, (_, number) => update(String(number))))
      await expect.poll(() => log.first, pollOptions).toBe(9)
      expect(await log.append([update('a')], dedup(['k']))).toEqual([{ ...first, repeated: true }])
      expect(log.head).toBe(11)
    })

    it('never treats an update without a key as a repetition', async () => {
      const log = await open()
      const same = update('a', { id: 'same' })
      for (const marks of [undefined, dedup(['']), dedup([]), dedup(['k'])]) await log.append([same], marks)
      expect(log.head).toBe(4)
      expect(await log.append([], dedup([]))).toEqual([])
    })
  })
}
