// One connection to Redis: keeps dialling, answers within a deadline, and says of what failed whether it had been sent. It
// knows no log, not whom to dial, and tells nobody the password.
import { ErrorReply } from 'redis'
import { TidingsError } from '../errors.ts'
import { type Client, destroy, makeClient } from './redis-dial.ts'
import { isElsewhere, isRefusal, type RedisFinder } from './redis-finder.ts'
import type { Script } from './redis-scripts.ts'

/** What was sent, and whether it was done nobody knows. */
export class Unanswered extends Error {}

/** One attempt to connect, and what came of it. */
interface Line {
  readonly over: AbortController
  client?: Client
}

interface Waiter {
  resolve(line: Line): void
  reject(error: unknown): void
}

export interface LinkOptions {
  readonly finder: RedisFinder
  /** How long Redis may take, in milliseconds. */
  readonly timeout: number
  /** Told whenever a connection, or an attempt at one, came to nothing. */
  readonly failed: (error: TidingsError) => void
  /** Comes before anything else on a new connection. */
  readonly begun: (send: (args: string[]) => Promise<unknown>) => Promise<void>
}

const longestPause = 1_000

export class RedisLink {
  readonly #finder: RedisFinder
  readonly #timeout: number
  readonly #failed: (error: TidingsError) => void
  readonly #begun: LinkOptions['begun']
  readonly #waiters = new Set<Waiter>()
  #line: Line | undefined
  #isReady = false
  #isClosed = false
  #failures = 0
  #timer: NodeJS.Timeout | undefined
  #reason = 'it did not answer'

  constructor({ finder, timeout, failed, begun }: LinkOptions) {
    this.#begun = begun
    this.#finder = finder
    this.#timeout = timeout
    this.#failed = failed
    this.#dial()
  }

  /**
   * Runs a script, which Redis is sent as text only where it does not have it.
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
   * Sends a command, which is done at most once. Where Redis refuses it because it is for another server, or for later, it goes to
   * that server, or is sent later, while there is time. A function is asked for the command when there is a connection: what is known
   * of the log may have changed while it was waited for. `patience` is for one that Redis may sit on for a while.
   * @throws TidingsError `log_unavailable` when it was not sent, or refused by all, `closed` after `close()`; Unanswered when it
   * was sent and not answered; ErrorReply when Redis refused it for what it is.
   */
  async send(command: string[] | (() => string[]), patience = 0): Promise<unknown> {
    const deadline = performance.now() + this.#timeout
    for (;;) {
      const line = await this.#ready(deadline - performance.now())
      try {
        const args = typeof command === 'function' ? command() : command
        return await this.#ask(line, args, deadline + patience - performance.now())
      } catch (error) {
        if (error instanceof ErrorReply && !isElsewhere(error)) throw error
        this.#lose(line, error)
        if (!isElsewhere(error)) throw new Unanswered(this.#isClosed ? 'the log was closed meanwhile' : this.#reason)
      }
    }
  }

  /** Whether there is a connection that Redis answered on. */
  get isReady(): boolean {
    return this.#isReady
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Lets go of the connection at once; what waits for an answer is not answered. */
  close(): void {
    this.#isClosed = true
    this.#isReady = false
    this.#letGo()
    for (const waiter of this.#waiters) waiter.reject(new TidingsError('closed'))
  }

  /** What an error says, without what nobody is to read. */
  reasonOf(error: unknown): string {
    return this.#finder.reasonOf(error)
  }

  async #ask({ client }: Line, args: string[], left: number): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('it did not answer')), Math.max(1, left))
    })
    try {
      const answer = await Promise.race([(client as Client).sendCommand(args), late])
      this.#failures = 0
      return answer
    } finally {
      clearTimeout(timer)
    }
  }

  async #ready(left: number): Promise<Line> {
    if (this.#isClosed) throw new TidingsError('closed')
    if (this.#line && this.#isReady) return this.#line
    let waiter: Waiter | undefined
    let timer: NodeJS.Timeout | undefined
    try {
      return await new Promise<Line>((resolve, reject) => {
        waiter = { resolve, reject }
        this.#waiters.add(waiter)
        timer = setTimeout(() => reject(new TidingsError('log_unavailable', this.#reason)), left)
      })
    } finally {
      clearTimeout(timer)
      if (waiter) this.#waiters.delete(waiter)
    }
  }

  /** The package would dial again by itself, but not let go of a Redis that takes connections and says nothing. */
  #dial(): void {
    const line: Line = { over: new AbortController() }
    this.#line = line
    this.#timer = setTimeout(() => this.#lose(line, new Error('it did not answer')), this.#timeout)
    this.#connect(line).then(
      () => this.#begin(line),
      (error: unknown) => this.#lose(line, error)
    )
  }

  async #connect(line: Line): Promise<void> {
    const host = await this.#finder.find(line.over.signal)
    if (line !== this.#line) return
    const client = makeClient(host, this.#finder.manner, this.#timeout, () => line === this.#line)
    line.client = client
    client.on('error', (error: unknown) => this.#lose(line, error))
    await client.connect()
    const send = (args: string[]) => client.sendCommand(args)
    await this.#finder.greet(send)
    await this.#begun(send)
  }

  #begin(line: Line): void {
    if (line !== this.#line) {
      if (line.client) destroy(line.client)
      return
    }
    clearTimeout(this.#timer)
    this.#isReady = true
    for (const waiter of this.#waiters) waiter.resolve(line)
  }

  #lose(line: Line, error: unknown): void {
    if (line !== this.#line || this.#isClosed) return
    this.#isReady = false
    this.#letGo()
    this.#finder.wasWrong(error)
    this.#reason = this.reasonOf(error)
    const pause = Math.min(longestPause, 25 * 2 ** Math.min(this.#failures++, 10))
    // Not all at once: many nodes lose the same Redis at the same moment.
    this.#timer = setTimeout(() => this.#dial(), pause * (0.5 + Math.random() / 2)).unref()
    const failure = new TidingsError('log_unavailable', this.#reason)
    // A wrong password does not become right by waiting.
    if (isRefusal(error)) for (const waiter of this.#waiters) waiter.reject(failure)
    this.#failed(failure)
  }

  #letGo(): void {
    clearTimeout(this.#timer)
    const line = this.#line
    this.#line = undefined
    line?.over.abort()
    if (line?.client) destroy(line.client)
  }
}
