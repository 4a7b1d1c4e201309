// The data of the debug page: the state of a hub, its counters, and some of its streams.

import type { Hub } from '../hub/hub.ts'
import type { Close, HubStatus } from '../hub/stats.ts'
import type { Subscriber, SubscriberState } from '../hub/subscriber.ts'
import type { Selector } from '../topics/matcher.ts'

/** Durations are in milliseconds, sizes in bytes. */
export interface HubDescription extends HubStatus {
  readonly published: number
  readonly delivered: number
  readonly bytes: number
  readonly entriesPerSweep: number
  /** The number of streams in `subscriptions`. */
  readonly shown: number
  readonly subscriptions: readonly StreamDescription[]
  /** The streams that ended last, the oldest first. */
  readonly closes: readonly Close[]
}

export interface StreamDescription {
  readonly state: SubscriberState
  readonly cursor: number
  readonly lag: number
  readonly buffered: number
  readonly topics: readonly Selector[]
  readonly age: number
  readonly address: string
}

/** @param limit streams that are described at most */
export function describeHub(hub: Hub, limit: number): HubDescription {
  const { status, stats } = hub
  const { published, delivered, bytes, sweeps, swept } = stats.totals
  return {
    ...status,
    published,
    delivered,
    bytes,
    entriesPerSweep: sweeps === 0 ? 0 : Math.round((swept / sweeps) * 100) / 100,
    shown: Math.min(limit, status.subscribers),
    subscriptions: [...firstOf(hub.subscribers, limit)].map(describe),
    closes: stats.closes
  }
}

function describe({ state, cursor, lag, connection, selectors, age }: Subscriber): StreamDescription {
  return {
    state,
    cursor,
    lag,
    buffered: connection.buffered,
    topics: selectors,
    age: Math.round(age),
    address: connection.address
  }
}

function* firstOf<Value>(values: Iterable<Value>, count: number): Iterable<Value> {
  for (const value of values) {
    if (count-- <= 0) return
    yield value
  }
}
