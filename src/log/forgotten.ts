// Remembers what retention removed, not the entries but which topics they had, so that a reader who comes back late is told
// of a gap when one of his own entries is gone, and not because of someone else's. It knows no log.
import type { Filter } from './log.ts'

/** The newest entry that was removed of those with the same topics. */
export interface Trace {
  readonly topics: readonly string[]
  readonly isPrivate: boolean
  readonly offset: number
}

const mostTraces = 10_000
const longestKey = 1_024

/** What traces of the same topics have in common; undefined where it is too long to be remembered. */
export function traceKey(topics: readonly string[], isPrivate: boolean): string | undefined {
  const key = `${isPrivate ? 1 : 0}${topics.length === 1 ? topics[0] : JSON.stringify(topics)}`
  return key.length > longestKey ? undefined : key
}

/** The newest removed entry of each set of topics; what does not fit is remembered as "anything up to here". */
export class Forgotten {
  /** Longest without a removal first. */
  readonly #traces = new Map<string, Trace>()
  #floor = 0
  #newest = 0

  /** Up to this offset, an entry of any topic may have been removed. */
  get floor(): number {
    return this.#floor
  }

  /** Notes a removal, in any order. Answers the key of a trace that had to make room, if one had to. */
  note(topics: readonly string[], isPrivate: boolean, offset: number): string | undefined {
    this.#newest = Math.max(this.#newest, offset)
    const key = traceKey(topics, isPrivate)
    if (key === undefined) {
      this.raise(offset)
      return undefined
    }
    const known = this.#traces.get(key)?.offset ?? 0
    this.#traces.delete(key)
    this.#traces.set(key, { topics, isPrivate, offset: Math.max(known, offset) })
    return this.#traces.size > mostTraces ? this.#dropOldest() : undefined
  }

  /** From now on, an entry of any topic may have been removed up to this offset. */
  raise(floor: number): void {
    this.#floor = Math.max(this.#floor, floor)
  }

  /** Whether an entry that the filter admits may have been removed after this offset. */
  lost(after: number, filter: Filter): boolean {
    if (after < this.#floor) return true
    if (after >= this.#newest) return false
    for (const { topics, isPrivate, offset } of this.#traces.values()) {
      if (offset > after && filter.admits(topics, isPrivate)) return true
    }
    return false
  }

  #dropOldest(): string | undefined {
    for (const [key, { offset }] of this.#traces) {
      this.raise(offset)
      this.#traces.delete(key)
      return key
    }
    return undefined
  }
}
