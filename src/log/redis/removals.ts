// What this node knows of the entries that retention removed, on whatever node: a copy of the traces in Redis, kept up to date
// by each read.

import type { Filter } from '../log.ts'
import type { CountedTombstone, LogState } from './codec.ts'

const maxTraces = 10_000

export class RemovalTraces {
  /** The epoch of the traces: with another one, all start over. */
  epoch = ''
  /** The one without a removal for longest comes first. */
  readonly #traces = new Map<string, CountedTombstone>()
  #removedThrough = 0
  #removedThroughCount = 0
  #removals = 0

  /** Up to how many removals the traces are known. */
  get removals(): number {
    return this.#removals
  }

  /** Takes over new traces, oldest removal first. */
  learn(state: LogState, traces: readonly CountedTombstone[]): void {
    if (state.epoch !== this.epoch) this.#clear(state.epoch)
    // Reads are answered in order; one that knew less when it was sent returns some of them again.
    for (const trace of traces) if (trace.count > this.#removals) this.#note(trace)
    this.#removals = Math.max(this.#removals, state.removals)
    this.#removedThrough = Math.max(this.#removedThrough, state.removedThrough)
    this.#removedThroughCount = Math.max(this.#removedThroughCount, state.removedThroughCount)
  }

  /** Whether an entry that the filter admits may have been removed after this offset, since there were so many removals. */
  lost(after: number, filter: Filter, removalsSeen = 0): boolean {
    if (removalsSeen > 0 && removalsSeen >= this.#removals) return false
    if (after < this.#removedThrough && (removalsSeen === 0 || this.#removedThroughCount > removalsSeen)) return true
    for (const { topics, isPrivate, offset, count } of this.#traces.values()) {
      if (count > removalsSeen && offset > after && filter.admits(topics, isPrivate)) return true
    }
    return false
  }

  #note(trace: CountedTombstone): void {
    this.#traces.delete(trace.key)
    this.#traces.set(trace.key, trace)
    // Redis has dropped the same ones, and raised `removedThrough`.
    for (const key of this.#traces.keys()) {
      if (this.#traces.size <= maxTraces) return
      this.#traces.delete(key)
    }
  }

  #clear(epoch: string): void {
    this.epoch = epoch
    this.#traces.clear()
    this.#removedThrough = this.#removedThroughCount = this.#removals = 0
  }
}
