// The hub: publish → log → audiences → subscribers. It owns who is subscribed and what is recent; it does not know how
// entries are kept, how bytes reach a client, or who may do what.
import { TidingsError } from '../errors.ts'
import { formatId } from '../log/ids.ts'
import type { Appended, Entry, Log } from '../log/log.ts'
import type { Member } from '../log/roster.ts'
import { type Update, type ValidUpdate, validate } from '../update.ts'
import { Audiences } from './audiences.ts'
import type { CloseReason, Connection } from './connection.ts'
import { CatchUp } from './delivery/catch-up.ts'
import { Dispatcher } from './delivery/dispatcher.ts'
import { Sweeper } from './delivery/sweeper.ts'
import { Window } from './delivery/window.ts'
import { drain } from './drain.ts'
import { dedupOptionsFor, type PublishOptions } from './idempotency.ts'
import { Interest } from './interest.ts'
import { combineObservers, type Observer, type RefusedRequest } from './observer.ts'
import { type HubOptions, logFor, resolveHubOptions, tickFor } from './options.ts'
import { locate, type StreamPosition } from './position.ts'
import { Presence, type Subscription } from './presence/presence.ts'
import { Semaphore } from './semaphore.ts'
import { HubStats, type HubStatus } from './stats.ts'
import { type SubscribeRequest, validateRequest } from './subscribe-request.ts'
import { Subscriber, type SubscriberContext } from './subscriber.ts'
import { TimerWheel } from './timer-wheel.ts'

/** Within how long clients come again whose server stopped, in milliseconds. */
const drainRetryMs = 3_000
/** Searches for the newest so many entries that go on at once: each may look at all that the log keeps. */
const maxSearches = 4

/** Makes a hub that is ready at once, or as soon as its log is. */
export function createHub(options: HubOptions = {}): Hub {
  return new Hub(options)
}

/** One log's entries to many subscribers. */
export class Hub {
  readonly stats = new HubStats()
  readonly subscribers: ReadonlySet<Subscriber>
  /** For how many milliseconds a repeated update is known again; 0 where it is published again. */
  readonly idempotent: number
  readonly #subscribers = new Set<Subscriber>()
  readonly #audiences = new Audiences<Subscriber>()
  readonly #log: Log
  readonly #window: Window
  readonly #wheel: TimerWheel
  readonly #sweeper: Sweeper
  readonly #catchUp: CatchUp
  readonly #observer: Required<Observer>
  readonly #presence: Presence
  readonly #context: SubscriberContext
  readonly #dispatcher: Dispatcher
  readonly #searches = new Semaphore(maxSearches)
  readonly #following: Promise<void>
  readonly #listing: Promise<void>
  #draining = false
  #closed = false

