// What an operator can see of the streams of this node, and do with one of them. It measures nothing until it is asked.
import type { ClosedRow, Resume, StreamDetail, StreamRow } from '../../dashboard-api/streams.ts'
import { TidingsError } from '../../errors.ts'
import type { Bus } from '../../log/bus.ts'
import type { Log } from '../../log/log.ts'
import type { TokenIdentity } from '../connection.ts'
import type { StreamPosition } from '../history/position.ts'
import { NodeQueries } from '../nodes/queries.ts'
import type { HubStats } from '../stats.ts'
import type { Streams } from '../streams.ts'
import type { Subscriber } from '../subscriber.ts'
import { ClosedStreams } from './closed-streams.ts'
import { FlightLog } from './flight-log.ts'
import { inspectResume } from './inspect.ts'
import { type Reading, readNode, StreamScan } from './reading.ts'
import { closedRowOf, droppedOf, eventsOf, factsOf, rowOf } from './rows.ts'
import { listStreams, type StreamPage, type StreamQuery } from './stream-list.ts'
import type { TopicCount } from './topic-counts.ts'
import { Watch } from './watch.ts'

/** Streams in one answer that ended a moment ago. */
const maxClosed = 50
/** Streams of an answer about receivers. */
const maxReceivers = 50
/** A closed stream reconnects within this time, in milliseconds. */
const retryMs = 3_000

export interface Receivers {
  readonly streams: number
  readonly audiences: number
  readonly sample: readonly StreamRow[]
}

interface TelemetryDeps {
  readonly log: Log
  readonly bus: Bus | undefined
  /** The id of this node. */
  readonly node: string
  readonly streams: Streams
  readonly stats: HubStats
  readonly failed: (error: unknown) => void
}

export class Telemetry {
  /** The id of this node. */
  readonly node: string
  /** Asks the other nodes of the log. */
  readonly nodes: NodeQueries
  readonly #log: Log
  readonly #onClose: (() => void)[] = []
  readonly #streams: Streams
  readonly #stats: HubStats
  readonly #watch: Watch
  readonly #scan = new StreamScan()
  readonly #closed = new ClosedStreams()

  constructor({ log, bus, node, streams, stats, failed }: TelemetryDeps) {
    this.node = node
    this.nodes = new NodeQueries({ node, bus, roster: log.roster, failed })
    this.#log = log
    this.#streams = streams
    this.#stats = stats
    this.#watch = new Watch(stats)
  }

  /** Whether it measures, which it does for some seconds after a question. */
  get isMeasuring(): boolean {
    return this.#watch.isOn
  }

  /** From now on, the streams that end are remembered. */
  keepClosed(): void {
    this.#stats.onLeft = (subscriber, reason) => {
      const lag = FlightLog.endsLive(subscriber.flight) ? subscriber.audience.pending : subscriber.lag
      const closed = { at: Date.now(), reason }
      this.#closed.add({ ...factsOf(subscriber, this.#tokenOf(subscriber)), lag, closed })
    }
  }

  /** Calls the function when the hub closes. */
  onClose(closed: () => void): void {
    this.#onClose.push(closed)
  }

  close(): void {
    for (const closed of this.#onClose) closed()
    this.nodes.close()
    this.#watch.stop()
  }

  /** @param endedBefore `ended` of an earlier reading; only streams that ended since are in this one */
  read(endedBefore: number | undefined): Reading {
    const { count } = this.#closed
    const rows = endedBefore === undefined ? [] : this.#closed.newest(maxClosed, endedBefore)
    const closed = { ended: count, closed: rows.map((facts) => closedRowOf(facts, this.node)) }
    return readNode(this.node, this.#streams, this.#stats, this.#scan, this.#watch.extend(), closed)
  }

  list(query: StreamQuery): Promise<StreamPage> {
    return listStreams(this.#streams.subscribers, query, (subscriber) => this.#rowOf(subscriber))
  }

  /** The newest first. */
  closed(limit: number): ClosedRow[] {
    return this.#closed.newest(limit).map((facts) => closedRowOf(facts, this.node))
  }

  /** A stream of this node, also one that ended a while ago. @throws TidingsError `not_found` */
  describe(number: number): StreamDetail {
    const open = this.#find(number)
    const facts = open ? factsOf(open, this.#tokenOf(open)) : this.#closed.get(number)
    if (!facts) return missing()
    const stream = { ...rowOf(facts, this.node), closed: facts.closed ?? null }
    return { stream, events: eventsOf(facts), dropped: droppedOf(facts) }
  }

  /** Ends an open stream. Its client reconnects. @throws TidingsError `not_found` */
  closeStream(number: number): void {
    const subscriber = this.#find(number) ?? missing()
    subscriber.dismiss('operator', retryMs)
  }

  /** The identity of the token of an open stream, and when it expires, in milliseconds since 1970. @throws TidingsError `not_found` */
  tokenOf(number: number): { readonly token: TokenIdentity; readonly until: number } {
    const subscriber = this.#find(number) ?? missing()
    return { token: this.#tokenOf(subscriber) ?? {}, until: subscriber.until }
  }

  /** Since when topics are counted, and the busiest. */
  topics(limit: number): { readonly since: number; readonly rows: readonly TopicCount[] } {
    const { topics } = this.#watch.extend()
    return { since: topics.since, rows: topics.busiest(limit) }
  }

  /** For each topic, the number of streams that receive its public updates. */
  subscribersOf(topics: readonly string[]): number[] {
    return topics.map((topic) => {
      let count = 0
      for (const audience of this.#streams.audiences.match([topic])) count += audience.members.size
      return count
    })
  }

  receivers(topic: string, isPrivate: boolean): Receivers {
    const sample: StreamRow[] = []
    let streams = 0
    let audiences = 0
    for (const { interest, members } of this.#streams.audiences.match([topic])) {
      if (!interest.mayRead([topic], isPrivate) || members.size === 0) continue
      audiences++
      streams += members.size
      for (const member of members) {
        if (sample.length >= maxReceivers) break
        sample.push(this.#rowOf(member))
      }
    }
    return { streams, audiences, sample }
  }

  /** What a client that resumes at an id receives, from its position. */
  resume(id: string, position: StreamPosition): Promise<Resume> {
    return inspectResume(this.#log, id, position)
  }

  /** When the oldest entry was appended, in milliseconds since 1970; null if there is none. */
  async oldest(): Promise<number | null> {
    const { first, head } = this.#log
    if (first > head) return null
    const { entries } = await this.#log.read(first - 1, { admits: () => true }, { entries: 1, bytes: 1 })
    return entries[0]?.time ?? null
  }

  /** Offset of the oldest entry, and the size of the log if it knows. */
  get log(): { readonly first: number; readonly bytes: number | null } {
    return { first: this.#log.first, bytes: this.#log.bytes ?? null }
  }

  #rowOf(subscriber: Subscriber): StreamRow {
    return rowOf(factsOf(subscriber, this.#tokenOf(subscriber)), this.node)
  }

  #tokenOf(subscriber: Subscriber): TokenIdentity | undefined {
    return this.#streams.revocations.tokenOf(subscriber)
  }

  #find(number: number): Subscriber | undefined {
    for (const subscriber of this.#streams.subscribers) if (subscriber.number === number) return subscriber
    return undefined
  }
}

function missing(): never {
  throw new TidingsError('not_found', 'the stream has ended, or there never was one with this id')
}
