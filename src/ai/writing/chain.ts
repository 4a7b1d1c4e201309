// The appends of one writer, one after the other. The idempotency key of each is the id of the newest update of the run, so of two
// writers that append after the same update, the hub accepts the first, and the other one learns that the run was taken over.
import type { RunTopics } from '../names.ts'
import type { NewUpdate, Store } from '../stores/store.ts'

export interface ChainOptions {
  readonly store: Store
  readonly topics: RunTopics
  readonly isPrivate: boolean
}

/** An update without its topic. */
export type Link = Pick<NewUpdate, 'id' | 'data' | 'type' | 'end'>

export class Chain {
  readonly #options: ChainOptions
  /** The id of the newest update of the run; undefined if it has none. */
  #tip: string | undefined
  #last: Promise<void> = Promise.resolve()
  /** When something was appended, on the monotonic clock. */
  appendedAt = performance.now()

  constructor(options: ChainOptions, tip: string | undefined) {
    this.#options = options
    this.#tip = tip
  }

  /** Appends after everything before is appended. @throws RunError `taken_over`, or the errors of the hub */
  append(topic: 'chunks' | 'state', links: readonly Link[]): Promise<void> {
    const appended = this.#last.then(() => this.#append(topic, links))
    this.#last = appended.catch(() => {})
    return appended
  }

  async #append(topic: 'chunks' | 'state', links: readonly Link[]): Promise<void> {
    const { store, topics, isPrivate } = this.#options
    const updates = links.map((link) => ({ ...link, topics: [topics[topic]], ...(isPrivate && { private: true }) }))
    const ids = await store.append(updates, `${topics.chunks} after ${this.#tip ?? 'nothing'}`)
    this.#tip = ids.at(-1) as string
    this.appendedAt = performance.now()
  }
}
