// Changes of streams: accepts them, and applies each at one position of its stream, when everything before that was written. The position
// is the newest entry at the time of the acceptance.
import { type ErrorCode, TidingsError } from '../../errors.ts'
import { formatId } from '../../log/ids.ts'
import type { Log } from '../../log/log.ts'
import { encode } from '../../sse/encode.ts'
import { textOf } from '../../topics/matcher.ts'
import type { Audiences } from '../audiences.ts'
import type { CloseReason, TokenIdentity } from '../connection.ts'
import type { ChangeSteps } from '../delivery/catch-up.ts'
import { replayTextOf } from '../delivery/frame.ts'
import type { Sweeper } from '../delivery/sweeper.ts'
import type { Observer } from '../observer.ts'
import type { Revocations } from '../revocation/revocations.ts'
import type { Subscriber, SubscriberContext } from '../subscriber.ts'
import { flightCodes } from '../telemetry/flight-log.ts'
import { encodeChange, type GrantedRights, type Rights, type StreamChange } from './change.ts'
import { ControlledStream, type Plan, type WaitingChange } from './controlled.ts'
import type { ControlOffer } from './offer.ts'

/** Changes of one stream that may wait. */
const maxWaiting = 16
/** Their size together, in characters of JSON. */
const maxWaitingSize = 2 ** 19

/** How a stream is joined that its client may change. */
export interface ControlOptions {
  readonly offer: ControlOffer
  /** The rights of its token; default those of its position. */
  readonly granted?: GrantedRights
  /** The rights that the application gives in addition; default none, for ever. */
  readonly allowed?: Rights
}

export interface ChangesDeps {
  readonly log: Log
  readonly audiences: Audiences<Subscriber>
  readonly sweeper: Sweeper
  readonly context: SubscriberContext
  readonly observer: Required<Observer>
  /** What is revoked now. */
  readonly revocations: Pick<Revocations, 'refusalOf' | 'refuses'>
  /** Sets the next visit of a subscriber, whose deadline has changed. */
  reschedule(subscriber: Subscriber): void
}

export class Changes implements ChangeSteps {
  readonly #deps: ChangesDeps
  readonly #byKey = new Map<string, ControlledStream>()
  readonly #bySubscriber = new Map<Subscriber, ControlledStream>()

  constructor(deps: ChangesDeps) {
    this.#deps = deps
  }

  /** Lets the owner of the offer change the stream, from its begin to its end. */
  control(subscriber: Subscriber, until: number, { offer, granted, allowed }: ControlOptions): void {
    const { subject, token } = subscriber.connection
    const { readable } = subscriber.audience.interest
    const own = granted ?? { readable, until, ...(subject !== undefined && { subject }), ...(token && { token }) }
    const stream = new ControlledStream(offer.key, subscriber, own, allowed ?? { readable: [], until: Infinity })
    this.#byKey.set(offer.key, stream)
    this.#bySubscriber.set(subscriber, stream)
  }

  /** Forgets a stream that has ended, and the changes that wait. */
  forget(subscriber: Subscriber): void {
    const stream = this.#bySubscriber.get(subscriber)
    if (!stream) return
    this.#bySubscriber.delete(subscriber)
    this.#byKey.delete(stream.key)
  }

  /** The stream of a control id, by the hash of its secret. @throws TidingsError `not_found` */
  find(key: string): ControlledStream {
    return this.#byKey.get(key) ?? notFound()
  }

  /** The identity of the newest token of a stream that can be changed. */
  tokenOf(subscriber: Subscriber): TokenIdentity | undefined {
    return this.#bySubscriber.get(subscriber)?.token
  }

  of(subscriber: Subscriber): ControlledStream {
    return this.#bySubscriber.get(subscriber) ?? notFound()
  }

  /**
   * Accepts a valid change. It takes effect after those before it.
   * @throws TidingsError `changes_too_many`
   */
  accept({ subscriber, waiting }: ControlledStream, change: StreamChange): void {
    const { sweeper, context } = this.#deps
    if (waiting.length >= maxWaiting) throw new TidingsError('changes_too_many', `the limit is ${maxWaiting}`)
    const size = JSON.stringify(encodeChange(change)).length
    if (waiting.length > 0 && waiting.reduce((sum, one) => sum + one.size, size) > maxWaitingSize) {
      throw new TidingsError('changes_too_many', `the limit of their size is ${maxWaitingSize} characters`)
    }
    // So what is published after the answer counts for the change, however late it takes effect.
    waiting.push({ change, size, position: Math.max(subscriber.cursor, context.head()) })
    if (subscriber.state === 'live') {
      sweeper.complete(subscriber, context.head())
      subscriber.fallBehind(flightCodes.changing)
    }
    context.catchUp(subscriber)
  }

  positionOf(subscriber: Subscriber): number {
    return this.#bySubscriber.get(subscriber)?.waiting[0]?.position ?? Infinity
  }

