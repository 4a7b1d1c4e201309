// Remembers what retention removed, not the entries but which topics they had, so that a reader who comes back late is told
// of a gap when one of his own entries is gone, and not because of someone else's. It knows no log.
import type { Filter } from './log.ts'

interface Trace {
  readonly topics: readonly string[]
  readonly isPrivate: boolean
  readonly offset: number
}

const mostTraces = 10_000
const longestKey = 1_024

/** The newest removed entry of each set of topics; what does not fit is remembered as "anything up to here". */
export class Forgotten {
  /** Oldest removal first. */
  readonly #traces = new Map<string, Trace>()
  /** Up to this offset, an entry of any topic may have been removed. */
  #floor = 0

  /** Notes a removal. Offsets must come in rising order. */
  note(topics: readonly string[], isPrivate: boolean, offset: number): void {
    const key = `${isPrivate ? 1 : 0}${topics.length === 1 ? topics[0] : JSON.stringify(topics)}`
    if (key.length > longestKey) {
      this.#floor = offset
      this.#traces.clear()
      return
    }
    this.#traces.delete(key)
    this.#traces.set(key, { topics, isPrivate, offset })
    if (this.#traces.size > mostTraces) this.#dropOldest()
  }

  /** Whether an entry that the filter admits may have been removed after this offset. */
  lost(after: number, filter: Filter): boolean {
    if (after < this.#floor) return true
    for (const { topics, isPrivate, offset } of this.#traces.values()) {
      if (offset > after && filter.admits(topics, isPrivate)) return true
    }
    return false
  }

  #dropOldest(): void {
    for (const [key, { offset }] of this.#traces) {
      this.#floor = offset
      this.#traces.delete(key)
      return
    }
  }
}
