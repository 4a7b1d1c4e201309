// One stream that its client may change: its rights, what it has delivered, and the changes that wait.
import { TidingsError } from '../../errors.ts'
import type { Log } from '../../log/log.ts'
import type { Selector } from '../../topics/matcher.ts'
import type { TokenIdentity } from '../connection.ts'
import { Interest } from '../interest.ts'
import { validateRequest } from '../subscribe-request.ts'
import type { Subscriber } from '../subscriber.ts'
import { type GrantedRights, meaningOf, type Rights, type StreamChange } from './change.ts'
import { Coverage } from './coverage.ts'
import { Replay } from './replay.ts'

/** What a change makes of a stream. */
export interface Plan {
  readonly interest: Interest
  readonly granted: GrantedRights
  readonly allowed: Rights
  readonly replay: Replay | undefined
}

/** A change that was accepted and waits. */
export interface WaitingChange {
  readonly change: StreamChange
  /** In characters of JSON. */
  readonly size: number
  /** Where it takes effect: the stream has everything up to this offset first. */
  readonly position: number
  /** What it makes of the stream, or why it is refused; known when its turn comes. */
  plan?: Plan | TidingsError
}

export class ControlledStream {
  readonly key: string
  readonly subscriber: Subscriber
  readonly waiting: WaitingChange[] = []
  /** Whether `tidings:live` has yet to be sent. A stream that begins at the head is live from the start. */
  mustAnnounceLive: boolean
  readonly #coverage: Coverage
  #granted: GrantedRights
  #allowed: Rights

  constructor(key: string, subscriber: Subscriber, granted: GrantedRights, allowed: Rights) {
    this.key = key
    this.subscriber = subscriber
    this.mustAnnounceLive = subscriber.cursor < subscriber.historyEnd
    this.#granted = granted
    this.#allowed = allowed
    this.#coverage = new Coverage(subscriber.cursor, subscriber.audience.interest)
  }

  /** Whose token it has. */
  get subject(): string | undefined {
    return this.#granted.subject
  }

  /** The identity of its newest token. */
  get token(): TokenIdentity | undefined {
    return this.#granted.token ?? (this.subject === undefined ? undefined : { subject: this.subject })
  }

  /** Until when it may be read, in milliseconds since 1970. */
  get until(): number {
    return Math.min(this.#granted.until, this.#allowed.until)
  }

  /**
   * What a change makes of the stream as it is now.
   * @throws TidingsError `subject_changed`, `selector_missing`, or as `validateRequest` does
   */
  plan(change: StreamChange, log: Log, epoch: string): Plan {
    const { add = [], remove = [], from } = change
    const granted = this.#grantedAfter(change)
    const allowed = this.#allowedAfter(change)
    const { selectors, encoding } = this.subscriber.audience.interest
    const removed = new Set(remove.map(meaningOf))
    const kept = selectors.filter((selector) => !removed.has(meaningOf(selector)))
    const topics = unique([...kept, ...add])
    if (topics.length === 0)
      throw new TidingsError('selector_missing', 'the change would remove the last topic selector')
    const readable = unique([...granted.readable, ...allowed.readable])
    validateRequest({ topics, readable })
    const interest = new Interest({ topics, readable, encoding })
    const isRefreshed = change.granted !== undefined || change.allowed !== undefined
    const through = this.subscriber.cursor
    const delivered = this.#coverage.of(kept)
    const options = { log, through, epoch, added: add, interest, isRefreshed, delivered }
    const replay = from === undefined ? undefined : new Replay({ ...options, from })
    return { interest, granted, allowed, replay }
  }

  /** Notes that a change has taken effect, with what was delivered because of it. */
  changed({ add = [], remove = [], granted, allowed }: StreamChange, before: Interest, plan: Plan): void {
    const { cursor } = this.subscriber
    const after = plan.replay?.after ?? cursor
    const had = new Set(before.selectors.map(meaningOf))
    for (const selector of remove) this.#coverage.removed(selector)
    for (const selector of add) {
      if (had.has(meaningOf(selector))) this.#coverage.extended(selector, after)
      else this.#coverage.added(selector, after)
    }
    const isRefreshed = granted !== undefined || allowed !== undefined
    this.#coverage.readable(plan.interest, cursor, isRefreshed ? after : cursor)
    this.#granted = plan.granted
    this.#allowed = plan.allowed
  }

  #grantedAfter({ granted }: StreamChange): GrantedRights {
    if (!granted) return this.#granted
    const { subject } = this.#granted
    if (subject !== undefined && granted.subject !== subject) throw new TidingsError('subject_changed')
    return granted
  }

  #allowedAfter({ allowed }: StreamChange): Rights {
    if (!allowed) return this.#allowed
    const { readable, until } = this.#allowed
    return { readable: unique([...readable, ...allowed.readable]), until: Math.min(until, allowed.until) }
  }
}

/** The selectors without those that have the same meaning as an earlier one. */
function unique(selectors: readonly Selector[]): Selector[] {
  return [...new Map(selectors.map((selector) => [meaningOf(selector), selector])).values()]
}
