// One client: a cursor, an audience and a connection. It has no queue.
import { heartbeat } from '../sse/encode.ts'
import type { Selector } from '../topics/matcher.ts'
import type { Audience } from './audience.ts'
import type { CloseReason, Connection, EntryBatch } from './connection.ts'
import type { StreamPosition } from './history/position.ts'
import type { Subscription } from './presence/presence.ts'
import { type FlightCode, FlightLog, flightCodes } from './telemetry/flight-log.ts'
import type { Timed } from './timer-wheel.ts'

/** `live`: has everything, and sweeps write to it. `behind`: has to catch up, or its connection is full. */
export type SubscriberState = 'live' | 'behind' | 'closed'

/** What a subscriber needs from its hub. @internal */
export interface SubscriberContext {
  /** Milliseconds between heartbeats on a quiet stream; 0 for none. */
  readonly heartbeat: number
  /** Milliseconds that a connection may stay full. */
  readonly slowTimeout: number
  /** Milliseconds that a stream may last; 0 for no limit. */
  readonly maxAge: number
  /** Milliseconds by which a visit may come late. */
  readonly tick: number
  /** The newest offset that this node has seen, and its epoch. */
  head(): number
  epoch(): string
  /** A monotonic clock in milliseconds. */
  now(): number
  catchUp(subscriber: Subscriber): void
  /** Called when the subscriber has everything and is live. */
  becameLive(subscriber: Subscriber): void
  leave(subscriber: Subscriber, reason: CloseReason): void
}

/** The position at which a subscriber begins. */
type Start = Pick<StreamPosition, 'after' | 'removalsSeen' | 'until'> &
  Partial<Pick<StreamPosition, 'requested' | 'gap'>>

/** How soon a client reconnects after `rotated`, at most, in milliseconds. */
const rotationRetryMs = 1_000

const heartbeatBuffer = Buffer.from(heartbeat)

let opened = 0

export class Subscriber implements Timed {
  /** Its number in this process. */
  readonly number = ++opened
  state: SubscriberState = 'behind'
  /** Everything it wants up to this offset has been written. */
  cursor: number
  /** Entries written to it since it began. */
  delivered = 0
  /** Its changes of state; undefined while there are none. @internal */
  flight: FlightLog | undefined
  /** The offset after which it began, and whether its client named that position. @internal */
  readonly startedAfter: number
  readonly requested: boolean
  /** Up to this offset it reads from the log: only the log knows what retention removed. @internal */
  readonly historyEnd: number
  /** Removals of the log up to here are not reported again. @internal */
  readonly removalsSeen: number
  /** Whether catch-up may have written an end that was not checked yet. @internal */
  mayHaveEnded = true
  /** Whether it waits for its turn to read the history. @internal */
  queued = false
  /** @internal */
  slot: Set<Timed> | undefined = undefined
  /** A change of its stream moves it to another one. @internal */
  audience: Audience<Subscriber>
  readonly connection: Connection
  /** The announced subscriptions, which are withdrawn when it leaves. */
  readonly subscriptions: readonly Subscription[]
  readonly #context: SubscriberContext
  readonly #connectedAt: number
  /** When its token expires, in milliseconds since 1970. */
  #until: number
  /** When it is rotated, on the monotonic clock. */
  readonly #rotateAt: number
  #lastWrite: number
  /** Since when the connection has been full; 0 while it is not. */
  #fullSince = 0
  /** Bytes that were buffered when the client last made progress. */
  #bufferedAt = 0

