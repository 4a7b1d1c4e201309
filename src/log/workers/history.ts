// How a worker reads history, and its copy of the primary's removal index.
import type { Entry, Filter, Log, Page, PageLimit } from '../log.ts'
import { RemovalIndex } from '../retention/removal-index.ts'
import { decodeRemovals, type WireRemovals, type WireState } from './protocol.ts'

/** The reading part of a log. */
export interface History {
  read(after: number, filter: Filter, limit: PageLimit, removalsSeen?: number): Promise<Page>
  newest(filter: Filter, count: number): Promise<number>
  ends(topics: readonly string[]): Promise<readonly (Entry | undefined)[]>
  /** The oldest entry with an id of a publisher. */
  locate(id: string): Promise<number | undefined>
  close(): Promise<void>
}

/** The state of the log in this worker, in step with the batches. */
export class View implements Pick<Log, 'epoch' | 'head' | 'first' | 'removals' | 'hasEnds'> {
  epoch = ''
  state: WireState = [0, 1, 0, false, false]
  /** The number of deletions that were delivered. */
  deletions = 0

  get head(): number {
    return this.state[0]
  }

  get first(): number {
    return this.state[1]
  }

  get removals(): number {
    return this.state[2]
  }

  get hasEnds(): boolean {
    return this.state[3]
  }

  /** Whether the primary's log is ready. */
  get isReady(): boolean {
    return this.state[4]
  }
}

/** It is brought up to date only by reads that may have lost something. */
export class RemovalReplica {
  readonly #index = new RemovalIndex()

  replicate(removals: WireRemovals): void {
    this.#index.replicate(decodeRemovals(removals))
  }

  /** @param until removals that count where no `removalsSeen` is given */
  lost(after: number, filter: Filter, removalsSeen: number | undefined, until: number): boolean {
    return this.#index.lost(after, filter, removalsSeen === undefined ? { until } : { removalsSeen })
  }
}
