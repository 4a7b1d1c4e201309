// What this node knows of what retention removed, on whatever node: a copy of the traces in Redis, kept up to date by what each
// read brings along. It asks for nothing by itself.
import type { Trace } from './forgotten.ts'
import type { Filter } from './log.ts'

/** What is removed up to now, as Redis tells it. */
export interface Removed {
  readonly removals: number
  readonly floor: number
  readonly floorMark: number
  /** Traces that are new, or newer; oldest removal first. */
  readonly traces: readonly MarkedTrace[]
}

export interface MarkedTrace extends Trace {
  readonly key: string
  /** How many removals there had been. */
  readonly mark: number
}

const mostTraces = 10_000

export class RedisTraces {
  /** Whose removals these are: with another epoch, all begins anew. */
  epoch = ''
  /** Longest without a removal first. */
  readonly #traces = new Map<string, MarkedTrace>()
  #floor = 0
  #floorMark = 0
  #removals = 0

  /** Up to how many removals the traces are known. */
  get removals(): number {
    return this.#removals
  }

  learn(epoch: string, { removals, floor, floorMark, traces }: Removed): void {
    if (epoch !== this.epoch) this.#clear(epoch)
    // Reads are answered in order; one that knew less when it was sent brings some of them once more.
    for (const trace of traces) if (trace.mark > this.#removals) this.#note(trace)
    this.#removals = Math.max(this.#removals, removals)
    this.#floor = Math.max(this.#floor, floor)
    this.#floorMark = Math.max(this.#floorMark, floorMark)
  }

  /** Whether an entry that the filter admits may have been removed after this offset, since there were so many removals. */
  lost(after: number, filter: Filter, since = 0): boolean {
    if (since > 0 && since >= this.#removals) return false
    if (after < this.#floor && (since === 0 || this.#floorMark > since)) return true
    for (const { topics, isPrivate, offset, mark } of this.#traces.values()) {
      if (mark > since && offset > after && filter.admits(topics, isPrivate)) return true
    }
    return false
  }

  #note(trace: MarkedTrace): void {
    this.#traces.delete(trace.key)
    this.#traces.set(trace.key, trace)
    // Redis has let go of the same ones, and raised the floor.
    for (const key of this.#traces.keys()) {
      if (this.#traces.size <= mostTraces) return
      this.#traces.delete(key)
    }
  }

  #clear(epoch: string): void {
    this.epoch = epoch
    this.#traces.clear()
    this.#floor = this.#floorMark = this.#removals = 0
  }
}
