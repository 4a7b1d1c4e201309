// The state and the counters of a hub, for its debug page.
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
    swept: 0
  }
  readonly closes: Close[] = []

  arrived(entries: readonly unknown[]): void {
    this.totals.published += entries.length
  }

  delivered({ by, entries, deliveries, bytes }: Delivery): void {
    this.totals.delivered += deliveries
    this.totals.bytes += bytes
    if (by !== 'sweep') return
    this.totals.sweeps++
    this.totals.swept += entries
  }

  left(subscriber: Subscriber, reason: CloseReason): void {
    if (this.closes.length === maxCloses) this.closes.shift()
    this.closes.push({
      reason,
      at: Date.now(),
      address: subscriber.connection.address,
      age: Math.round(subscriber.age)
    })
  }
}
