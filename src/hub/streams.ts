// The streams of this node: subscribers join and leave here, and entries of the log are delivered to them.
import type { Entry, Log } from '../log/log.ts'
import { Audiences } from './audiences.ts'
import type { CloseReason, Connection } from './connection.ts'
import { Changes, type ControlOptions } from './control/changes.ts'
import { CatchUp } from './delivery/catch-up.ts'
import { Dispatcher } from './delivery/dispatcher.ts'
import { Endings } from './delivery/endings.ts'
import { Sweeper } from './delivery/sweeper.ts'
import { Window } from './delivery/window.ts'
import { drain } from './drain.ts'
import { Polls } from './history/polls.ts'
import type { StreamPosition } from './history/position.ts'
import type { Observer } from './observer.ts'
import { type ResolvedHubOptions, tickFor } from './options.ts'
import { Presence, type Subscription } from './presence/presence.ts'
import { RosterReplica } from './presence/replica.ts'
import { Revocations } from './revocation/revocations.ts'
import type { HubStatus } from './stats.ts'
import { Subscriber, type SubscriberContext } from './subscriber.ts'
import { TimerWheel } from './timer-wheel.ts'

/** How soon clients reconnect after the server stops, at most, in milliseconds. */
const drainRetryMs = 3_000

export class Streams {
  readonly subscribers: ReadonlySet<Subscriber>
  readonly audiences = new Audiences<Subscriber>()
  readonly window: Window
  readonly presence: Presence
  readonly polls: Polls<Subscriber>
  readonly revocations: Revocations
  readonly changes: Changes
  readonly #subscribers = new Set<Subscriber>()
  readonly #log: Log
  readonly #wheel: TimerWheel
  readonly #sweeper: Sweeper
  readonly #catchUp: CatchUp
  readonly #observer: Required<Observer>
  readonly #context: SubscriberContext
  readonly #dispatcher: Dispatcher
  readonly #endings: Endings
  #isDraining = false
  #isClosed = false

