// One connection to Redis: keeps dialling, answers within a deadline, and says of what failed whether it had been sent. It
// knows no log, and tells nobody the password.
import { createClient, ErrorReply } from 'redis'
import { TidingsError } from '../errors.ts'
import type { Script } from './redis-scripts.ts'

/** Where Redis is, as the package wants to be told. */
export interface Address {
  readonly socket: { host: string; port: number; tls?: true }
  readonly username?: string
  readonly password?: string
  readonly database: number
}

/** What was sent, and whether it was done nobody knows. */
export class Unanswered extends Error {}

type Client = ReturnType<typeof makeClient>

interface Waiter {
  resolve(client: Client): void
  reject(error: unknown): void
}

const longestPause = 1_000

export class RedisLink {
  readonly #address: Address
  readonly #timeout: number
  readonly #failed: (error: TidingsError) => void
  readonly #waiters = new Set<Waiter>()
  #client: Client | undefined
  #isReady = false
  #isClosed = false
  #failures = 0
  #timer: NodeJS.Timeout | undefined
  #reason = 'it did not answer'

  constructor(address: Address, timeout: number, failed: (error: TidingsError) => void) {
    this.#address = address
    this.#timeout = timeout
    this.#failed = failed
    this.#dial()
  }

  /**
   * Runs a script, which Redis is sent as text only where it does not have it.
   * @throws as `send` does
   */
  async run(script: Script, key: string, args: readonly string[]): Promise<unknown> {
    try {
      return await this.send(['EVALSHA', script.sha, '1', key, ...args])
    } catch (error) {
      if (!(error instanceof ErrorReply && error.message.startsWith('NOSCRIPT'))) throw error
      return await this.send(['EVAL', script.text, '1', key, ...args])
    }
  }

  /**
   * Sends a command, once. `patience` is for one that Redis may sit on for a while.
   * @throws TidingsError `log_unavailable` when it was not sent, `closed` after `close()`; Unanswered when it was sent and
   * not answered; ErrorReply when Redis refused it.
   */
  async send(args: string[], patience = 0): Promise<unknown> {
    const began = performance.now()
    const client = await this.#ready()
    const left = this.#timeout + patience - (performance.now() - began)
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('it did not answer')), Math.max(1, left))
    })
    try {
      return await Promise.race([client.sendCommand(args), late])
    } catch (error) {
      if (error instanceof ErrorReply) throw error
      this.#lose(client, error)
      throw new Unanswered(this.#isClosed ? 'the log was closed meanwhile' : this.#reason)
    } finally {
      clearTimeout(timer)
    }
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Lets go of the connection at once; what waits for an answer is not answered. */
  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    const client = this.#client
    this.#client = undefined
    if (client) destroy(client)
    for (const waiter of this.#waiters) waiter.reject(new TidingsError('closed'))
  }

  /** What an error says, without what nobody is to read. */
  reasonOf(error: unknown): string {
    const { message = '', code = '' } = error as { message?: string; code?: string }
    const { password } = this.#address
    const text = message || code || 'the connection was cut'
    return password ? text.replaceAll(password, '***') : text
  }

  async #ready(): Promise<Client> {
    if (this.#isClosed) throw new TidingsError('closed')
    if (this.#client && this.#isReady) return this.#client
    let waiter: Waiter | undefined
    let timer: NodeJS.Timeout | undefined
    try {
      return await new Promise<Client>((resolve, reject) => {
        waiter = { resolve, reject }
        this.#waiters.add(waiter)
        timer = setTimeout(() => reject(new TidingsError('log_unavailable', this.#reason)), this.#timeout)
      })
    } finally {
      clearTimeout(timer)
      if (waiter) this.#waiters.delete(waiter)
    }
  }

  /** The package would dial again by itself, but not let go of a Redis that takes connections and says nothing. */
  #dial(): void {
    const client = makeClient(this.#address, this.#timeout)
    this.#client = client
    this.#timer = setTimeout(() => this.#lose(client, new Error('it did not answer')), this.#timeout)
    client.on('error', (error: unknown) => this.#lose(client, error))
    // Who is let go of while dialling has no socket yet that the package would close.
    client.on('connect', () => {
      if (client !== this.#client) destroy(client)
    })
    client.connect().then(
      () => this.#begin(client),
      (error: unknown) => this.#lose(client, error)
    )
  }

  #begin(client: Client): void {
    if (client !== this.#client) {
      destroy(client)
      return
    }
    clearTimeout(this.#timer)
    this.#isReady = true
    this.#failures = 0
    for (const waiter of this.#waiters) waiter.resolve(client)
  }

  #lose(client: Client, error: unknown): void {
    if (client !== this.#client || this.#isClosed) return
    this.#client = undefined
    this.#isReady = false
    destroy(client)
    this.#reason = this.reasonOf(error)
    clearTimeout(this.#timer)
    const pause = Math.min(longestPause, 25 * 2 ** Math.min(this.#failures++, 10))
    // Not all at once: many nodes lose the same Redis at the same moment.
    this.#timer = setTimeout(() => this.#dial(), pause * (0.5 + Math.random() / 2)).unref()
    this.#failed(new TidingsError('log_unavailable', this.#reason))
  }
}

/** @throws RangeError that says what is wrong, but never what was given: a password may be in it. */
export function parseAddress(url: string): Address {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed?.protocol !== 'redis:' && parsed?.protocol !== 'rediss:')
    throw new RangeError('url: expected an address such as redis://localhost:6379/0 or rediss://user:password@host')
  const database = /^\/?(\d*)$/.exec(parsed.pathname)?.[1]
  if (database === undefined) throw new RangeError('url: expected a database number after the host, such as /0')
  const host = parsed.hostname.replace(/^\[|\]$/g, '') || 'localhost'
  return {
    socket: { host, port: Number(parsed.port || 6379), ...(parsed.protocol === 'rediss:' && { tls: true as const }) },
    ...(parsed.username && { username: decode(parsed.username) }),
    ...(parsed.password && { password: decode(parsed.password) }),
    database: Number(database)
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new RangeError('url: user or password hold a % that begins no escape')
  }
}

function makeClient({ socket, ...address }: Address, timeout: number) {
  const { tls, ...place } = socket
  const common = { ...place, connectTimeout: timeout, reconnectStrategy: false as const }
  return createClient({
    ...address,
    socket: tls ? { ...common, tls, servername: place.host } : common,
    RESP: 2,
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: 'disabled'
  })
}

function destroy(client: Client): void {
  try {
    client.destroy()
  } catch {
    // It was gone already.
  }
}
