// What an LmdbLog remembers so that it is not appended twice: memories by key, and keys by the time up to which they count. It
// knows no update; what it writes belongs to whatever batch is being written.
import type { Database } from 'lmdb'
import type { DedupRecord } from '../dedup/append.ts'
import { LmdbValues, type Values } from './values.ts'

type Value = [fingerprint: string, offset: number, time: number, until: number]

export class LmdbDedupStore {
  readonly #store: LmdbValues<Value, string>
  readonly #times: Database<string, number>
  /** Whether there may be any, so that a log without keys pays nothing. */
  #isUsed: boolean

  constructor(values: Values) {
    this.#store = new LmdbValues(values, 'once')
    this.#times = values.root.openDB({ name: 'once-until', encoding: 'ordered-binary', dupSort: true })
    this.#isUsed = [...this.#store.keys.getKeys({ limit: 1 })].length > 0
  }

  /** Whether it still counts is for the caller to say. */
  find(key: string): DedupRecord | undefined {
    const value = this.#isUsed ? this.#store.get(key) : undefined
    if (!value) return undefined
    const [fingerprint, offset, time, until] = value
    return { fingerprint, offset, time, until }
  }

  /** Some of those that count no more, longest first, each with the time at which it ceased to. */
  expired(now: number, limit: number): [key: string, until: number][] {
    if (!this.#isUsed) return []
    const range = this.#times.getRange({ end: now, limit })
    return [...range.map(({ key, value }): [string, number] => [value, key])]
  }

  put(key: string, { fingerprint, offset, time, until }: DedupRecord): void {
    this.#isUsed = true
    this.#store.put(key, [fingerprint, offset, time, until])
    this.#write(this.#times.put(until, key))
  }

  /** Removes what `expired` named; where the key has been put again since, only the old time. */
  remove(key: string, until: number): void {
    this.#write(this.#times.remove(until, key))
    if (this.#store.get(key)?.[3] === until) this.#store.remove(key)
  }

  /** As in LmdbStore: the batch succeeds or fails as a whole. */
  #write(_: Promise<boolean>): void {}
}
