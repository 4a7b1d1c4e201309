// The hub: publish → log → audiences → subscribers. It owns the subscribers and the window of recent entries. It does not know how
// a log stores entries, how bytes reach a client, or who is authorized.
import { TidingsError } from '../errors.ts'
import { formatId } from '../log/ids.ts'
import type { Appended, Entry, Log } from '../log/log.ts'
import type { Member } from '../log/roster.ts'
import { type Update, type ValidUpdate, validate } from '../update.ts'
import { append } from './append.ts'
import type { CloseReason, Connection } from './connection.ts'
import type { StreamChange } from './control/change.ts'
import type { ControlOptions } from './control/changes.ts'
import { Control } from './control/control.ts'
import type { ControlOffer } from './control/offer.ts'
import { type DeleteOptions, type DeleteTarget, deleteHistory } from './history/deleter.ts'
import { History, type HistoryPage, type HistoryRequest } from './history/history.ts'
import { Locator, type StreamPosition } from './history/position.ts'
import { dedupOptionsFor, type PublishOptions } from './idempotency.ts'
import { iterate, type SubscribeOptions, type SubscriptionItem } from './in-process/iteration.ts'
import { combineObservers, type Observer, type RefusedRequest } from './observer.ts'
import { type HubOptions, logFor, resolveHubOptions } from './options.ts'
import type { Subscription } from './presence/presence.ts'
import type { RevocationRequest } from './revocation/revocation.ts'
import type { RevocationRegister } from './revocation/revocations.ts'
import { HubStats, type HubStatus } from './stats.ts'
import { Streams } from './streams.ts'
import { type SubscribeRequest, validateRequest } from './subscribe-request.ts'
import type { Subscriber } from './subscriber.ts'
import { Telemetry } from './telemetry/telemetry.ts'

/** Creates a hub. It is ready as soon as its log is. @throws OptionError */
export function createHub(options: HubOptions = {}): Hub {
  return new Hub(options)
}

/** Delivers the entries of one log to many subscribers. */
export class Hub {
  readonly stats = new HubStats()
  /** What an operator sees of the streams of this node. @internal */
  readonly telemetry: Telemetry
  /** How long a repeated update is recognized, in milliseconds; 0 when it is published again. */
  readonly idempotent: number
  /** Milliseconds until an idle stream gets a comment, or slightly fewer; 0 for never. */
  readonly heartbeat: number
  readonly subscribers: ReadonlySet<Subscriber>
  readonly #log: Log
  readonly #observer: Required<Observer>
  readonly #streams: Streams
  readonly #history: History
  readonly #control: Control
  readonly #locator: Locator
  readonly #following: Promise<void>
  readonly #listing: Promise<void>
  #isClosed = false