  constructor({ observer, ...options }: HubOptions) {
    const log = logFor(options)
    const { heartbeat, slowTimeout, maxAge, presenceTimeout, batchBytes, window, idempotent } =
      resolveHubOptions(options)
    this.idempotent = idempotent
    this.subscribers = this.#subscribers
    this.#log = log
    this.#observer = combineObservers(observer ? [this.stats, observer] : [this.stats])
    this.#window = new Window(window, log.head)
    const tick = tickFor(heartbeat, slowTimeout, maxAge)
    this.#context = this.#makeContext({ heartbeat, slowTimeout, maxAge, tick })
    this.#wheel = new TimerWheel(tick, this.#context.now)
    this.#presence = new Presence(log.roster, presenceTimeout, this.#observer.failed)
    this.#sweeper = new Sweeper(batchBytes, this.#observer)
    this.#catchUp = new CatchUp(this.#window, log, this.#context, this.#observer)
    this.#dispatcher = new Dispatcher(log.epoch, {
      window: this.#window,
      // What is pending in an audience is in the window too, or else nobody could fall back on it.
      maxPendingBytes: window.bytes / 2,
      audiences: this.#audiences,
      subscribers: this.#subscribers,
      sweeper: this.#sweeper,
      catchUp: this.#catchUp,
      presence: this.#presence,
      leave: this.#context.leave
    })
    this.#following = log.follow((entries) => this.#deliver(entries))
    this.#listing = this.#following.then(() => this.#presence.begin())
    // Whoever publishes or subscribes first is told; until then nobody is there to handle it.
    for (const promise of [this.#following, this.#listing]) promise.catch(() => {})
  }

  /** Whether the log has a roster, so that subscriptions can be announced and listed. */
  get hasRoster(): boolean {
    return this.#log.roster !== undefined
  }

  get status(): HubStatus {
    const { head, first, length, bytes } = this.#window
    return {
      epoch: this.#dispatcher.epoch,
      isReady: this.#log.isReady,
      head,
      first: this.#log.first,
      window: { entries: length, bytes, first },
      audiences: this.#audiences.size,
      subscribers: this.#subscribers.size,
      announced: this.#presence.announced
    }
  }

  /** Who is subscribed, by topic, on all nodes that share the log: as the log has told up to `lastEventId`. */
  async subscriptions(): Promise<ReadonlyMap<string, Member>> {
    await this.#listing
    return this.#presence.members
  }

  /** The id of the newest entry, or `earliest` where there never was one. */
  get lastEventId(): string {
    const { head } = this.#window
    return head === 0 ? 'earliest' : formatId(this.#dispatcher.epoch, head)
  }

  /**
   * Publishes one update; resolves when the log has kept its promise to keep it.
   * @throws TidingsError as `validate` does, `closed`, or, where the hub is `idempotent`, `key_invalid` or `key_reused`.
   */
  async publish(update: Update, options?: PublishOptions): Promise<Appended> {
    const [entry] = await this.publishAll([update], options)
    return entry as Appended
  }

  /** Publishes several updates, one right after the other, or none of them. */
  async publishAll(updates: readonly Update[], options?: PublishOptions): Promise<Appended[]> {
    return this.publishValid(updates.map(validate), options)
  }

  /** As `publishAll`, for updates that are validated already. */
  async publishValid(updates: readonly ValidUpdate[], options: PublishOptions = {}): Promise<Appended[]> {
    const dedup = dedupOptionsFor(updates, options, this.idempotent)
    this.#mustBeOpen()
    await this.#following
    const startedAt = performance.now()
    const entries = await this.#log.append(updates, dedup)
    const fresh = dedup ? entries.filter(({ repeated }) => !repeated).length : entries.length
    if (fresh > 0) this.#observer.appended(fresh, performance.now() - startedAt)
    return entries
  }

  /**
   * Finds where a client's stream begins, and what it has missed, before a byte is written. With `last` it may have to wait until
   * other searches of history are over; where the signal comes first, it rejects with the signal's reason.
   * @throws TidingsError when the request breaks a rule, or `closed`.
   */
  async locate(request: SubscribeRequest, signal?: AbortSignal): Promise<StreamPosition> {
    validateRequest(request)
    if (this.#draining) throw new TidingsError('closed')
    this.#mustBeOpen()
    await this.#following
    const { topics = [], readable = [], encoding = 'plain' } = request
    const interest = new Interest({ topics: topics.length > 0 ? topics : ['*'], readable, encoding })
    const seen = () => ({ epoch: this.#dispatcher.epoch, head: this.#window.head })
    const find = () => locate(request, interest, this.#log, seen)
    return request.last === undefined || request.lastEventId ? find() : this.#searches.run(find, signal)
  }

  /**
   * Serves a connection from a place on: first what it has yet to see, then what comes. What it subscribes to is announced,
   * where it is to be, and taken back when it leaves.
   */
  join(position: StreamPosition, connection: Connection, subscriptions: readonly Subscription[] = []): Subscriber {
    // Whoever asks the log may hear before the hub does that it began anew.
    if (position.epoch !== this.#dispatcher.epoch && position.epoch === this.#log.epoch)
      this.#dispatcher.startOver(position.epoch)
    if (subscriptions.length > 0 && !this.hasRoster) throw new TypeError('the log of this hub keeps no roster')
    const audience = this.#audiences.for(position.interest)
    const subscriber = new Subscriber(audience, connection, position, this.#context, subscriptions)
    audience.members.add(subscriber)
    this.#subscribers.add(subscriber)
    this.#presence.join(subscriptions)
    this.#observer.joined(subscriber)
    if (this.#closed || this.#draining) this.leave(subscriber, 'shutdown')
    if (position.epoch !== this.#dispatcher.epoch) this.leave(subscriber, 'gap')
    const delay = subscriber.visit(this.#context.now())
    if (subscriber.state === 'closed') return subscriber
    this.#wheel.add(subscriber, delay)
    this.#catchUp.run(subscriber)
    return subscriber
  }

  /** Ends a subscription. Safe to call twice; the first reason stands. */
  leave(subscriber: Subscriber, reason: CloseReason): void {
    if (subscriber.state === 'closed') return
    subscriber.state = 'closed'
    this.#subscribers.delete(subscriber)
    this.#wheel.remove(subscriber)
    this.#catchUp.forget(subscriber)
    this.#audiences.remove(subscriber, subscriber.audience)
    subscriber.connection.end(reason)
    this.#presence.leave(subscriber.subscriptions)
    this.#observer.left(subscriber, reason)
  }

  /** Takes no more streams, and ends those there are with `shutdown`, spread over so many milliseconds. Publishing goes on. */
  async drain(duration: number): Promise<void> {
    this.#draining = true
    await drain(this.#subscribers, duration, (member) => member.dismiss('shutdown', drainRetryMs))
  }

  /** Sends what is pending, ends every stream with `shutdown`, refuses what comes after, and closes the log. */
  async close(): Promise<void> {
    this.#closed = true
    this.#sweeper.finish()
    for (const subscriber of this.#subscribers) this.leave(subscriber, 'shutdown')
    this.#catchUp.stop()
    await this.#presence.finish()
    await this.#log.close()
  }

  /** Tells the observers that a request was refused. */
  refused(refusal: RefusedRequest): void {
    this.#observer.refused(refusal)
  }

  /** Tells the observers that something went wrong on our side. */
  failed(error: unknown): void {
    this.#observer.failed(error)
  }

  #makeContext(times: Pick<SubscriberContext, 'heartbeat' | 'slowTimeout' | 'maxAge' | 'tick'>): SubscriberContext {
    return {
      ...times,
      head: () => this.#window.head,
      epoch: () => this.#dispatcher.epoch,
      now: () => performance.now(),
      catchUp: (subscriber) => this.#catchUp.run(subscriber),
      leave: (subscriber, reason) => this.leave(subscriber, reason)
    }
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new TidingsError('closed')
  }

  #deliver(entries: readonly Entry[]): void {
    this.#dispatcher.deliver(entries)
    this.#presence.arrived(entries)
    this.#observer.arrived(entries)
  }
}
