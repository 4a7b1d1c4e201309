// The stream of the live page: opens it, and resumes it where the last one ended, so that no event is missed or repeated.
// Only this module knows with which client the page reads.
import { backoffMs } from '../../backoff.ts'
import { encode } from './address.ts'

/** An event in a stream with `envelope=json`. */
export interface Envelope {
  readonly topics: readonly string[]
  readonly id: string
  readonly type: string
  readonly data: string
  readonly time: number
}

export interface Gap {
  readonly requested: string
  readonly resumedAfter: string
  readonly reason: 'unknown' | 'epoch' | 'trimmed'
}

export interface Deletion {
  readonly topics: readonly string[]
  readonly id?: string
}

/** `ended`: all topics have ended and nothing is left to receive, so the stream does not reconnect by itself. */
export type StreamState = 'connecting' | 'live' | 'reconnecting' | 'ended'

export interface StreamListener {
  changed(state: StreamState): void
  updated(event: Envelope): void
  skipped(gap: Gap): void
  deleted(deletion: Deletion): void
  refused(answer: Response): void
}

const shownAtFirst = 20
const delays = { firstMs: 1_000, maxMs: 30_000 }
/** A publisher can set the reconnection time of browsers to a day. The page reconnects after this time at the latest. */
const reconnectTimeoutMs = 15_000

export class Stream {
  readonly #listener: StreamListener
  #topics: readonly string[] = []
  #source: EventSource | undefined
  /** The id to continue after; empty until the first event of these topics. */
  #lastId = ''
  /** Whether a stream of these topics was open before. */
  #hasOpened = false
  #hasEnded = false
  #failures = 0
  #retryTimer = 0

  constructor(listener: StreamListener) {
    this.#listener = listener
  }

  get isOpen(): boolean {
    return this.#source?.readyState === EventSource.OPEN
  }

  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** Begins with the newest events of these topics. */
  follow(topics: readonly string[]): void {
    this.#topics = topics
    this.#lastId = ''
    this.#hasOpened = false
    this.retry()
  }

  /** Connects at once, as if no attempt had failed. */
  retry(): void {
    this.#failures = 0
    this.connect()
  }

  /** Opens the stream where the last one ended. */
  connect(): void {
    clearTimeout(this.#retryTimer)
    this.#source?.close()
    this.#hasEnded = false
    this.#interrupted()
    const source = new EventSource(this.#path())
    source.onopen = () => this.#opened()
    source.onerror = () => this.#lost(source)
    source.onmessage = (event) => this.#listener.updated(this.#read<Envelope>(event))
    source.addEventListener('tidings:gap', (event) => this.#listener.skipped(this.#read<Gap>(event)))
    source.addEventListener('tidings:deleted', (event) => this.#listener.deleted(this.#read<Deletion>(event)))
    this.#source = source
  }

  /** The URL sets where a new EventSource begins. The browser itself resumes with `Last-Event-ID`. */
  #path(): string {
    const parameters = this.#topics.map((topic) => `topic=${encode(topic)}`)
    if (this.#lastId) parameters.push(`last_event_id=${encode(this.#lastId)}`)
    // The topics had no history when they were opened, so all of their history is new.
    else if (this.#hasOpened) parameters.push('last_event_id=earliest')
    else parameters.push(`last=${shownAtFirst}`)
    return `subscribe?${parameters.join('&')}&envelope=json`
  }

  #read<Data>(event: MessageEvent<string>): Data {
    this.#lastId = event.lastEventId
    return JSON.parse(event.data) as Data
  }

  #opened(): void {
    clearTimeout(this.#retryTimer)
    this.#hasOpened = true
    this.#failures = 0
    this.#listener.changed('live')
  }

  #interrupted(): void {
    this.#listener.changed(this.#hasOpened ? 'reconnecting' : 'connecting')
  }

  #lost(source: EventSource): void {
    clearTimeout(this.#retryTimer)
    this.#interrupted()
    if (source.readyState !== EventSource.CLOSED) {
      this.#retryTimer = setTimeout(() => this.connect(), reconnectTimeoutMs)
      return
    }
    // The browser gives up after any status except 200.
    this.#retryTimer = setTimeout(() => this.connect(), backoffMs(++this.#failures, delays))
    void this.#explainRefusal(source)
  }

  /** An EventSource hides why it was refused, so the same request is sent with `fetch`. */
  async #explainRefusal(source: EventSource): Promise<void> {
    const answer = await fetch(source.url).catch(() => undefined)
    if (!answer) return
    if (answer.status === 204) this.#end(source)
    else if (answer.ok) await answer.body?.cancel()
    else this.#listener.refused(answer)
  }

  /** The server answers 204 when all topics have ended and nothing is left to receive. */
  #end(source: EventSource): void {
    if (source !== this.#source) return
    clearTimeout(this.#retryTimer)
    this.#hasEnded = true
    this.#listener.changed('ended')
  }
}
