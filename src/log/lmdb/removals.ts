// The removal index of an LmdbLog: removals that are committed, and those of the commit in progress, whose entries may still be read.

import type { Filter } from '../log.ts'
import { RemovalIndex, type RemovalUpdate, type Tombstone } from '../retention/removal-index.ts'

export class LmdbRemovals {
  readonly #index = new RemovalIndex()
  /** The number of committed removals. */
  #removals: number

  /** @param traces stored tombstones, in any order @param floor the stored `removedThrough` */
  constructor(tombstones: Iterable<Tombstone>, floor: number) {
    this.#index.raiseRemovedThrough(floor)
    this.add([...tombstones].sort((a, b) => a.offset - b.offset))
    this.#removals = this.#index.removals
  }

  get removals(): number {
    return this.#removals
  }

  get floor(): number {
    return this.#index.removedThrough
  }

  /** What is new after a number of removals, including those in progress. */
  since(removals: number): RemovalUpdate {
    return this.#index.since(removals)
  }

  /**
   * Whether an entry after an offset may be missing to a reader of the file, whatever its filter. A reader that saw the newest commit misses
   * nothing that a commit in progress removes.
   */
  mayLack(after: number, isNewest: boolean, removalsSeen: number | undefined): boolean {
    const seen = isNewest ? { until: this.#removals } : {}
    return this.#index.lost(after, { admits: () => true }, removalsSeen === undefined ? seen : { removalsSeen })
  }

  /** Records removals before their commit: a reader may miss the entries before we learn of the commit. Returns the keys of dropped tombstones. */
  add(tombstones: readonly Tombstone[]): (string | undefined)[] {
    return tombstones.map(({ topics, isPrivate, offset }) => this.#index.add(topics, isPrivate, offset))
  }

  /** The recorded removals are committed. */
  settle(): void {
    this.#removals = this.#index.removals
  }

  /** Without `removalsSeen`, only committed removals count. A reader that continues must also learn of those in progress. */
  lost(after: number, filter: Filter, removalsSeen: number | undefined): boolean {
    return this.#index.lost(after, filter, removalsSeen === undefined ? { until: this.#removals } : { removalsSeen })
  }
}
