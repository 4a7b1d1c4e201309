// What a subscriber wants to receive and may read: compiled once for all subscribers with the same interest.
import type { Filter } from '../log/log.ts'
import { Selection, type Selector } from '../topics/matcher.ts'
import type { Encoding } from './delivery/frame.ts'
import { isRevocation } from './revocation/topics.ts'

export interface InterestOptions {
  /** The topics to receive. */
  readonly topics: readonly Selector[]
  /** The topics whose private updates may be read. */
  readonly readable: readonly Selector[]
  readonly encoding: Encoding
}

export class Interest implements Filter {
  /** Equal for equal interests. */
  readonly key: string
  readonly encoding: Encoding
  /** The topics, if it wants only exact ones. */
  readonly topics: readonly string[] | undefined
  readonly #wanted: Selection
  readonly #readable: Selection

  constructor({ topics, readable, encoding }: InterestOptions) {
    this.#wanted = new Selection(topics)
    this.#readable = new Selection(readable)
    this.encoding = encoding
    this.topics = this.#wanted.topics
    this.key = JSON.stringify([encoding, this.#wanted.key, this.#readable.key])
  }

  get selectors(): readonly Selector[] {
    return this.#wanted.selectors
  }

  /** The topics whose private updates may be read. */
  get readable(): readonly Selector[] {
    return this.#readable.selectors
  }

  /** Equal for equal rights. */
  get readableKey(): string {
    return JSON.stringify(this.#readable.key)
  }

  admits(topics: readonly string[], isPrivate: boolean): boolean {
    return this.mayRead(topics, isPrivate) && this.#wanted.coversAny(topics)
  }

  /** Whether an update with these topics may be read: a private one by those who may read any of its topics, and a revocation by nobody. */
  mayRead(topics: readonly string[], isPrivate: boolean): boolean {
    return !isPrivate || (this.#readable.coversAny(topics) && !isRevocation(topics))
  }
}
