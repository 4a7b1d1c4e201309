// What a node answers when it is asked for its state: values of the moment, and counters that only grow. Two readings give the rates of the
// time between them, so that any number of nodes may ask at any time.
import type { ClosedRow } from '../../dashboard-api/streams.ts'
import type { HubStats } from '../stats.ts'
import type { Streams } from '../streams.ts'
import type { Subscriber } from '../subscriber.ts'
import type { Measurement } from './watch.ts'

export interface Reading extends StreamTotals, Totals {
  readonly node: string
  /** Milliseconds since 1970, and on the monotonic clock of the node. */
  readonly at: number
  readonly clock: number
  readonly polls: number
  readonly audiences: number
  /** Milliseconds of processor time since the process began. */
  readonly cpu: number
  readonly memory: { readonly rss: number; readonly heap: number }
  readonly epoch: string
  readonly head: number
  /** Of this measurement are the counts of the histograms. */
  readonly measurement: number
  readonly latency: readonly number[]
  readonly loop: readonly number[]
  /** Streams that ever ended, and the newest of those that the asker does not know. */
  readonly ended: number
  readonly closed: readonly ClosedRow[]
}

type Totals = HubStats['totals']

/** The state of all streams together. */
export interface StreamTotals {
  readonly subscribers: number
  readonly live: number
  readonly behind: number
  readonly lag: { readonly max: number; readonly total: number }
  /** Of the streams that are behind. To ask the sockets of all streams would cost most of a reading. */
  readonly buffered: number
}

/** @param closed the streams that ended since the asker's last question */
export function readNode(
  node: string,
  { status, subscribers }: Pick<Streams, 'status' | 'subscribers'>,
  { totals }: HubStats,
  scan: StreamScan,
  { number: measurement, latency, loop }: Measurement,
  closed: Pick<Reading, 'ended' | 'closed'>
): Reading {
  const { polls, audiences, epoch, head } = status
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed: heap } = process.memoryUsage()
  return {
    node,
    at: Date.now(),
    clock: performance.now(),
    ...totals,
    ...scan.totals(subscribers),
    polls,
    audiences,
    cpu: (user + system) / 1_000,
    memory: { rss, heap },
    epoch,
    head,
    measurement,
    latency: latency.counts,
    loop: loop.counts,
    ...closed
  }
}

/** Streams that are looked at per second, on average. */
const maxPerSecond = 10_000

/** Looks at all streams, less often when there are many. */
export class StreamScan {
  #totals: StreamTotals | undefined
  #at = Number.NEGATIVE_INFINITY

  totals(subscribers: ReadonlySet<Subscriber>): StreamTotals {
    const intervalMs = (subscribers.size / maxPerSecond) * 1_000
    const { size } = subscribers
    // A few milliseconds less, since the questions come once a second.
    if (this.#totals && size > maxPerSecond / 10 && performance.now() - this.#at < intervalMs - 50) {
      return { ...this.#totals, subscribers: size }
    }
    this.#at = performance.now()
    this.#totals = scan(subscribers)
    return this.#totals
  }
}

/** Looks at all streams. */
export function scan(subscribers: ReadonlySet<Subscriber>): StreamTotals {
  let live = 0
  let behind = 0
  let buffered = 0
  let max = 0
  let total = 0
  for (const subscriber of subscribers) {
    if (subscriber.state === 'live') live++
    else {
      behind++
      buffered += subscriber.connection.buffered
    }
    const { lag } = subscriber
    max = Math.max(max, lag)
    total += lag
  }
  return { subscribers: subscribers.size, live, behind, lag: { max, total }, buffered }
}
