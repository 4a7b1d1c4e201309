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
  #removals = 0
  /** How many removals there had been when the floor was raised last. */
  #floorMark = 0
  /** How many removals there had been at the newest of each trace. */
  readonly #marks = new Map<string, number>()

  /** Up to this offset, an entry of any topic may have been removed. */
  get floor(): number {
    return this.#floor
  }

  /** How many removals there have been since the process began. */
  get removals(): number {
    return this.#removals
  }

  /** Notes a removal, in any order. Answers the key of a trace that had to make room, if one had to. */
  note(topics: readonly string[], isPrivate: boolean, offset: number): string | undefined {
    this.#newest = Math.max(this.#newest, offset)
    this.#removals++
    const key = traceKey(topics, isPrivate)
    if (key === undefined) {
      this.raise(offset)
      return undefined
    }
    const known = this.#traces.get(key)?.offset ?? 0
    this.#traces.delete(key)
    this.#traces.set(key, { topics, isPrivate, offset: Math.max(known, offset) })
    this.#marks.set(key, this.#removals)
    return this.#traces.size > mostTraces ? this.#dropOldest() : undefined
  }

  /** From now on, an entry of any topic may have been removed up to this offset. */
  raise(floor: number): void {
    this.#floor = Math.max(this.#floor, floor)
    this.#floorMark = this.#removals
  }

  /** Whether an entry that the filter admits may have been removed after this offset, by one of these removals. */
  lost(after: number, filter: Filter, { since = 0, until = Infinity } = {}): boolean {
    if (since > 0 && since >= this.#removals) return false
    const isAmong = (mark: number) => (since === 0 || mark > since) && mark <= until
    if (after < this.#floor && isAmong(this.#floorMark)) return true
    if (after >= this.#newest) return false
    for (const [key, { topics, isPrivate, offset }] of this.#traces) {
      if (isAmong(this.#marks.get(key) ?? 0) && offset > after && filter.admits(topics, isPrivate)) return true
    }
    return false
  }

  #dropOldest(): string | undefined {
    for (const [key, { offset }] of this.#traces) {
      this.raise(offset)
      this.#traces.delete(key)
      this.#marks.delete(key)
      return key
    }
    return undefined
  }
}
