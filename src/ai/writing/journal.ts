// A run as a list of entries with ids of its writer, for interfaces that append without a stream.
import { RunError } from '../errors.ts'
import { endStatusOf, endTypeOf, lastData } from '../names.ts'
import type { StoredUpdate } from '../stores/store.ts'
import { Chain, type ChainOptions } from './chain.ts'

export interface JournalEntry {
  readonly id: string
  readonly data: string
}

export interface Snapshot {
  readonly entries: readonly JournalEntry[]
  readonly isComplete: boolean
  /** Where `follow` continues. */
  readonly lastEventId: string
}

export class Journal {
  readonly #options: ChainOptions
  #chain: Promise<Chain> | undefined

  constructor(options: ChainOptions) {
    this.#options = options
  }

  /** @throws RunError `exists` if the run is complete, `taken_over` if another writer has appended since this one began */
  async append(entries: readonly JournalEntry[]): Promise<void> {
    this.#chain ??= this.#begin()
    await (await this.#chain).append('chunks', entries)
  }

  /** Completes the run. A run that is complete stays as it is. */
  async close(): Promise<void> {
    try {
      this.#chain ??= this.#begin()
      await (await this.#chain).append('chunks', [{ data: lastData, type: endTypeOf('done'), end: true }])
    } catch (error) {
      if (!(await this.snapshot()).isComplete) throw error
    }
  }

  /** What is stored at the time of the call. */
  async snapshot(): Promise<Snapshot> {
    const { store, topics } = this.#options
    const { updates, lastEventId } = await store.history(topics.chunks)
    const entries = updates.filter((update) => !isEnd(update))
    return { entries, isComplete: entries.length < updates.length, lastEventId }
  }

  /** What is appended after a snapshot, until the run is complete, or with the signal. */
  async *follow(from: string, signal: AbortSignal): AsyncGenerator<JournalEntry, void> {
    const { store, topics } = this.#options
    for await (const update of store.follow({ topics: [topics.chunks], from, signal })) {
      if (isEnd(update)) return
      yield update
    }
  }

  async #begin(): Promise<Chain> {
    const { store, topics } = this.#options
    const { update } = await store.newest([topics.chunks, topics.state])
    if (update && isEnd(update)) throw new RunError('exists', 'the run is complete')
    return new Chain(this.#options, update?.id)
  }
}

function isEnd({ type }: StoredUpdate): boolean {
  return endStatusOf(type) !== undefined
}
