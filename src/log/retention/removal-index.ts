// Which topics had entries that retention removed. A reader gets a gap only when one of its own entries was removed.
import type { Filter } from '../log.ts'

/** The newest removed entry of those with the same topics. */
export interface Tombstone {
  readonly topics: readonly string[]
  readonly isPrivate: boolean
  readonly offset: number
}

/** A tombstone with the number of removals at its newest removal. */
export interface CountedTombstone extends Tombstone {
  readonly key: string
  readonly count: number
}

/** What another index knows, as far as it is news. */
export interface RemovalUpdate {
  readonly removals: number
  readonly removedThrough: number
  readonly removedThroughCount: number
  /** New and changed tombstones, oldest removal first. */
  readonly tombstones: readonly CountedTombstone[]
}

const maxTombstones = 10_000
const maxKey = 1_024

/** The key of a tombstone: its topics. Undefined when it is too long to be kept. */
export function tombstoneKey(topics: readonly string[], isPrivate: boolean): string | undefined {
  const key = `${isPrivate ? 1 : 0}${topics.length === 1 ? topics[0] : JSON.stringify(topics)}`
  return key.length > maxKey ? undefined : key
}

/** A tombstone for each set of topics. What does not fit is covered by `removedThrough`: any topic, up to an offset. */
export class RemovalIndex {
  /** The one without a removal for longest comes first. */
  readonly #tombstones = new Map<string, CountedTombstone>()
  #removedThrough = 0
  /** The number of removals when `removedThrough` changed last. */
  #removedThroughCount = 0
  /** The largest removed offset. */
  #newest = 0
  #removals = 0

  /** Up to this offset, entries of any topic may have been removed. */
  get removedThrough(): number {
    return this.#removedThrough
  }

  /** The number of removals in this process. */
  get removals(): number {
    return this.#removals
  }

  /** Records a removal, in any order. Returns the key of the tombstone that was dropped for it, if any. */
  add(topics: readonly string[], isPrivate: boolean, offset: number): string | undefined {
    this.#removals++
    const key = tombstoneKey(topics, isPrivate)
    if (key !== undefined) return this.#set({ key, topics, isPrivate, offset, count: this.#removals })
    this.raiseRemovedThrough(offset)
    return undefined
  }

  /** What is new after a number of removals, for `replicate`. */
  since(removals: number): RemovalUpdate {
    const isNew = removals < this.#removals
    return {
      removals: this.#removals,
      removedThrough: this.#removedThrough,
      removedThroughCount: this.#removedThroughCount,
      tombstones: isNew ? [...this.#tombstones.values()].filter(({ count }) => count > removals) : []
    }
  }

  /** Takes over what another index knows. An update that is older than the last one changes nothing. */
  replicate({ removals, removedThrough, removedThroughCount, tombstones }: RemovalUpdate): void {
    for (const tombstone of tombstones) if (tombstone.count > this.#removals) this.#set(tombstone)
    this.#removals = Math.max(this.#removals, removals)
    this.#removedThrough = Math.max(this.#removedThrough, removedThrough)
    this.#removedThroughCount = Math.max(this.#removedThroughCount, removedThroughCount)
  }

  /** Records that entries of any topic may have been removed up to this offset. */
  raiseRemovedThrough(removedThrough: number): void {
    this.#newest = Math.max(this.#newest, removedThrough)
    this.#removedThrough = Math.max(this.#removedThrough, removedThrough)
    this.#removedThroughCount = this.#removals
  }

  /** Whether one of these removals may have removed an entry after this offset that the filter admits. */
  lost(after: number, filter: Filter, { removalsSeen = 0, until = Infinity } = {}): boolean {
    if (removalsSeen > 0 && removalsSeen >= this.#removals) return false
    const isAmong = (count: number) => (removalsSeen === 0 || count > removalsSeen) && count <= until
    if (after < this.#removedThrough && isAmong(this.#removedThroughCount)) return true
    if (after >= this.#newest) return false
    for (const { topics, isPrivate, offset, count } of this.#tombstones.values()) {
      if (isAmong(count) && offset > after && filter.admits(topics, isPrivate)) return true
    }
    return false
  }

  #set(tombstone: CountedTombstone): string | undefined {
    const { key } = tombstone
    const offset = Math.max(tombstone.offset, this.#tombstones.get(key)?.offset ?? 0)
    this.#newest = Math.max(this.#newest, offset)
    this.#tombstones.delete(key)
    this.#tombstones.set(key, { ...tombstone, offset })
    return this.#tombstones.size > maxTombstones ? this.#dropOldest() : undefined
  }

  #dropOldest(): string | undefined {
    for (const [key, { offset }] of this.#tombstones) {
      this.raiseRemovedThrough(offset)
      this.#tombstones.delete(key)
      return key
    }
    return undefined
  }
}
