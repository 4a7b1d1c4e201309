// Remembers what retention removed, not the entries but which topics they had, so that a reader who comes back late is told
// of a gap when one of his own entries is gone, and not because of someone else's. It knows no log.
import type { Filter } from '../log.ts'

/** The newest entry that was removed of those with the same topics. */
export interface Tombstone {
  readonly topics: readonly string[]
  readonly isPrivate: boolean
  readonly offset: number
}

const maxTombstones = 10_000
const maxKey = 1_024

/** What traces of the same topics have in common; undefined where it is too long to be remembered. */
export function tombstoneKey(topics: readonly string[], isPrivate: boolean): string | undefined {
  const key = `${isPrivate ? 1 : 0}${topics.length === 1 ? topics[0] : JSON.stringify(topics)}`
  return key.length > maxKey ? undefined : key
}

/** The newest removed entry of each set of topics; what does not fit is remembered as "anything up to here". */
export class RemovalIndex {
  /** Longest without a removal first. */
  readonly #tombstones = new Map<string, Tombstone>()
  #removedThrough = 0
  #newest = 0
  #removals = 0
  /** How many removals there had been when the floor was raised last. */
  #removedThroughCount = 0
  /** How many removals there had been at the newest of each trace. */
  readonly #counts = new Map<string, number>()

  /** Up to this offset, an entry of any topic may have been removed. */
  get removedThrough(): number {
    return this.#removedThrough
  }

  /** How many removals there have been since the process began. */
  get removals(): number {
    return this.#removals
  }

  /** Notes a removal, in any order. Answers the key of a trace that had to make room, if one had to. */
  add(topics: readonly string[], isPrivate: boolean, offset: number): string | undefined {
    this.#newest = Math.max(this.#newest, offset)
    this.#removals++
    const key = tombstoneKey(topics, isPrivate)
    if (key === undefined) {
      this.raiseRemovedThrough(offset)
      return undefined
    }
    const known = this.#tombstones.get(key)?.offset ?? 0
    this.#tombstones.delete(key)
    this.#tombstones.set(key, { topics, isPrivate, offset: Math.max(known, offset) })
    this.#counts.set(key, this.#removals)
    return this.#tombstones.size > maxTombstones ? this.#dropOldest() : undefined
  }

  /** From now on, an entry of any topic may have been removed up to this offset. */
  raiseRemovedThrough(removedThrough: number): void {
    this.#removedThrough = Math.max(this.#removedThrough, removedThrough)
    this.#removedThroughCount = this.#removals
  }

  /** Whether an entry that the filter admits may have been removed after this offset, by one of these removals. */
  lost(after: number, filter: Filter, { removalsSeen = 0, until = Infinity } = {}): boolean {
    if (removalsSeen > 0 && removalsSeen >= this.#removals) return false
    const isAmong = (mark: number) => (removalsSeen === 0 || mark > removalsSeen) && mark <= until
    if (after < this.#removedThrough && isAmong(this.#removedThroughCount)) return true
    if (after >= this.#newest) return false
    for (const [key, { topics, isPrivate, offset }] of this.#tombstones) {
      if (isAmong(this.#counts.get(key) ?? 0) && offset > after && filter.admits(topics, isPrivate)) return true
    }
    return false
  }

  #dropOldest(): string | undefined {
    for (const [key, { offset }] of this.#tombstones) {
      this.raiseRemovedThrough(offset)
      this.#tombstones.delete(key)
      this.#counts.delete(key)
      return key
    }
    return undefined
  }
}
