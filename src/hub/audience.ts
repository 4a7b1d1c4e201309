// The set of subscribers who asked for the same with the same rights, and the frames that await them. It knows who its
// members are, and not how they are written to.
import type { Filter } from '../log/log.ts'
import { Selection, type Selector } from '../topics/matcher.ts'
import { Batch, howMany } from './batch.ts'
import type { Encoding, Frame } from './frame.ts'
import type { Subscriber } from './subscriber.ts'

/** What makes subscribers equal. */
export interface Interest {
  /** Which topics they want. */
  readonly topics: readonly Selector[]
  /** Of which topics they may read private updates. */
  readonly readable: readonly Selector[]
  readonly encoding: Encoding
}

/** Subscribers with equal interests: matched once per entry, encoded once per sweep. */
export class Audience implements Filter {
  /** Equal for equal interests. */
  readonly key: string
  readonly encoding: Encoding
  readonly members = new Set<Subscriber>()
  readonly #wanted: Selection
  readonly #readable: Selection
  #pending: Frame[] = []
  #pendingBytes = 0

  constructor({ topics, readable, encoding }: Interest) {
    this.#wanted = new Selection(topics)
    this.#readable = new Selection(readable)
    this.encoding = encoding
    this.key = JSON.stringify([encoding, this.#wanted.key, this.#readable.key])
  }

  get selectors(): readonly Selector[] {
    return this.#wanted.selectors
  }

  get topics(): readonly string[] | undefined {
    return this.#wanted.topics
  }

  /** How many entries await the next sweep. */
  get pending(): number {
    return this.#pending.length
  }

  admits(topics: readonly string[], isPrivate: boolean): boolean {
    return this.mayRead(topics, isPrivate) && this.#wanted.coversAny(topics)
  }

  /** A private update reaches those who may read any of its topics. */
  mayRead(topics: readonly string[], isPrivate: boolean): boolean {
    return !isPrivate || this.#readable.coversAny(topics)
  }

  /** Adds to what awaits the next sweep, and answers how many bytes of entries that is by now. */
  push(frame: Frame): number {
    this.#pending.push(frame)
    this.#pendingBytes += frame.size
    return this.#pendingBytes
  }

  /** The oldest pending frames, up to about so many bytes; undefined when there are none. */
  take(bytes: number): Batch | undefined {
    if (this.#pending.length === 0) return undefined
    const frames = this.#pending.splice(0, howMany(this.#pending, this.encoding, bytes))
    for (const frame of frames) this.#pendingBytes -= frame.size
    return new Batch(frames, this.encoding)
  }

  /** Lets go of everything pending; whoever is live then has to catch up. */
  drop(): void {
    this.#pending = []
    this.#pendingBytes = 0
  }
}
