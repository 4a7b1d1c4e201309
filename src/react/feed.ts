// One subscription that several hooks may follow, and the newest updates that it has received.
import type { Deletion, Parse, State, Subscription, Update } from '../client/index.ts'
import { withoutDeleted } from './deletion.ts'

/** Where a feed begins: after an id, with the newest N updates, or, if both are undefined, with new updates. */
export interface Start {
  readonly from: string | undefined
  readonly last: number | undefined
}

/** What a hook follows. */
export interface FeedSpec<T> {
  readonly topics: readonly string[]
  /** The same for equal topics. */
  readonly key: string
  readonly parse: Parse<T>
  readonly start: Start
  /** How many of the newest updates are kept. */
  readonly limit: number
}

export class Feed<T> {
  readonly subscription: Subscription<T>
  /** Whether an update or a deletion has replaced what the page was rendered with. */
  hasReplacedInitial = false
  readonly #spec: FeedSpec<T>
  readonly #listeners = new Set<() => void>()
  #kept: readonly Update<T>[] = []
  #added: Update<T>[] = []
  #hasReceived = false

  /** @param onState called when the state of the subscription has changed */
  constructor(spec: FeedSpec<T>, subscription: Subscription<T>, onState: () => void) {
    this.#spec = spec
    this.subscription = subscription
    subscription.on('update', (update) => this.#add(update))
    subscription.on('deleted', (deletion) => this.#delete(deletion))
    for (const type of ['gap', 'ended'] as const) subscription.on(type, () => this.#received())
    subscription.on('state', onState)
  }

  get state(): State {
    return this.subscription.state
  }

  /** The newest updates, oldest first. The same array until something changes. */
  get updates(): readonly Update<T>[] {
    if (this.#added.length > 0) {
      this.#kept = [...this.#kept, ...this.#added].slice(-this.#spec.limit)
      this.#added = []
    }
    return this.#kept
  }

  get isFollowed(): boolean {
    return this.#listeners.size > 0
  }

  /** Calls the listener when `updates` has changed, until the returned function is called. */
  follow(onChange: () => void): () => void {
    // Each call counts, also for the same function.
    const listener = () => onChange()
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Whether its updates are those of this spec. */
  isFor({ key, parse, limit }: FeedSpec<T>): boolean {
    return this.#spec.key === key && this.#spec.parse === parse && this.#spec.limit >= limit
  }

  /** Whether it began there. */
  beganAt({ from, last }: Start): boolean {
    const { start } = this.#spec
    return start.from === from && start.last === last
  }

  /** Whether a handler that is added now gets everything that follows this position. */
  isAt(start: Start): boolean {
    if (start.from === undefined && start.last === undefined) return true
    if (!this.#hasReceived && this.beganAt(start)) return true
    return start.from !== undefined && start.from === this.subscription.lastEventId
  }

  #add(update: Update<T>): void {
    this.hasReplacedInitial = true
    if (this.#spec.limit > 0) this.#added.push(update)
    // Bounds what accumulates while nobody reads `updates`, such as in a hidden tab.
    if (this.#added.length > this.#spec.limit * 2) this.#added = this.#added.slice(-this.#spec.limit)
    this.#received()
  }

  #delete(deletion: Deletion): void {
    if (deletion.through !== undefined) this.hasReplacedInitial = true
    this.#kept = withoutDeleted(this.updates, deletion)
    this.#received()
  }

  #received(): void {
    this.#hasReceived = true
    for (const listener of [...this.#listeners]) listener()
  }
}