  applyNext(subscriber: Subscriber): boolean {
    const stream = this.#bySubscriber.get(subscriber)
    const [next] = stream?.waiting ?? []
    if (!stream || !next) return true
    next.plan ??= this.#plan(stream, next)
    if (next.plan instanceof TidingsError) {
      stream.waiting.shift()
      this.#refuse(subscriber, next, next.plan)
      return true
    }
    if (next.plan.replay && !next.plan.replay.isDone) return false
    stream.waiting.shift()
    this.#apply(stream, next, next.plan)
    return true
  }

  announceLive(subscriber: Subscriber): void {
    const stream = this.#bySubscriber.get(subscriber)
    if (!stream?.mustAnnounceLive) return
    stream.mustAnnounceLive = false
    const id = formatId(this.#deps.context.epoch(), subscriber.cursor)
    const text = encode({ type: 'tidings:live', id, data: JSON.stringify({ lastEventId: id }) })
    subscriber.send(Buffer.from(text), subscriber.cursor)
  }

  async replayNext(subscriber: Subscriber): Promise<void> {
    const plan = this.#bySubscriber.get(subscriber)?.waiting[0]?.plan
    if (!plan || plan instanceof TidingsError || !plan.replay) return
    const ending = this.#endingOf(subscriber, plan)
    if (ending) return this.#deps.context.leave(subscriber, ending)
    const entries = await plan.replay.read()
    if (subscriber.state === 'closed') return
    // With another epoch, the position of the stream is one of the old epoch.
    if (!entries) return this.#deps.context.leave(subscriber, 'gap')
    const [oldest] = entries
    if (!oldest) return
    const { encoding } = plan.interest
    const bytes = Buffer.from(entries.map((entry) => replayTextOf(entry, encoding)).join(''))
    const count = entries.length
    const size = { entries: count, deliveries: count, bytes: bytes.length }
    this.#deps.observer.delivered({ by: 'catch-up', ...size, oldestTime: oldest.time })
    subscriber.delivered += count
    subscriber.send(bytes, subscriber.cursor)
  }

  /** A replay is sent by the rights of the change, which may end before it takes effect. */
  #endingOf({ connection: { address } }: Subscriber, { granted, allowed, interest }: Plan): CloseReason | undefined {
    if (Math.min(granted.until, allowed.until) <= Date.now()) return 'expired'
    const { selectors } = interest
    return this.#deps.revocations.refusalOf({ token: granted.token, address, selectors }) && 'revoked'
  }

  #plan(stream: ControlledStream, { change }: WaitingChange): Plan | TidingsError {
    const { log, context, revocations } = this.#deps
    try {
      const plan = stream.plan(change, log, context.epoch())
      const { address } = stream.subscriber.connection
      const code = revocations.refusalOf({ token: plan.granted.token, address, selectors: change.add ?? [] })
      return code ? new TidingsError(code) : plan
    } catch (error) {
      if (error instanceof TidingsError) return error
      this.#deps.observer.failed(error)
      return new TidingsError('internal')
    }
  }

  #apply(stream: ControlledStream, { change }: WaitingChange, plan: Plan): void {
    const { subscriber } = stream
    const before = subscriber.audience.interest
    stream.changed(change, before, plan)
    this.#move(subscriber, plan)
    subscriber.note(flightCodes.changed, subscriber.selectors.length)
    const id = formatId(this.#deps.context.epoch(), subscriber.cursor)
    const topics = subscriber.selectors.map(textOf)
    const { gap } = plan.replay ?? {}
    const confirmation = { topics, lastEventId: id, ...(gap && { gap }), ...requestOf(change) }
    const text = encode({ type: 'tidings:changed', id, data: JSON.stringify(confirmation) })
    subscriber.send(Buffer.from(text), subscriber.cursor)
    subscriber.expireAt(stream.until)
    this.#deps.reschedule(subscriber)
    this.#deps.observer.changed(subscriber, before.selectors)
    // Its token or a topic may have been revoked while the change waited.
    if (this.#deps.revocations.refuses(subscriber)) this.#deps.context.leave(subscriber, 'revoked')
  }

  /** From here on, its audience has other frames: those after its cursor, which are in the window or the log. */
  #move(subscriber: Subscriber, { interest }: Plan): void {
    const { audiences } = this.#deps
    const before = subscriber.audience
    const audience = audiences.for(interest)
    if (audience === before) return
    audience.members.add(subscriber)
    subscriber.audience = audience
    subscriber.mayHaveEnded = true
    audiences.remove(subscriber, before)
  }

  #refuse(subscriber: Subscriber, { change }: WaitingChange, { code, message }: TidingsError): void {
    const data = JSON.stringify({ code, message, ...requestOf(change) })
    subscriber.send(Buffer.from(encode({ type: 'tidings:refused', data })), subscriber.cursor)
    this.#deps.observer.changeRefused(code satisfies ErrorCode)
  }
}

function requestOf({ request }: StreamChange): { request?: string } {
  return request === undefined ? {} : { request }
}

function notFound(): never {
  throw new TidingsError('not_found', 'the stream has ended, or there is none with this control URL')
}
