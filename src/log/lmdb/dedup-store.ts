// Deduplication keys in LMDB: records by key, and keys by the time at which they expire. Writes belong to the batch in progress.
import type { Database } from 'lmdb'
import type { DedupRecord } from '../dedup/append.ts'
import { LmdbValues, type Values } from './values.ts'

type Value = [fingerprint: string, offset: number, time: number, until: number]

export class LmdbDedupStore {
  readonly #store: LmdbValues<Value, string>
  readonly #times: Database<string, number>
  /** Whether there may be keys: a log without them pays nothing. */
  #isUsed: boolean

  constructor(values: Values) {
    this.#store = new LmdbValues(values, 'once')
    this.#times = values.root.openDB({ name: 'once-until', encoding: 'ordered-binary', dupSort: true })
    this.#isUsed = [...this.#store.keys.getKeys({ limit: 1 })].length > 0
  }

  /** The record of a key, which may have expired. */
  find(key: string): DedupRecord | undefined {
    const value = this.#isUsed ? this.#store.get(key) : undefined
    if (!value) return undefined
    const [fingerprint, offset, time, until] = value
    return { fingerprint, offset, time, until }
  }

  /** Some expired keys, oldest first, each with the time at which it expired. */
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

  /** Removes keys that `expired` returned. Of a key that was stored again since, only the old time is removed. */
  remove(key: string, until: number): void {
    this.#write(this.#times.remove(until, key))
    if (this.#store.get(key)?.[3] === until) this.#store.remove(key)
  }

  /** As in LmdbStore: the batch succeeds or fails as a whole. */
  #write(_: Promise<boolean>): void {}
}
