// Keeps a stream open: connects, reads, notices silence, waits, and connects again from the last event id.
import type { EventSourceMessage } from 'eventsource-parser'
import { fullJitterMs } from '../../backoff.ts'
import { RefusedError } from '../errors.ts'
import { Token } from '../token.ts'
import { get } from './get.ts'
import type { ConnectionOptions } from './options.ts'
import { isPageHidden, observePage } from './page-events.ts'
import { ResumableParser } from './parser.ts'
import { Pause } from './pause.ts'
import { renewInTime } from './renewal.ts'
import { type Interruption, interruptionOf, reasonOf } from './response.ts'
import type { ClosedState, State } from './state.ts'
import { Watchdog } from './watchdog.ts'

/** A refusal in JSON has a code. */
const accept = 'text/event-stream, application/json;q=0.1'
const backoff = { firstMs: 1_000, maxMs: 30_000 }
/** A stream that lasted so long counts as a success, in milliseconds. */
const minLifeMs = 5_000
/** The shortest time between two attempts of which none failed, in milliseconds. */
const minRestartMs = 200

/** Why an attempt was aborted although nothing failed. */
const restarted = Symbol('restarted')

export class Connection {
  lastEventId: string
  state: State = { status: 'connecting' }
  readonly #options: ConnectionOptions
  readonly #token: Token
  readonly #end = new AbortController()
  readonly #pause = new Pause()
  #attempt = new AbortController()
  #watchdog: Watchdog | undefined
  #failures = 0
  #retryMs = 0
  #hasOpened = false
  /** When this attempt began, and when its stream did, on the monotonic clock. */
  #startedAt = 0
  #beganAt = Number.POSITIVE_INFINITY
  /** Until when the server asked to wait, on the monotonic clock. */
  #notBefore = 0
  #isDenied = false
  #isBuffered = false

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.lastEventId = options.from
    this.#token = new Token(options.token)
  }

  /** Connects until the stream ends, is refused or is closed. */
  start(): void {
    const { pauseWhenHidden, onLeaving = () => {} } = this.#options
    observePage(
      {
        woke: (isSuspect) => {
          if (isSuspect) this.restart(Number.NEGATIVE_INFINITY)
          this.#watchdog?.check()
          this.#failures = 0
          this.#continue()
        },
        offline: () => this.#attempt.abort('the network is offline'),
        visibility: (isHidden) => pauseWhenHidden && isHidden && this.#hasOpened && this.restart(),
        leaving: onLeaving
      },
      this.#end.signal
    )
    void this.#run()
  }

  close(state: ClosedState = { status: 'closed', reason: 'client' }): void {
    if (this.#end.signal.aborted) return
    this.#end.abort()
    this.#attempt.abort('closed')
    this.#pause.end()
    this.#set(state)
  }

  /** Connects again at once, from the last event id. @param startedAt `-Infinity` allows it also for a new attempt */
  restart(startedAt = this.#startedAt): void {
    this.#startedAt = startedAt
    this.#attempt.abort(restarted)
    this.#continue()
  }

  /** Ends a wait, but not before the server allows it. */
  #continue(): void {
    if (performance.now() >= this.#notBefore) this.#pause.end()
  }

  /** The server has sent what was published before. */
  caughtUp(): void {
    if (this.state.status === 'catching-up') this.#set({ status: 'live', via: 'stream' })
  }

  /** The server announced how its stream begins. */
  opened(isLive: boolean, heartbeatMs: number | undefined): void {
    if (this.#watchdog && heartbeatMs !== undefined) this.#watchdog.limitMs = heartbeatMs * 2
    this.#set(isLive ? { status: 'live', via: 'stream' } : { status: 'catching-up' })
  }

  async #run(): Promise<void> {
    while (!this.#end.signal.aborted) {
      if (this.#options.pauseWhenHidden && this.#hasOpened && isPageHidden()) {
        await this.#wait(Number.POSITIVE_INFINITY, { reason: 'the page is hidden' })
        continue
      }
      this.#set({ status: 'connecting' })
      this.#attempt = new AbortController()
      this.#beganAt = Number.POSITIVE_INFINITY
      this.#startedAt = performance.now()
      const interruption = await this.#connect().catch((error: unknown) => this.#failed(error))
      this.#watchdog?.stop()
      if (this.#end.signal.aborted) return
      const endedAt = performance.now()
      if (endedAt - this.#beganAt > minLifeMs) this.#failures = 0
      // A reason to connect again at once that comes back at once is a failure.
      if (interruption.isImmediate && (interruption.isDenied || endedAt - this.#startedAt > minRestartMs)) continue
      this.#failures++
      // The minimum is added: many clients that lost their server together must not all return together.
      const { minMs: askedMs = 0 } = interruption
      this.#notBefore = endedAt + askedMs
      const minMs = Math.max(this.#retryMs, askedMs)
      await this.#wait(minMs + Math.ceil(fullJitterMs(this.#failures, backoff)), interruption)
    }
  }

  #failed(error: unknown): Interruption {
    if (error instanceof RefusedError) this.close({ status: 'closed', reason: 'refused', error })
    const { aborted, reason } = this.#attempt.signal
    const cause = aborted ? reason : error
    return cause === restarted ? { reason: '', isImmediate: true } : { reason: reasonOf(cause) }
  }

  async #connect(): Promise<Interruption> {
    const token = await this.#token.get(this.#attempt.signal)
    if (this.#isBuffered && this.#options.pageUrl) return this.#poll(token)
    this.#attempt.signal.throwIfAborted()
    const timer = setTimeout(() => {
      this.#isBuffered = this.#options.pageUrl !== undefined
      this.#attempt.abort(this.#isBuffered ? restarted : `no answer within ${this.#options.openTimeoutMs / 1_000} s`)
    }, this.#options.openTimeoutMs)
    try {
      const url = this.#options.streamUrl(this.lastEventId)
      const headers = { Accept: accept, ...this.#options.headers }
      const response = await get(this.#options, { url, token, headers, signal: this.#attempt.signal })
      const refused = await this.#refused(response, 'text/event-stream')
      return refused ?? (await this.#read(response, () => clearTimeout(timer)))
    } finally {
      clearTimeout(timer)
    }
  }

  /** Undefined if the response is a success. @throws RefusedError if a retry would not help */
  async #refused(response: Response, type: string): Promise<Interruption | undefined> {
    const mayRenewToken = this.#token.isRenewable && !this.#isDenied
    const interruption = await interruptionOf(response, { type, hasOpened: this.#hasOpened, mayRenewToken })
    if (interruption?.isEnd) this.close({ status: 'closed', reason: 'ended' })
    if (interruption?.isDenied) this.#isDenied = true
    if (interruption) await response.body?.cancel().catch(() => {})
    return interruption
  }

  async #read(response: Response, onFirstBytes: () => void): Promise<Interruption> {
    const parser = new ResumableParser()
    const watchdog = new Watchdog(this.#options.idleTimeoutMs, () => this.#attempt.abort('the stream is silent'))
    const stopRenewing = renewInTime(this.#token, this.#options.renew, () => this.restart())
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    try {
      for (let isFirst = true; ; isFirst = false) {
        const { done, value } = await reader.read()
        if (done) return { reason: 'the server closed the stream' }
        if (isFirst) this.#begin(watchdog, onFirstBytes)
        watchdog.seen()
        this.#options.onBytes?.(value)
        const events = parser.feed(value)
        this.lastEventId = parser.takeOpeningId() ?? this.lastEventId
        await this.#deliver(events, watchdog)
        this.#retryMs = parser.retry ?? this.#retryMs
      }
    } finally {
      stopRenewing()
      watchdog.stop()
      void reader.cancel().catch(() => {})
    }
  }

  #begin(watchdog: Watchdog, onFirstBytes: () => void): void {
    onFirstBytes()
    this.#beganAt = performance.now()
    this.#hasOpened = true
    this.#isDenied = false
    this.#watchdog = watchdog
    watchdog.check()
    // A stream of tidings says next how it begins.
    if (!this.#options.renew) this.#set({ status: 'live', via: 'stream' })
  }

  async #deliver(events: readonly EventSourceMessage[], watchdog?: Watchdog): Promise<void> {
    for (const event of events) {
      if (this.#attempt.signal.aborted) return
      const waiting = this.#options.onEvent(event)
      // An event without an id does not change the last id [HTML, 9.2.6].
      if (event.id !== undefined) this.lastEventId = event.id
      // A server that crashes after the opening must not be asked without end.
      if (event.event !== 'tidings:open') this.#failures = 0
      if (waiting !== undefined) await (watchdog?.pauseDuring(waiting) ?? waiting)
    }
  }

  /** Few networks need it, so it is loaded then. */
  async #poll(token: string | undefined): Promise<Interruption> {
    this.#isBuffered = false
    const { poll } = await import('./polling.ts')
    const interruption = await poll(this.#options, {
      token,
      renewable: this.#token,
      signal: this.#attempt.signal,
      lastEventId: this.lastEventId,
      refused: (response) => this.#refused(response, 'application/json'),
      watch: (watchdog) => {
        this.#watchdog = watchdog
      },
      restart: () => this.restart(),
      deliver: (events, watchdog) => this.#deliver(events, watchdog),
      arrived: (lastEventId, isWorking) => {
        this.lastEventId = lastEventId
        this.#hasOpened = true
        // Polling works and the stream does not: something buffers it.
        this.#isBuffered = isWorking
        this.#set({ status: 'live', via: 'polling' })
      },
      ended: () => this.close({ status: 'closed', reason: 'ended' })
    })
    return interruption ?? { reason: '', isImmediate: true }
  }

  async #wait(ms: number, { reason, error }: Interruption): Promise<void> {
    this.#set({ status: 'waiting', until: Date.now() + ms, reason, ...(error && { error }) })
    if (!this.#end.signal.aborted) await this.#pause.wait(ms)
  }

  #set(state: State): void {
    if (this.state.status === 'closed') return
    this.state = state
    this.#options.onState(state)
  }
}
