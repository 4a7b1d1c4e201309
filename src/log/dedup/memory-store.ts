// Deduplication keys in memory.
import type { DedupRecord, DedupStore } from './append.ts'

/** Keys that are kept at most; beyond that, the oldest are dropped before they expire. */
const maxKeys = 1_000_000
/** Expired keys that one call removes, so that an append never waits for a million of them. */
const maxForgotten = 1_000

export class MemoryDedupStore implements DedupStore {
  /** Oldest first. */
  readonly #store = new Map<string, DedupRecord>()
  /** One iterator for many calls: a new one would have to skip all deleted keys. */
  #places = this.#store.entries()
  #oldest: [string, DedupRecord] | undefined
  #now = 0

  find(key: string): DedupRecord | undefined {
    const record = this.#store.get(key)
    return record && record.until > this.#now ? record : undefined
  }

  add(key: string, record: DedupRecord): void {
    // A key that expired and is used again becomes the newest.
    this.#store.delete(key)
    this.#store.set(key, record)
    while (this.#store.size > maxKeys) this.#forget(this.#look() as [string, DedupRecord])
  }

  /** Sets the time: expired keys are no longer found, and are removed in small steps. */
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
