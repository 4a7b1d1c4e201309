// The stream of the live page: opens it, and resumes it where the last one ended, so that no event is missed or repeated.
import {
  type Deletion,
  type Gap,
  RefusedError,
  type State,
  type Subscription,
  subscribe,
  type Update
} from '../../client/index.ts'
import { baseUrl } from './address.ts'

/** `ended`: all topics have ended. The stream does not reconnect by itself. */
export type StreamState = 'connecting' | 'live' | 'reconnecting' | 'ended'

export interface StreamListener {
  changed(state: StreamState): void
  updated(update: Update<string>): void
  skipped(gap: Gap): void
  deleted(deletion: Deletion): void
  refused(refusal: RefusedError): void
}

const shownAtFirst = 20
/** A server can ask clients to wait for a day. The page tries again after this time at the latest, also after a refusal. */
const maxWaitMs = 15_000

export class Stream {
  readonly #listener: StreamListener
  #topics: readonly string[] = []
  #subscription: Subscription<string> | undefined
  /** Whether a stream of these topics was open before. */
  #hasOpened = false
  #retryTimer = 0

  constructor(listener: StreamListener) {
    this.#listener = listener
  }

  get isOpen(): boolean {
    return this.#subscription?.state.status === 'live'
  }

  get hasEnded(): boolean {
    const state = this.#subscription?.state
    return state?.status === 'closed' && state.reason === 'ended'
  }

  /** Begins with the newest events of these topics. */
  follow(topics: readonly string[]): void {
    this.#topics = topics
    this.#subscription?.close()
    this.#subscription = undefined
    this.#hasOpened = false
    this.connect()
  }

  /** Opens the stream where the last one ended. */
  connect(): void {
    clearTimeout(this.#retryTimer)
    // The topics had no history when they were opened, so all of their history is new.
    const from = this.#subscription?.lastEventId || (this.#hasOpened ? 'earliest' : undefined)
    this.#subscription?.close()
    const start = from === undefined ? { last: shownAtFirst } : { from }
    const subscription = subscribe<string>(new URL('subscribe', baseUrl), {
      topics: this.#topics,
      parse: 'text',
      ...start
    })
    this.#subscription = subscription
    const { updated, skipped, deleted } = this.#listener
    subscription.on('state', (state) => subscription === this.#subscription && this.#changed(state))
    subscription.on('update', (update) => updated(update))
    subscription.on('gap', (gap) => skipped(gap))
    subscription.on('deleted', (deletion) => deleted(deletion))
  }

  #changed(state: State): void {
    clearTimeout(this.#retryTimer)
    if (state.status === 'live' || state.status === 'catching-up') {
      this.#hasOpened = true
      this.#listener.changed('live')
    } else if (state.status !== 'closed') {
      this.#listener.changed(this.#hasOpened ? 'reconnecting' : 'connecting')
      if (state.status === 'waiting') this.#retryLater(state.error)
    } else if (state.reason === 'ended') this.#listener.changed('ended')
    else if (state.error instanceof RefusedError) this.#retryLater(state.error)
  }

  #retryLater(refusal: RefusedError | undefined): void {
    this.#retryTimer = setTimeout(() => this.connect(), maxWaitMs)
    if (refusal) this.#listener.refused(refusal)
  }
}
