// Becomes the writer of a run, or ends one instead of its writer. Each is an append after the newest update, so of two callers one succeeds.
import type { Chunk } from '../chunks.ts'
import { RunError } from '../errors.ts'
import { type EndStatus, endTypeOf, isDeletion, lastData, type RunTopics } from '../names.ts'
import { type Tip, tipOf } from '../status.ts'
import type { Store } from '../stores/store.ts'
import { Chain } from './chain.ts'
import { stateOf } from './writer.ts'

export interface ClaimOptions {
  /** Whether to append to what another writer left behind. */
  readonly continue?: boolean | undefined
  /** Whether a run that was deleted may begin again. */
  readonly afterDeletion?: boolean
}

export class Claims {
  readonly #store: Store
  readonly #isPrivate: boolean
  readonly #leaseMs: number

  constructor(store: Store, isPrivate: boolean, leaseMs: number) {
    this.#store = store
    this.#isPrivate = isPrivate
    this.#leaseMs = leaseMs
  }

  /**
   * Becomes the one writer of the run. A new run costs no look at the history, which would be a search of all of it in a log in memory.
   * @throws RunError `exists`, `taken_over`, or `stopped` if somebody has stopped the run
   */
  async claim(topics: RunTopics, options: ClaimOptions): Promise<Chain> {
    const tip = options.continue ? await this.#tipToContinue(topics) : undefined
    try {
      return await this.#claimAfter(tip?.id, topics)
    } catch (error) {
      if (tip || !isTakenOver(error)) throw error
      const current = await this.#tipOf(topics)
      if (options.afterDeletion && current.isDeleted) return this.#claimAfter(current.id, topics)
      throw existing(current.end)
    }
  }

  /** @throws RunError `taken_over` if something was appended after the tip */
  async endAfter(tip: Tip, topics: RunTopics, status: EndStatus, chunks: readonly Chunk[] = []): Promise<void> {
    const end = { data: lastData, type: endTypeOf(status), end: true }
    await this.#chainAfter(tip.id, topics).append('chunks', [...chunks, end])
  }

  /** Ends a run, also while its writer appends. False if there is nothing to end. */
  async end(topics: RunTopics, status: EndStatus, chunks: readonly Chunk[] = []): Promise<boolean> {
    const tip = await this.#tipOf(topics)
    if (tip.id === undefined || tip.isDeleted || tip.end) return false
    try {
      await this.endAfter(tip, topics, status, chunks)
      return true
    } catch (error) {
      if (!isTakenOver(error)) throw error
      return this.end(topics, status, chunks)
    }
  }

  /** Ends a run, which keeps its writer from going on after the deletion, and deletes it. @throws RunError `deletion_disabled` */
  async delete(topics: RunTopics): Promise<void> {
    await this.end(topics, 'stopped')
    const { id, isDeleted } = await this.#tipOf(topics)
    if (id !== undefined && !isDeleted) await this.#store.delete([topics.chunks, topics.state, topics.stop])
  }

  async #claimAfter(id: string | undefined, topics: RunTopics): Promise<Chain> {
    // The text differs for each writer, so the hub accepts one of two that begin at the same time.
    const claim = { ...(JSON.parse(stateOf(this.#leaseMs)) as object), writer: crypto.randomUUID() }
    const chain = this.#chainAfter(id, topics)
    await chain.append('state', [{ data: JSON.stringify(claim) }])
    return chain
  }

  async #tipToContinue(topics: RunTopics): Promise<Tip> {
    const tip = await this.#tipOf(topics)
    if (tip.end) throw existing(tip.end)
    const { update: request } = await this.#store.newest([topics.stop])
    // The writer before has not obeyed.
    if (request && !isDeletion(request)) throw existing('stopped')
    return tip
  }

  #tipOf(topics: RunTopics): Promise<Tip> {
    return tipOf(this.#store, topics, this.#leaseMs)
  }

  #chainAfter(tip: string | undefined, topics: RunTopics): Chain {
    return new Chain({ store: this.#store, topics, isPrivate: this.#isPrivate }, tip)
  }
}

function existing(end: EndStatus | undefined): RunError {
  if (end === 'stopped') return new RunError('stopped', 'the run was stopped')
  if (end) return new RunError('exists', `the run has ended already, with "${end}"`)
  return new RunError('exists', 'the run has begun already; to append to it, use `continue`')
}

export function isTakenOver(error: unknown): boolean {
  return error instanceof RunError && error.code === 'taken_over'
}