  /** @internal */
  constructor(
    audience: Audience<Subscriber>,
    connection: Connection,
    { after, removalsSeen, until, requested = false, gap }: Start,
    context: SubscriberContext,
    subscriptions: readonly Subscription[] = []
  ) {
    this.audience = audience
    this.connection = connection
    this.subscriptions = subscriptions
    this.cursor = this.startedAfter = after
    this.requested = requested
    this.flight = gap && new FlightLog(gap, false)
    this.removalsSeen = removalsSeen
    this.#until = until
    this.historyEnd = context.head()
    this.#context = context
    this.#connectedAt = this.#lastWrite = context.now()
    // Streams that began together must not all end together.
    this.#rotateAt = context.maxAge > 0 ? this.#connectedAt + context.maxAge * randomBetween(minJitter, 1) : Infinity
    connection.onDrain(() => this.#drained())
  }

  /** The topics that it wants, as the client wrote them. */
  get selectors(): readonly Selector[] {
    return this.audience.interest.selectors
  }

  /** Age of the stream, in milliseconds. */
  get age(): number {
    return this.#context.now() - this.#connectedAt
  }

  /** The number of entries that it has not received yet. */
  get lag(): number {
    return this.state === 'live' ? this.audience.pending : Math.max(0, this.#context.head() - this.cursor)
  }

  /** Whether its connection is full. */
  get full(): boolean {
    return this.#fullSince > 0
  }

  /** Writes whole events, up to `cursor`. A subscriber with a full connection is behind. @internal */
  send(bytes: Buffer, cursor: number, batch?: EntryBatch): void {
    this.cursor = cursor
    this.#lastWrite = this.#context.now()
    if (batch) this.delivered += batch.entries
    if (this.connection.write(bytes, batch)) return
    this.#bufferedAt = this.connection.buffered
    this.#fullSince = this.#lastWrite
    if (this.state === 'live') this.fallBehind(flightCodes.full, this.#bufferedAt)
  }

  /** It has everything. @internal */
  becomeLive(): void {
    this.state = 'live'
    // Most streams begin at the head, and need no record of their own.
    if (!this.flight && this.cursor === this.startedAfter) this.flight = FlightLog.liveAtOnce
    else this.note(flightCodes.live)
  }

  /** It continues from the window or the log. @internal */
  fallBehind(code: FlightCode, value = 0): void {
    this.state = 'behind'
    this.note(code, value)
  }

  /** Records a change of its state. @internal */
  note(code: FlightCode, value = 0): void {
    this.flight = FlightLog.add(this.flight, code, this.cursor, value)
  }

  /** When its right to read ends, in milliseconds since 1970. */
  get until(): number {
    return this.#until
  }

  /** Sets when its right to read ends, in milliseconds since 1970. It must be visited then. @internal */
  expireAt(until: number): void {
    this.#until = until
  }

  /** Ends the stream when it is due, and sends heartbeats. @internal */
  visit(now: number): number {
    const { heartbeat, slowTimeout, tick } = this.#context
    // The next visit may be one tick late, and nothing may be read after that time.
    const untilEnd = this.#until - Date.now() - tick
    if (untilEnd <= 0) this.#context.leave(this, 'expired')
    else if (now >= this.#rotateAt) this.dismiss('rotated', rotationRetryMs)
    if (this.state === 'closed') return untilEnd
    if (this.full) return Math.min(untilEnd, this.#visitFull(now, slowTimeout))
    if (heartbeat > 0 && now - this.#lastWrite >= heartbeat * minJitter) {
      this.send(heartbeatBuffer, this.cursor)
    }
    const untilHeartbeat =
      heartbeat > 0 ? this.#lastWrite + heartbeat * randomBetween(minJitter, maxJitter) - now : Infinity
    return Math.min(untilHeartbeat, slowTimeout, untilEnd, this.#rotateAt - now)
  }

  /** Ends the stream, with a random reconnection time of up to so many milliseconds. @internal */
  dismiss(reason: CloseReason, retryMs: number): void {
    if (this.state === 'closed') return
    // On a full connection these bytes would follow an event that is cut in two.
    if (!this.full) this.connection.write(Buffer.from(`retry: ${Math.ceil(randomBetween(0.1, 1) * retryMs)}\n\n`))
    this.#context.leave(this, reason)
  }

  #visitFull(now: number, slowTimeout: number): number {
    this.#noteProgress(now)
    const left = this.#fullSince + slowTimeout - now
    if (left <= 0) this.#context.leave(this, 'slow')
    return left
  }

  /** A slow client that makes progress is kept: cut off, it would only request the same bytes again. */
  #noteProgress(now: number): void {
    const { buffered } = this.connection
    if (buffered >= this.#bufferedAt) return
    this.#bufferedAt = buffered
    this.#fullSince = now
  }

  #drained(): void {
    this.#fullSince = 0
    if (this.state === 'behind') this.#context.catchUp(this)
  }
}

/** Heartbeats are early by a random factor, so that those of a large audience are not all due at once. */
const minJitter = 0.8
const maxJitter = 0.98

function randomBetween(low: number, high: number): number {
  return low + Math.random() * (high - low)
}
