// What an LmdbLog has removed, and from when on that counts: before a commit it may still be read. It removes nothing.

import type { Filter } from '../log.ts'
import { RemovalIndex, type Tombstone } from '../retention/removal-index.ts'

export class LmdbRemovals {
  readonly #forgotten = new RemovalIndex()
  /** Removals that are committed; what is only noted is yet to be lost. */
  #removals: number

  /** `traces` are those of earlier, in any order; `floor` as they were written with. */
  constructor(traces: Iterable<Tombstone>, floor: number) {
    this.#forgotten.raiseRemovedThrough(floor)
    this.note([...traces].sort((a, b) => a.offset - b.offset))
    this.#removals = this.#forgotten.removals
  }

  get removals(): number {
    return this.#removals
  }

  get floor(): number {
    return this.#forgotten.removedThrough
  }

  /** To be called before they are removed, for a reader may find them gone before we hear of it. Answers whose traces have to go. */
  note(traces: readonly Tombstone[]): (string | undefined)[] {
    return traces.map(({ topics, isPrivate, offset }) => this.#forgotten.add(topics, isPrivate, offset))
  }

  /** What was noted has been removed. */
  settle(): void {
    this.#removals = this.#forgotten.removals
  }

  /** Who asks whether anything is lost is told of what is; who reads on must not miss what is about to be. */
  lost(after: number, filter: Filter, removalsSeen: number | undefined): boolean {
    return this.#forgotten.lost(
      after,
      filter,
      removalsSeen === undefined ? { until: this.#removals } : { removalsSeen }
    )
  }
}
