// What this node knows of the entries that retention removed, on whatever node: a copy of the traces in Redis, kept up to date
// by each read.
import type { Trace } from '../forgotten.ts'
import type { Filter } from '../log.ts'
import type { LogState } from './codec.ts'

export interface CountedTrace extends Trace {
  readonly key: string
  /** How many removals there had been. */
  readonly count: number
}

const maxTraces = 10_000

export class RemovalTraces {
  /** The epoch of the traces: with another one, all start over. */
  epoch = ''
  /** The one without a removal for longest comes first. */
  readonly #traces = new Map<string, CountedTrace>()
  #removedThrough = 0
  #removedThroughCount = 0
  #removals = 0

  /** Up to how many removals the traces are known. */
  get removals(): number {
    return this.#removals
  }

  /** Takes over new traces, oldest removal first. */
  learn(state: LogState, traces: readonly CountedTrace[]): void {
    if (state.epoch !== this.epoch) this.#clear(state.epoch)
    // Reads are answered in order; one that knew less when it was sent returns some of them again.
    for (const trace of traces) if (trace.count > this.#removals) this.#note(trace)
    this.#removals = Math.max(this.#removals, state.removals)
    this.#removedThrough = Math.max(this.#removedThrough, state.removedThrough)
    this.#removedThroughCount = Math.max(this.#removedThroughCount, state.removedThroughCount)
  }

  /** Whether an entry that the filter admits may have been removed after this offset, since there were so many removals. */
  lost(after: number, filter: Filter, since = 0): boolean {
    if (since > 0 && since >= this.#removals) return false
    if (after < this.#removedThrough && (since === 0 || this.#removedThroughCount > since)) return true
    for (const { topics, isPrivate, offset, count } of this.#traces.values()) {
      if (count > since && offset > after && filter.admits(topics, isPrivate)) return true
    }
    return false
  }

  #note(trace: CountedTrace): void {
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