  constructor({ observer, ...options }: HubOptions) {
    const log = logFor(options)
    const resolved = resolveHubOptions(options)
    this.idempotent = resolved.idempotent
    this.heartbeat = resolved.heartbeat
    this.#log = log
    this.#observer = combineObservers(observer ? [this.stats, observer] : [this.stats])
    this.#streams = new Streams(log, resolved, this.#observer)
    this.subscribers = this.#streams.subscribers
    this.#locator = new Locator(log, () => ({ epoch: this.#streams.epoch, head: this.#streams.window.head }))
    this.#history = new History(log, this.#streams, (request, signal) => this.locate(request, signal))
    const failed = (error: unknown) => this.failed(error)
    this.#control = new Control(log.bus, this.#streams.changes, failed)
    const { node, bus } = this.#control
    this.telemetry = new Telemetry({ node, bus, log, streams: this.#streams, stats: this.stats, failed })
    this.#following = log.follow((entries) => this.#streams.deliver(entries))
    this.#listing = this.#following.then(() => this.#streams.presence.begin())
    this.#streams.revocations.loadWith(this.#listing)
    // The first publish or subscribe rejects with this error; until then nobody handles it.
    for (const promise of [this.#following, this.#listing]) promise.catch(() => {})
  }

  /** Whether the log has a roster, so that subscriptions can be announced and listed. */
  get hasRoster(): boolean {
    return this.#log.roster !== undefined
  }

  get status(): HubStatus {
    return { ...this.#streams.status, isReady: this.#log.isReady, first: this.#log.first }
  }

  /** The announced subscriptions of all nodes that share the log, by topic, as of `lastEventId`. */
  async subscriptions(): Promise<ReadonlyMap<string, Member>> {
    await this.#listing
    return this.#streams.presence.members
  }

  /** The id of the newest entry that this node has seen; `earliest` when there is none. */
  get lastEventId(): string {
    const { epoch, window } = this.#streams
    return window.head === 0 ? 'earliest' : formatId(epoch, window.head)
  }

  /**
   * Publishes one update. Resolves when the log keeps its durability promise.
   * @throws TidingsError `closed`, the codes of an invalid update, and with `idempotent` also `key_invalid` and `key_reused`
   */
  async publish(update: Update, options?: PublishOptions): Promise<Appended> {
    return (await this.publishAll([update], options))[0] as Appended
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
    return append(this.#log, this.#observer, updates, dedup)
  }

  /**
   * Deletes updates from history, on all nodes. Their topics receive the event `tidings:deleted`, whose entry is returned. It is no gap.
   * @throws TidingsError `update_missing`, `not_granted` with nothing deleted, `deletions_too_many`, `topic_invalid` or `closed`
   */
  async delete(target: DeleteTarget, options: DeleteOptions = {}): Promise<Entry> {
    this.#mustBeOpen()
    await this.#following
    return deleteHistory(this.#log, target, options)
  }

  /**
   * Finds where a client's stream begins, and what it missed, before the response starts. With `last` it may wait for other searches of
   * the history. Rejects with the reason of the signal when that is aborted first.
   * @throws TidingsError `closed`, or the codes of an invalid request
   */
  async locate(request: SubscribeRequest, signal?: AbortSignal): Promise<StreamPosition> {
    validateRequest(request)
    // A closed hub is draining too.
    if (this.#streams.isDraining) throw new TidingsError('closed')
    await this.#following
    return this.#locator.find(request, signal)
  }

  /**
   * Reads one page of history: the same updates, in the same order, as a stream from that position. With `wait` it answers as soon as
   * something arrives. Rejects with the reason of the signal when that is aborted first.
   * @throws TidingsError `limit_invalid`, `wait_invalid`, or as `locate` does, and `token_revoked` or `revoked` with a `client`
   */
  async history(request: HistoryRequest, signal?: AbortSignal): Promise<HistoryPage> {
    const page = await this.#history.page(request, signal)
    this.#observer.paged(page.updates.length)
    return page
  }

  /**
   * Serves a connection from a position on: first the history after it, then new entries. Announces the subscriptions, and withdraws them
   * when the client leaves. With `control`, the stream can be changed, and contains `tidings:live` once if it had to catch up.
   */
  join(
    position: StreamPosition,
    connection: Connection,
    subscriptions: readonly Subscription[] = [],
    control?: ControlOptions
  ): Subscriber {
    if (subscriptions.length > 0 && !this.hasRoster) throw new TypeError('this log cannot keep subscriptions')
    return this.#streams.join(position, connection, subscriptions, control)
  }

  /**
   * Iterates over updates in this process, with the guarantees of a stream: in order, each once, and what is missing is an item. It begins
   * with the first `next`. A slow consumer continues from the log. It ends when all topics have ended, or with the signal.
   * @throws TidingsError `closed` when the hub drains, `revoked`, `log_unavailable`, or the codes of an invalid request
   */
  subscribe(options: SubscribeOptions = {}): AsyncGenerator<SubscriptionItem, void> {
    return iterate(this, options)
  }

  /** Whether a stream that joins at this position in the same tick is live at once, with nothing to catch up. */
  isAtHead(position: StreamPosition): boolean {
    return this.#streams.isAtHead(position)
  }

  /** A new control id, for a stream that is about to join. */
  offerControl(): ControlOffer {
    return this.#control.offer()
  }

  /**
   * Changes a stream that was joined with `control`, by its subscriber, or by its control id, also if another node of the log has it.
   * Resolves when the change is accepted. It takes effect after those before it, at a position at which everything before was written.
   * The stream then contains `tidings:changed`, or `tidings:refused` when the change does not fit the stream.
   * @throws TidingsError `not_found`, `change_invalid`, `changes_too_many`, `control_unavailable` when the other node does not answer,
   * or the codes of invalid selectors
   */
  async change(target: Subscriber | string, change: StreamChange): Promise<void> {
    await this.#control.change(target, change)
  }

  /** The subject of the token of a stream, by its control id. @throws TidingsError `not_found` or `control_unavailable` */
  async subjectOf(controlId: string): Promise<string | undefined> {
    return (await this.#control.ask(controlId)).subject
  }

  /**
   * Revokes tokens, a topic or an address. Matching streams on all nodes end with `revoked`. Resolves when the log has it: from then on
   * this node refuses what is revoked, the others do a moment later, and it lasts as safely as an update.
   * @throws TidingsError `revocation_invalid`, `revocations_too_many`, or the codes of the log, such as `storage_full`
   */
  async revoke(revocation: RevocationRequest): Promise<void> {
    this.#mustBeOpen()
    await this.#streams.revocations.loaded()
    await this.#streams.revocations.revoke(revocation)
  }

  /** What is revoked, and whether a client has to be refused. `createHandler` checks that itself. */
  get revocations(): RevocationRegister {
    return this.#streams.revocations
  }

  /** Ends a subscription. Safe to call twice; the first reason counts. */
  leave(subscriber: Subscriber, reason: CloseReason): void {
    this.#streams.leave(subscriber, reason)
  }

  /** Refuses new streams, and ends the others with `shutdown`, spread over so many milliseconds. Publishing continues. */
  async drain(duration: number): Promise<void> {
    await this.#streams.drain(duration)
  }

  /** Writes pending entries, ends every stream with `shutdown`, and closes the log. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#control.close()
    this.telemetry.close()
    await this.#streams.close()
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

  #mustBeOpen(): void {
    if (this.#isClosed) throw new TidingsError('closed')
  }
}
