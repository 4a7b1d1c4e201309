// The hub: publish → log → audiences → subscribers. It owns who is subscribed and what is recent; it does not know how
// entries are kept, how bytes reach a client, or who may do what.
import { TidingsError } from '../errors.ts'
import { type Appended, type Entry, formatId, type Log } from '../log/log.ts'
import type { Member } from '../log/roster.ts'
import { type Update, validate } from '../update.ts'
import { Audience } from './audience.ts'
import { Audiences } from './audiences.ts'
import { CatchUp } from './catch-up.ts'
import type { CloseReason, Connection } from './connection.ts'
import { spread } from './drain.ts'
import { all, type Observer, type RefusedRequest } from './observer.ts'
import { type HubOptions, logFor, settle, tickFor } from './options.ts'
import { locate, type Place, type SubscribeRequest, validateRequest } from './place.ts'
import { Presence, type Subscription } from './presence.ts'
import { onceOf, type PublishOptions } from './repetition.ts'
import { type Keeper, Subscriber } from './subscriber.ts'
import { Sweeper } from './sweeper.ts'
import { Tail } from './tail.ts'
import { type HubStatus, Tally } from './tally.ts'
import { Turns } from './turns.ts'
import { Wheel } from './wheel.ts'
import { Window } from './window.ts'

/** Within how long clients come again whose server stopped, in milliseconds. */
const drainRetryMs = 3_000
/** Searches for the newest so many entries that go on at once: each may look at all that the log keeps. */
const mostSearches = 4

/** Makes a hub that is ready at once, or as soon as its log is. */
export function createHub(options: HubOptions = {}): Hub {
  return new Hub(options)
}

/** One log's entries to many subscribers. */
export class Hub {
  readonly tally = new Tally()
  readonly subscribers: ReadonlySet<Subscriber>
  /** For how many milliseconds a repeated update is known again; 0 where it is published again. */
  readonly idempotent: number
  readonly #subscribers = new Set<Subscriber>()
  readonly #audiences = new Audiences()
  readonly #log: Log
  readonly #window: Window
  readonly #wheel: Wheel
  readonly #sweeper: Sweeper
  readonly #catchUp: CatchUp
  readonly #observer: Required<Observer>
  readonly #presence: Presence
  readonly #keeper: Keeper
  readonly #tail: Tail
  readonly #searches = new Turns(mostSearches)
  readonly #following: Promise<void>
  readonly #listing: Promise<void>
  #draining = false
  #closed = false