  constructor(log: Log, options: ResolvedHubOptions, observer: Required<Observer>) {
    const { heartbeat, slowTimeout, maxAge, presenceTimeout, batchBytes, window } = options
    const tick = tickFor(heartbeat, slowTimeout, maxAge)
    this.subscribers = this.#subscribers
    this.#log = log
    this.#observer = observer
    this.window = new Window(window, log.head)
    this.#context = this.#makeContext({ heartbeat, slowTimeout, maxAge, tick })
    this.#wheel = new TimerWheel(tick, this.#context.now)
    const { audiences, subscribers } = this
    this.polls = new Polls(audiences)
    const { leave } = this.#context
    const tokenOf = (subscriber: Subscriber) => this.changes.tokenOf(subscriber)
    const wakePolls = () => this.polls.wakeAll()
    this.revocations = new Revocations({ log, audiences, subscribers, observer, leave, wakePolls, tokenOf })
    const replica = new RosterReplica(() => this.revocations.load())
    this.presence = new Presence(log.roster, presenceTimeout, observer.failed, replica)
    this.#endings = new Endings(log, this.#context, observer.failed)
    this.#sweeper = new Sweeper(batchBytes, observer, (audience) => this.#endings.check(audience))
    const { revocations } = this
    const deps = { log, audiences, sweeper: this.#sweeper, context: this.#context, observer, revocations }
    this.changes = new Changes({ ...deps, reschedule: (subscriber) => this.#reschedule(subscriber) })
    this.#catchUp = new CatchUp(this.window, log, this.#context, observer, this.changes)
    this.#dispatcher = new Dispatcher(log.epoch, {
      window: this.window,
      // Pending entries of an audience must also be in the window, where its members continue when sweeps fall behind.
      maxPendingBytes: window.bytes / 2,
      audiences: this.audiences,
      subscribers: this.#subscribers,
      sweeper: this.#sweeper,
      catchUp: this.#catchUp,
      presence: this.presence,
      polls: this.polls,
      leave: this.#context.leave
    })
  }

  /** The epoch of the entries that were delivered last. */
  get epoch(): string {
    return this.#dispatcher.epoch
  }

  get status(): Omit<HubStatus, 'isReady' | 'first'> {
    const { epoch, window, audiences, subscribers, polls, presence, revocations } = this
    const { head, first, length, bytes } = window
    return {
      epoch,
      head,
      window: { entries: length, bytes, first },
      audiences: audiences.size,
      subscribers: subscribers.size,
      polls: polls.size,
      announced: presence.announced,
      revocations: revocations.size
    }
  }

  /** Whether no stream may begin any more. */
  get isDraining(): boolean {
    return this.#isDraining
  }

  /** Starts over when the log has: `locate` may hear of a new epoch before the dispatcher does. */
  adoptEpoch(epoch: string): void {
    if (epoch !== this.epoch && epoch === this.#log.epoch) this.#dispatcher.startOver(epoch)
  }

  /** Whether a stream that joins at this position now has nothing to catch up. */
  isAtHead({ epoch, after }: StreamPosition): boolean {
    this.adoptEpoch(epoch)
    return epoch === this.epoch && after >= this.window.head
  }

  /** Serves a connection from a position on, and announces its subscriptions. */
  join(
    position: StreamPosition,
    connection: Connection,
    subscriptions: readonly Subscription[],
    control?: ControlOptions
  ): Subscriber {
    this.adoptEpoch(position.epoch)
    const audience = this.audiences.for(position.interest)
    const subscriber = new Subscriber(audience, connection, position, this.#context, subscriptions)
    audience.members.add(subscriber)
    this.#subscribers.add(subscriber)
    if (control) this.changes.control(subscriber, position.until, control)
    this.presence.join(subscriptions)
    this.#observer.joined(subscriber)
    if (this.#isClosed || this.#isDraining) this.leave(subscriber, 'shutdown')
    if (position.epoch !== this.epoch) this.leave(subscriber, 'gap')
    if (this.revocations.refuses(subscriber)) this.leave(subscriber, 'revoked')
    const delay = subscriber.visit(this.#context.now())
    if (subscriber.state === 'closed') return subscriber
    this.#wheel.add(subscriber, delay)
    this.#catchUp.run(subscriber)
    return subscriber
  }

  /** Ends a stream. Safe to call twice; the first reason counts. */
  leave(subscriber: Subscriber, reason: CloseReason): void {
    if (subscriber.state === 'closed') return
    subscriber.state = 'closed'
    this.#subscribers.delete(subscriber)
    this.#wheel.remove(subscriber)
    this.#catchUp.forget(subscriber)
    this.changes.forget(subscriber)
    this.audiences.remove(subscriber, subscriber.audience)
    subscriber.connection.end(reason)
    this.presence.leave(subscriber.subscriptions)
    this.#observer.left(subscriber, reason)
  }

  /** Takes entries from the log. */
  deliver(entries: readonly Entry[]): void {
    this.#dispatcher.deliver(entries)
    this.presence.arrived(entries)
    this.revocations.arrived(entries)
    this.#observer.arrived(entries)
  }

  /** Refuses new streams, and ends the others with `shutdown`, spread over so many milliseconds. */
  async drain(duration: number): Promise<void> {
    this.#isDraining = true
    this.polls.wakeAll()
    await drain(this.#subscribers, duration, (member) => member.dismiss('shutdown', drainRetryMs))
  }

  /** Writes pending entries, ends every stream with `shutdown`, and appends the last announcements. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#isDraining = true
    this.polls.wakeAll()
    this.#sweeper.finish()
    for (const subscriber of this.#subscribers) this.leave(subscriber, 'shutdown')
    this.revocations.stop()
    await this.presence.finish()
  }

  #reschedule(subscriber: Subscriber): void {
    const delay = subscriber.visit(this.#context.now())
    if (subscriber.state !== 'closed') this.#wheel.add(subscriber, delay)
  }

  #makeContext(times: Pick<SubscriberContext, 'heartbeat' | 'slowTimeout' | 'maxAge' | 'tick'>): SubscriberContext {
    return {
      ...times,
      head: () => this.window.head,
      epoch: () => this.epoch,
      now: () => performance.now(),
      catchUp: (subscriber) => this.#catchUp.run(subscriber),
      becameLive: ({ audience }) => this.#endings.becameLive(audience),
      leave: (subscriber, reason) => this.leave(subscriber, reason)
    }
  }
}
