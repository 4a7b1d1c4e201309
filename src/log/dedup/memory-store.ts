// What a log in memory remembers so that it is not appended twice. It knows no update.
import type { DedupRecord, DedupStore } from './append.ts'

/** Keys that are remembered at a time; beyond that, the oldest are forgotten before their time. */
const maxKeys = 1_000_000
/** Keys that are forgotten in one go, so that nobody waits for a million of them. */
const maxForgotten = 1_000

/** What a log in memory remembers. */
export class MemoryDedupStore implements DedupStore {
  /** Longest remembered first. */
  readonly #store = new Map<string, DedupRecord>()
  /** One iterator for long: each that is begun anew would pass over all that was deleted. */
  #places = this.#store.entries()
  #oldest: [string, DedupRecord] | undefined
  #now = 0

  find(key: string): DedupRecord | undefined {
    const record = this.#store.get(key)
    return record && record.until > this.#now ? record : undefined
  }

  add(key: string, record: DedupRecord): void {
    // A key that was forgotten and is used again is among the newest.
    this.#store.delete(key)
    this.#store.set(key, record)
    while (this.#store.size > maxKeys) this.#forget(this.#look() as [string, DedupRecord])
  }

  /** What has had its time counts no more from now on, and gives its place back bit by bit. */
  expire(now: number): void {
    this.#now = now
    for (let budget = maxForgotten; budget > 0 && this.#store.size > 0; budget--) {
      const oldest = this.#look()
      if (!oldest || oldest[1].until > now) return
      this.#forget(oldest)
    }
  }

  #look(): [string, DedupRecord] | undefined {
    if (this.#oldest) return this.#oldest
    let next = this.#places.next()
    if (next.done) {
      this.#places = this.#store.entries()
      next = this.#places.next()
    }
    this.#oldest = next.value
    return this.#oldest
  }

  #forget([key, record]: [string, DedupRecord]): void {
    this.#oldest = undefined
    if (this.#store.get(key) === record) this.#store.delete(key)
  }
}