  constructor({ observer, ...options }: HubOptions) {
    const log = logFor(options)
    const { heartbeat, slowTimeout, maxAge, presenceTimeout, batchBytes, window, idempotent } = settle(options)
    this.idempotent = idempotent
    this.subscribers = this.#subscribers
    this.#log = log
    this.#observer = all(observer ? [this.tally, observer] : [this.tally])
    this.#window = new Window(window, log.head)
    const tick = tickFor(heartbeat, slowTimeout, maxAge)
    this.#keeper = this.#makeKeeper({ heartbeat, slowTimeout, maxAge, tick })
    this.#wheel = new Wheel(tick, this.#keeper.now)
    this.#presence = new Presence(log, presenceTimeout, this.#observer.failed)
    this.#sweeper = new Sweeper(batchBytes, this.#observer)
    this.#catchUp = new CatchUp(this.#window, log, this.#keeper, this.#observer)
    this.#tail = new Tail(log.epoch, {
      window: this.#window,
      // What is pending in an audience is in the window too, or else nobody could fall back on it.
      mostPending: window.bytes / 2,
      audiences: this.#audiences,
      subscribers: this.#subscribers,
      sweeper: this.#sweeper,
      catchUp: this.#catchUp,
      presence: this.#presence,
      leave: this.#keeper.leave
    })
    this.#following = log.follow((entries) => this.#deliver(entries))
    this.#listing = this.#following.then(() => this.#presence.begin())
    // Whoever publishes or subscribes first is told; until then nobody is there to handle it.
    for (const promise of [this.#following, this.#listing]) promise.catch(() => {})
  }

  get status(): HubStatus {
    const { head, first, length, bytes } = this.#window
    return {
      epoch: this.#tail.epoch,
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
    return head === 0 ? 'earliest' : formatId(this.#tail.epoch, head)
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
  async publishAll(updates: readonly Update[], options: PublishOptions = {}): Promise<Appended[]> {
    const valid = updates.map(validate)
    const once = onceOf(valid, options, this.idempotent)
    this.#mustBeOpen()
    await this.#following
    const since = performance.now()
    const entries = await this.#log.append(valid, once)
    const fresh = once ? entries.filter(({ repeated }) => !repeated).length : entries.length
    if (fresh > 0) this.#observer.appended(fresh, performance.now() - since)
    return entries
  }

  /**
   * Finds where a client's stream begins, and what it has missed, before a byte is written. With `last` it may have to wait until
   * other searches of history are over; where the signal comes first, it rejects with the signal's reason.
   * @throws TidingsError when the request breaks a rule, or `closed`.
   */
  async locate(request: SubscribeRequest, signal?: AbortSignal): Promise<Place> {
    validateRequest(request)
    if (this.#draining) throw new TidingsError('closed')
    this.#mustBeOpen()
    await this.#following
    const { topics = [], readable = [], encoding = 'plain' } = request
    const audience = new Audience({ topics: topics.length > 0 ? topics : ['*'], readable, encoding })
    const seen = () => ({ epoch: this.#tail.epoch, head: this.#window.head })
    const find = () => locate(request, audience, this.#log, seen)
    return request.last === undefined || request.lastEventId ? find() : this.#searches.run(find, signal)
  }

  /**
   * Serves a connection from a place on: first what it has yet to see, then what comes. What it subscribes to is announced,
   * where it is to be, and taken back when it leaves.
   */
  join(place: Place, connection: Connection, subscriptions: readonly Subscription[] = []): Subscriber {
    // Whoever asks the log may hear before the hub does that it began anew.
    if (place.epoch !== this.#tail.epoch && place.epoch === this.#log.epoch) this.#tail.startOver(place.epoch)
    const audience = this.#audiences.enlist(place.audience)
    const subscriber = new Subscriber(audience, connection, place, this.#keeper, subscriptions)
    audience.members.add(subscriber)
    this.#subscribers.add(subscriber)
    this.#presence.join(subscriptions)
    this.#observer.joined(subscriber)
    if (this.#closed || this.#draining) this.leave(subscriber, 'shutdown')
    if (place.epoch !== this.#tail.epoch) this.leave(subscriber, 'gap')
    const delay = subscriber.visit(this.#keeper.now())
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
    this.#audiences.delist(subscriber)
    subscriber.connection.end(reason)
    this.#presence.leave(subscriber.subscriptions)
    this.#observer.left(subscriber, reason)
  }

  /** Takes no more streams, and ends those there are with `shutdown`, spread over so many milliseconds. Publishing goes on. */
  async drain(duration: number): Promise<void> {
    this.#draining = true
    await spread(this.#subscribers, duration, (member) => member.dismiss('shutdown', drainRetryMs))
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

  #makeKeeper(times: Pick<Keeper, 'heartbeat' | 'slowTimeout' | 'maxAge' | 'tick'>): Keeper {
    return {
      ...times,
      head: () => this.#window.head,
      epoch: () => this.#tail.epoch,
      now: () => performance.now(),
      catchUp: (subscriber) => this.#catchUp.run(subscriber),
      leave: (subscriber, reason) => this.leave(subscriber, reason)
    }
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new TidingsError('closed')
  }

  #deliver(entries: readonly Entry[]): void {
    this.#tail.deliver(entries)
    this.#presence.arrived(entries)
    this.#observer.arrived(entries)
  }
}
