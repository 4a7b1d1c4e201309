// What a stream has delivered so far, so that a replay leaves it out. A topic counts from when it was added, and anew when it was
// removed meanwhile.
import { compile, type Matcher, type Selector } from '../../topics/matcher.ts'
import type { Interest } from '../interest.ts'
import { meaningOf } from './change.ts'

/** Offsets after `after` and up to `through`. */
interface Span {
  readonly after: number
  readonly through: number
}

/** Where private updates of these rights were delivered. */
interface RightsSpan extends Span {
  readonly interest: Interest
}

/** Rights that are remembered. A replay over a time with older ones may repeat private updates. */
const maxRights = 16

export class Coverage {
  /** Where the stream began. */
  readonly #start: number
  /** Since when a selector is covered, for those that were added later. */
  readonly #since = new Map<string, number>()
  /** The rights that the stream has now, and since when. */
  #rights: RightsSpan
  #pastRights: RightsSpan[] = []

  constructor(start: number, interest: Interest) {
    this.#start = start
    this.#rights = { interest, after: start, through: Infinity }
  }

  /** What was delivered because of these selectors, which the stream has had and keeps. */
  of(kept: readonly Selector[]): Delivered {
    const since = (selector: Selector) => this.#since.get(meaningOf(selector)) ?? this.#start
    return new Delivered(new Map(kept.map((selector) => [selector, since(selector)])), [
      this.#rights,
      ...this.#pastRights
    ])
  }

  /** A selector is covered after this offset. */
  added(selector: Selector, after: number): void {
    this.#since.set(meaningOf(selector), after)
  }

  /** A selector that was removed is forgotten: a stream may add and remove any number of them. */
  removed(selector: Selector): void {
    this.#since.delete(meaningOf(selector))
  }

  /** An addition of one that it has, with a replay: never less than before. */
  extended(selector: Selector, after: number): void {
    const known = this.#since.get(meaningOf(selector)) ?? this.#start
    if (after < known) this.added(selector, after)
  }

  /** From this position on, the stream has the rights of this interest. What it may read after `replayedFrom` was delivered too. */
  readable(interest: Interest, position: number, replayedFrom: number): void {
    if (this.#rights.interest.readableKey !== interest.readableKey) {
      this.#remember({ ...this.#rights, through: position })
      this.#rights = { interest, after: position, through: Infinity }
    }
    if (replayedFrom < position) this.#remember({ interest, after: replayedFrom, through: position })
  }

  #remember(span: RightsSpan): void {
    this.#pastRights = [...this.#pastRights, span].slice(-maxRights)
  }
}

/** Answers whether a stream has delivered an update. */
export class Delivered {
  readonly #exact = new Map<string, number>()
  readonly #others: (readonly [Matcher, number])[] = []
  readonly #rights: readonly RightsSpan[]

  constructor(since: ReadonlyMap<Selector, number>, rights: readonly RightsSpan[]) {
    this.#rights = rights
    for (const [selector, after] of since) {
      const matcher = compile(selector)
      if (matcher.kind === 'exact') this.#exact.set(matcher.key, after)
      else this.#others.push([matcher, after])
    }
  }

  /** Whether the stream has wanted updates with these topics in the whole span, whether it could read them or not. */
  wanted(topics: readonly string[], { after }: Span): boolean {
    return topics.some((topic) => {
      const since = this.#exact.get(topic)
      if (since !== undefined && since <= after) return true
      return this.#others.some(([matcher, start]) => start <= after && matcher.matches(topic))
    })
  }

  /** Whether an update with these topics was delivered wherever in the span it is. */
  has(topics: readonly string[], isPrivate: boolean, span: Span): boolean {
    return this.wanted(topics, span) && (!isPrivate || this.#wasReadable(topics, span))
  }

  #wasReadable(topics: readonly string[], { after, through }: Span): boolean {
    return this.#rights.some((rights) => {
      return rights.after <= after && through <= rights.through && rights.interest.mayRead(topics, true)
    })
  }
}
