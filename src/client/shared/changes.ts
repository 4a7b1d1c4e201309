// The changes of a member's topics: one after the other, each confirmed or refused by the leader.
import { RefusedError } from '../errors.ts'
import { applied, type TopicChange } from '../stream/event-stream.ts'

interface Pending {
  readonly topics: readonly string[]
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

export class Changes {
  /** The confirmed topics. */
  topics: readonly string[]
  /** Grows with each change. */
  version = 0
  #pending: Pending | undefined
  #last: Promise<unknown> = Promise.resolve()
  #reason: Error | undefined

  constructor(topics: readonly string[]) {
    this.topics = topics
  }

  /** The topics, including those of a change that is not confirmed. */
  get wanted(): readonly string[] {
    return this.#pending?.topics ?? this.topics
  }

  /** @param send asks the leader for `wanted` */
  make(change: TopicChange, send: () => void): Promise<void> {
    const made = this.#last.then(() => {
      if (this.#reason) throw this.#reason
      const topics = applied(this.topics, change)
      if (topics.length === 0) throw new RefusedError(0, 'selector_missing', 'at least one topic has to remain')
      this.version++
      return new Promise<void>((resolve, reject) => {
        this.#pending = { topics, resolve, reject }
        send()
      })
    })
    this.#last = made.catch(() => {})
    return made
  }

  confirm(): void {
    const pending = this.#pending
    this.#pending = undefined
    if (!pending) return
    this.topics = pending.topics
    pending.resolve()
  }

  /** Returns whether there was a change to refuse. */
  refuse(error: Error): boolean {
    const pending = this.#pending
    this.#pending = undefined
    pending?.reject(error)
    return pending !== undefined
  }

  /** No further change can be made. */
  end(reason: Error): void {
    this.#reason = reason
    this.refuse(reason)
  }
}
