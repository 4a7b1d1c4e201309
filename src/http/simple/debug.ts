// The data of the debug page: the state of the hub and its subscribers.
import type { Hub } from '../../hub/hub.ts'
import type { Subscriber } from '../../hub/subscriber.ts'
import type { Parameters } from '../body.ts'
import { readLimit } from './parameters.ts'

/** The debug page as JSON. Durations are in milliseconds, sizes in bytes. */
export function describeHub(hub: Hub, query: Parameters): unknown {
  const limit = readLimit(query)
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

function describe({ state, cursor, lag, connection, selectors, age }: Subscriber): unknown {
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
