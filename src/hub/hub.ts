// The hub: publish → log → audiences → subscribers. It owns the subscribers and the window of recent entries. It does not know how
// a log stores entries, how bytes reach a client, or who is authorized.
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
import { combineObservers, type Observer, type RefusedRequest } from './observer.ts'
import { type HubOptions, logFor, resolveHubOptions, tickFor } from './options.ts'
import { locate, type StreamPosition } from './position.ts'
import { Presence, type Subscription } from './presence/presence.ts'
import { Semaphore } from './semaphore.ts'
import { HubStats, type HubStatus } from './stats.ts'
import { type SubscribeRequest, validateRequest } from './subscribe-request.ts'
import { Subscriber, type SubscriberContext } from './subscriber.ts'
import { TimerWheel } from './timer-wheel.ts'

/** How soon clients reconnect after the server stops, at most, in milliseconds. */
const drainRetryMs = 3_000
/** Concurrent searches for the newest N entries: each may scan the whole log. */
const maxSearches = 4

/**
 * Creates a hub. It is ready as soon as its log is.
 * @throws OptionError
 */
export function createHub(options: HubOptions = {}): Hub {
  return new Hub(options)
}

/** Delivers the entries of one log to many subscribers. */
export class Hub {
  readonly stats = new HubStats()
  /** How long a repeated update is recognized, in milliseconds; 0 when it is published again. */
  readonly idempotent: number
  readonly #subscribers = new Set<Subscriber>()
  readonly subscribers: ReadonlySet<Subscriber> = this.#subscribers
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
      // Pending entries of an audience must also be in the window, where its members continue when sweeps fall behind.
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
    // The first publish or subscribe rejects with this error; until then nobody handles it.
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

  /** The announced subscriptions of all nodes that share the log, by topic, as of `lastEventId`. */
  async subscriptions(): Promise<ReadonlyMap<string, Member>> {
    await this.#listing
    return this.#presence.members
  }

  /** The id of the newest entry that this node has seen; `earliest` when there is none. */
  get lastEventId(): string {
    const { head } = this.#window
    return head === 0 ? 'earliest' : formatId(this.#dispatcher.epoch, head)
  }

  /**
   * Publishes one update. Resolves when the log keeps its durability promise.
   * @throws TidingsError `closed`, the codes of an invalid update, and with `idempotent` also `key_invalid` and `key_reused`
   */
  async publish(update: Update, options?: PublishOptions): Promise<Appended> {
    const [entry] = await this.publishAll([update], options)
    return entry as Appended
  }

  /** Publishes all updates, next to each other in the log, or none. @throws TidingsError as `publish` does */
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
   * Finds where a client's stream begins, and what it missed, before the response starts. With `last` it may wait for other searches of
   * the history. Rejects with the reason of the signal when that is aborted first.
   * @throws TidingsError `closed`, or the codes of an invalid request
   */
  async locate(request: SubscribeRequest, signal?: AbortSignal): Promise<StreamPosition> {
    validateRequest(request)
    if (this.#draining) throw new TidingsError('closed')
    this.#mustBeOpen()
    await this.#following
    const seen = () => ({ epoch: this.#dispatcher.epoch, head: this.#window.head })
    const find = () => locate(request, this.#log, seen)
    return request.last === undefined || request.lastEventId ? find() : this.#searches.run(find, signal)
  }

  /**
   * Serves a connection from a position on: first the history after it, then new entries. Announces the subscriptions, and withdraws them
   * when the client leaves.
   */
  join(position: StreamPosition, connection: Connection, subscriptions: readonly Subscription[] = []): Subscriber {
    // `locate` may hear of a new epoch before the dispatcher does.
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

  /** Ends a subscription. Safe to call twice; the first reason counts. */
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

  /** Refuses new streams, and ends the others with `shutdown`, spread over so many milliseconds. Publishing continues. */
  async drain(duration: number): Promise<void> {
    this.#draining = true
    await drain(this.#subscribers, duration, (member) => member.dismiss('shutdown', drainRetryMs))
  }

  /** Writes pending entries, ends every stream with `shutdown`, and closes the log. */
  async close(): Promise<void> {
    this.#closed = true
    this.#sweeper.finish()
    for (const subscriber of this.#subscribers) this.leave(subscriber, 'shutdown')
    this.#catchUp.stop()
    await this.#presence.finish()
    await this.#log.close()
  }

  /** Reports a refused request to the observers. */
  refused(refusal: RefusedRequest): void {
    this.#observer.refused(refusal)
  }

  /** Reports an internal error to the observers. */
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
