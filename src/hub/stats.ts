// The state and the counters of a hub, for its debug page.
import type { Entry } from '../log/log.ts'
import type { CloseReason } from './connection.ts'
import type { Delivery, Observer } from './observer.ts'
import type { Subscriber } from './subscriber.ts'

/** The state of a hub at the moment. */
export interface HubStatus {
  readonly epoch: string
  /** Whether the log can be reached. */
  readonly isReady: boolean
  readonly head: number
  /** Offset of the oldest entry kept. */
  readonly first: number
  readonly window: { readonly entries: number; readonly bytes: number; readonly first: number }
  readonly audiences: number
  readonly subscribers: number
  /** Clients that wait for an update without a stream. */
  readonly polls: number
  /** Their subscriptions that are announced, or are about to be. */
  readonly announced: number
  /** Revocations on the list, including some that have ended. */
  readonly revocations: number
}

/** A stream that ended. */
export interface Close {
  readonly reason: CloseReason
  /** When it ended, in milliseconds since 1970. */
  readonly at: number
  readonly address: string
  /** Duration of the stream, in milliseconds. */
  readonly age: number
}

const maxCloses = 50

/** Sees what is published and written. */
type Watcher = Required<Pick<Observer, 'arrived' | 'delivered'>>

/** Totals since the hub was created, and the fifty streams that ended last. */
export class HubStats implements Observer {
  readonly totals = {
    /** Entries that the log delivered. */
    published: 0,
    /** Entries written, counted once per subscriber. */
    delivered: 0,
    bytes: 0,
    sweeps: 0,
    /** Entries that went out in sweeps, counted once per audience. */
    swept: 0,
    /** Streams that began, and that ended. */
    connects: 0,
    closes: 0
  }
  readonly closes: Close[] = []
  /** Called too while somebody watches the hub. @internal */
  watcher: Watcher | undefined
  /** Called for each stream that ends, while a dashboard remembers them. @internal */
  onLeft: Required<Observer>['left'] | undefined

  arrived(entries: readonly Entry[]): void {
    this.totals.published += entries.length
    this.watcher?.arrived(entries)
  }

  delivered(delivery: Delivery): void {
    const { by, entries, deliveries, bytes } = delivery
    this.watcher?.delivered(delivery)
    this.totals.delivered += deliveries
    this.totals.bytes += bytes
    if (by !== 'sweep') return
    this.totals.sweeps++
    this.totals.swept += entries
  }

  joined(): void {
    this.totals.connects++
  }

  left(subscriber: Subscriber, reason: CloseReason): void {
    this.totals.closes++
    this.onLeft?.(subscriber, reason)
    if (this.closes.length === maxCloses) this.closes.shift()
    this.closes.push({
      reason,
      at: Date.now(),
      address: subscriber.connection.address,
      age: Math.round(subscriber.age)
    })
  }
}
