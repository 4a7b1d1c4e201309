// One connection to Redis: reconnects, answers within a deadline, and says of a command that failed whether it had been sent. Its
// errors never contain the password.
import { ErrorReply } from 'redis'
import { backoffMs } from '../../backoff.ts'
import { within } from '../../deadline.ts'
import { TidingsError } from '../../errors.ts'
import { type Client, destroy, makeClient } from './dial.ts'
import { isRedirect, isRefusal, type RedisDiscovery } from './discovery.ts'
import type { Script } from './scripts.ts'

/** A command was sent and not answered, or failed half-way: it may have been done. */
export class OutcomeUnknownError extends Error {}

/** One attempt to connect, and its client. */
interface Attempt {
  readonly over: AbortController
  client?: Client
}

interface Waiter {
  resolve(attempt: Attempt): void
  reject(error: unknown): void
}

export interface ConnectionOptions {
  readonly discovery: RedisDiscovery
  /** How long Redis may take to answer, in milliseconds. */
  readonly timeoutMs: number
  /** Called whenever a connection is lost or cannot be made. */
  readonly failed: (error: TidingsError) => void
  /** Runs before any other command on a new connection. */
  readonly onConnected: (send: (args: string[]) => Promise<unknown>) => Promise<void>
}

/** Delays between attempts to connect. */
const delays = { firstMs: 25, maxMs: 1_000 }

export class RedisConnection {
  readonly #discovery: RedisDiscovery
  readonly #timeoutMs: number
  readonly #failed: (error: TidingsError) => void
  readonly #onConnected: ConnectionOptions['onConnected']
  readonly #waiters = new Set<Waiter>()
  #attempt: Attempt | undefined
  #isReady = false
  #isClosed = false
  #failures = 0
  #timer: NodeJS.Timeout | undefined
  #reason = 'it did not answer'

  constructor({ discovery, timeoutMs, failed, onConnected }: ConnectionOptions) {
    this.#onConnected = onConnected
    this.#discovery = discovery
    this.#timeoutMs = timeoutMs
    this.#failed = failed
    this.#dial()
  }

  /**
   * Runs a script by its hash, and sends its text only when Redis does not have it.
   * @throws as `send` does
   */
  async run(script: Script, key: string, args: () => readonly string[]): Promise<unknown> {
    try {
      return await this.send(() => ['EVALSHA', script.sha, '1', key, ...args()])
    } catch (error) {
      if (!(error instanceof ErrorReply && error.message.startsWith('NOSCRIPT'))) throw error
      return await this.send(() => ['EVAL', script.text, '1', key, ...args()])
    }
  }

  /**
   * Sends a command, which is done at most once. When Redis refuses it because it belongs to another server, or cannot be served yet,
   * it is sent again within the deadline. A function is called for the command when there is a connection, since the state of the log
   * may have changed while it waited. `blockMs` is added to the deadline for a command that blocks.
   * @throws TidingsError `log_unavailable` when it was not sent, or refused by all servers, `closed` after `close()`;
   * OutcomeUnknownError when it was sent and not answered; ErrorReply when Redis refused it for another reason.
   */
  async send(command: string[] | (() => string[]), blockMs = 0): Promise<unknown> {
    const deadline = performance.now() + this.#timeoutMs
    for (;;) {
      const attempt = await this.#ready(deadline - performance.now())
      try {
        const args = typeof command === 'function' ? command() : command
        return await this.#ask(attempt, args, deadline + blockMs - performance.now())
      } catch (error) {
        if (error instanceof ErrorReply && !isRedirect(error)) throw error
        this.#lose(attempt, error)
        if (!isRedirect(error))
          throw new OutcomeUnknownError(this.#isClosed ? 'the log was closed meanwhile' : this.#reason)
      }
    }
  }

  /** Whether there is a connection on which Redis answered. */
  get isReady(): boolean {
    return this.#isReady
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Closes the connection at once. Commands in progress get no answer. */
  close(): void {
    this.#isClosed = true
    this.#isReady = false
    this.#letGo()
    for (const waiter of this.#waiters) waiter.reject(new TidingsError('closed'))
  }

  /** The message of an error, without passwords. */
  reasonOf(error: unknown): string {
    return this.#discovery.reasonOf(error)
  }

  async #ask({ client }: Attempt, args: string[], left: number): Promise<unknown> {
    const answer = await within(Math.max(1, left), (client as Client).sendCommand(args), () => {
      throw new Error('it did not answer')
    })
    this.#failures = 0
    return answer
  }

  async #ready(left: number): Promise<Attempt> {
    if (this.#isClosed) throw new TidingsError('closed')
    if (this.#attempt && this.#isReady) return this.#attempt
    let waiter: Waiter | undefined
    let timer: NodeJS.Timeout | undefined
    try {
      return await new Promise<Attempt>((resolve, reject) => {
        waiter = { resolve, reject }
        this.#waiters.add(waiter)
        timer = setTimeout(() => reject(new TidingsError('log_unavailable', this.#reason)), left)
      })
    } finally {
      clearTimeout(timer)
      if (waiter) this.#waiters.delete(waiter)
    }
  }

  /** The package could reconnect, but would keep a server that accepts connections and does not answer. */
  #dial(): void {
    const attempt: Attempt = { over: new AbortController() }
    this.#attempt = attempt
    this.#timer = setTimeout(() => this.#lose(attempt, new Error('it did not answer')), this.#timeoutMs)
    this.#connect(attempt).then(
      () => this.#begin(attempt),
      (error: unknown) => this.#lose(attempt, error)
    )
  }

  async #connect(attempt: Attempt): Promise<void> {
    const host = await this.#discovery.find(attempt.over.signal)
    if (attempt !== this.#attempt) return
    const client = makeClient(host, this.#discovery.connectOptions, this.#timeoutMs, () => attempt === this.#attempt)
    attempt.client = client
    client.on('error', (error: unknown) => this.#lose(attempt, error))
    await client.connect()
    const send = (args: string[]) => client.sendCommand(args)
    await this.#discovery.check(send)
    await this.#onConnected(send)
  }

  #begin(attempt: Attempt): void {
    if (attempt !== this.#attempt) {
      if (attempt.client) destroy(attempt.client)
      return
    }
    clearTimeout(this.#timer)
    this.#isReady = true
    for (const waiter of this.#waiters) waiter.resolve(attempt)
  }

  #lose(attempt: Attempt, error: unknown): void {
    if (attempt !== this.#attempt || this.#isClosed) return
    this.#isReady = false
    this.#letGo()
    this.#discovery.failed(error)
    this.#reason = this.reasonOf(error)
    this.#timer = setTimeout(() => this.#dial(), backoffMs(++this.#failures, delays)).unref()
    const failure = new TidingsError('log_unavailable', this.#reason)
    // Waiting does not help against a wrong password.
    if (isRefusal(error)) for (const waiter of this.#waiters) waiter.reject(failure)
    this.#failed(failure)
  }

  #letGo(): void {
    clearTimeout(this.#timer)
    const attempt = this.#attempt
    this.#attempt = undefined
    attempt?.over.abort()
    if (attempt?.client) destroy(attempt.client)
  }
}
