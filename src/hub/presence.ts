// Who is subscribed, told in the log like everything else: a private update when a subscription begins, and one when it ends.
// It does not know what the updates say; the door that announces a subscription writes them.
import type { Entry } from '../log/log.ts'
import type { Update } from '../update.ts'

/** A subscription as it is announced. */
export interface Subscription {
  /** The one topic of its updates, which no other subscription has. */
  readonly topic: string
  /** What is said when it begins (`active`), and when it ends; the data has to differ. */
  announce(active: boolean): Update
}

/** Updates that are appended at once: a storm of connects takes its turn with what is published. */
const batchSize = 256
/** Announcements that may wait. Beyond that, who came and went meanwhile is left out. */
const mostWaiting = 10_000

export class Presence {
  /** Subscriptions by their topic, from when their beginning has arrived from the log until their end has. */
  readonly active: ReadonlyMap<string, Subscription>
  readonly #active = new Map<string, Subscription>()
  /** What waits to be appended, by topic; a beginning always goes before its end. */
  readonly #joins = new Map<string, Subscription>()
  readonly #leaves = new Map<string, Subscription>()
  /** What has been appended and not yet arrived, or is active. */
  readonly #announced = new Map<string, Subscription>()
  readonly #append: (updates: Update[]) => Promise<unknown>
  readonly #failed: (error: unknown) => void
  #immediate: NodeJS.Immediate | undefined
  #appending = Promise.resolve()

  constructor(append: (updates: Update[]) => Promise<unknown>, failed: (error: unknown) => void) {
    this.active = this.#active
    this.#append = append
    this.#failed = failed
  }

  join(subscriptions: readonly Subscription[]): void {
    for (const subscription of subscriptions) this.#joins.set(subscription.topic, subscription)
    this.#schedule()
  }

  leave(subscriptions: readonly Subscription[]): void {
    for (const subscription of subscriptions) {
      const isTooMany = this.#joins.size + this.#leaves.size > mostWaiting
      if (isTooMany && this.#joins.delete(subscription.topic)) continue
      this.#leaves.set(subscription.topic, subscription)
    }
    this.#schedule()
  }

  /** The list of who is active changes with what arrives from the log, so that list and log tell the same. */
  arrived(entries: readonly Entry[]): void {
    if (this.#announced.size === 0) return
    for (const { update } of entries) {
      const subscription = update.private ? this.#announced.get(update.topics[0] as string) : undefined
      if (subscription) this.#settle(subscription, update.data === subscription.announce(true).data)
    }
  }

  /** Appends all that waits. */
  async finish(): Promise<void> {
    clearImmediate(this.#immediate)
    this.#immediate = undefined
    await this.#appending
    while (this.#joins.size + this.#leaves.size > 0) await this.#appendSome()
  }

  #schedule(): void {
    if (this.#joins.size + this.#leaves.size === 0) return
    this.#immediate ??= setImmediate(() => {
      this.#appending = this.#appendSome().then(() => {
        this.#immediate = undefined
        this.#schedule()
      })
    })
  }

  async #appendSome(): Promise<void> {
    const joined = take(this.#joins, batchSize)
    // An end waits until no beginning does: its own may be among them.
    const left = this.#joins.size > 0 ? [] : take(this.#leaves, batchSize - joined.length)
    for (const subscription of joined) this.#announced.set(subscription.topic, subscription)
    try {
      const begun = joined.map((subscription) => subscription.announce(true))
      await this.#append([...begun, ...left.map((subscription) => subscription.announce(false))])
    } catch (error) {
      this.#failed(error)
      // It could not be told, and is so all the same.
      for (const subscription of joined) this.#settle(subscription, true)
      for (const subscription of left) this.#settle(subscription, false)
    }
  }

  #settle(subscription: Subscription, isActive: boolean): void {
    if (isActive) {
      this.#active.set(subscription.topic, subscription)
      return
    }
    this.#active.delete(subscription.topic)
    this.#announced.delete(subscription.topic)
  }
}

function take(from: Map<string, Subscription>, count: number): Subscription[] {
  const taken: Subscription[] = []
  for (const [topic, subscription] of from) {
    if (taken.length >= count) break
    from.delete(topic)
    taken.push(subscription)
  }
  return taken
}
