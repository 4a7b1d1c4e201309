// Asks the authorizing application by HTTP, and caches its decisions. Without a decision, nothing is allowed.
import { OptionError, TidingsError } from '../../errors.ts'
import { Semaphore } from '../../hub/semaphore.ts'
import { callbackAddress, post, type Reply, reasonOf } from './callback.ts'
import { cacheTimeOf, type Decision, readDecision } from './decision.ts'
import { DecisionCache } from './decision-cache.ts'

export interface AuthorizeOptions {
  /**
   * The http(s) URL of an application that decides about every stream and every publish, in addition to tokens; default
   * none. It gets a POST with JSON. If it gives no decision, the client gets 503 `authorize_failed`.
   */
  authorize?: string
  /** Names of request headers that are forwarded to the application, such as `cookie`; default none. */
  authorizeHeaders?: readonly string[]
  /** Milliseconds that a decision may take, at most 60,000; default 2,000. */
  authorizeTimeout?: number
  /** The secret of the HMAC-SHA256 signature of requests to the application and to webhooks; default no signature. */
  webhookKey?: string
}

/** The JSON that the application receives. Equal questions share a decision. */
export interface Question {
  readonly action: 'subscribe' | 'publish' | 'delete'
  readonly topics: readonly unknown[]
  readonly private?: boolean
  /** The update to delete. */
  readonly id?: string
  readonly address: string
  readonly subject?: string
  readonly headers: Record<string, string>
}

const defaultTimeout = 2_000
const maxTimeout = 60_000
/** Requests to the application at a time. */
const maxConcurrent = 100
/** Milliseconds between two reports that the application fails. */
const reportEveryMs = 10_000
// [RFC 9110, 5.1]
const headerName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/**
 * Undefined if the option `authorize` is not set.
 * @throws OptionError
 */
export function readAuthorizer(options: AuthorizeOptions, failed: (error: unknown) => void): Authorizer | undefined {
  return options.authorize ? new Authorizer(options.authorize, options, failed) : undefined
}

export class Authorizer {
  /** Names of the headers to forward, in lower case. */
  readonly headers: readonly string[]
  readonly #address: URL
  readonly #key: string
  readonly #timeout: number
  readonly #failed: (error: unknown) => void
  readonly #cache = new DecisionCache()
  readonly #pending = new Map<string, Promise<Decision>>()
  readonly #semaphore = new Semaphore(maxConcurrent)
  #reportedAt = Number.NEGATIVE_INFINITY

  constructor(address: string, options: AuthorizeOptions, failed: (error: unknown) => void) {
    const { authorizeHeaders = [], authorizeTimeout = defaultTimeout, webhookKey = '' } = options
    this.#address = callbackAddress('authorize', address)
    this.headers = authorizeHeaders.map(readName)
    this.#timeout = readTimeout(authorizeTimeout)
    this.#key = webhookKey
    this.#failed = failed
  }

  /** @throws TidingsError `authorize_failed` if the application gives no decision */
  async decide(question: Question): Promise<Decision> {
    const body = JSON.stringify(question)
    const key = DecisionCache.keyOf(body)
    const cached = this.#cache.get(key)
    if (cached) return cached
    const pending = this.#pending.get(key) ?? this.#ask(key, body)
    this.#pending.set(key, pending)
    return pending
  }

  async #ask(key: string, body: string): Promise<Decision> {
    const control = new AbortController()
    const timer = setTimeout(() => control.abort(), this.#timeout)
    try {
      const reply = await this.#semaphore.run(() => this.#post(body, control.signal), control.signal)
      const decision = readDecision(reply)
      this.#cache.set(key, decision, cacheTimeOf(reply.headers))
      return decision
    } catch (error) {
      this.#report(error)
      throw new TidingsError('authorize_failed', undefined, { cause: error })
    } finally {
      clearTimeout(timer)
      this.#pending.delete(key)
    }
  }

  /** Retries once: the server may have closed a kept-alive connection just when it was used again. */
  async #post(body: string, signal: AbortSignal): Promise<Reply> {
    const call = { address: this.#address, body, key: this.#key, signal }
    try {
      return await post(call)
    } catch (error) {
      if (signal.aborted) throw error
      return await post(call)
    }
  }

  #report(reason: unknown): void {
    if (performance.now() - this.#reportedAt < reportEveryMs) return
    this.#reportedAt = performance.now()
    const error = new Error(`authorize: ${this.#address.origin}: ${reasonOf(reason)}`)
    // The stack would show only our own code.
    error.stack = error.message
    this.#failed(error)
  }
}

function readName(name: string): string {
  if (headerName.test(name)) return name.toLowerCase()
  throw new OptionError('authorizeHeaders', `expected the name of a header, got ${JSON.stringify(name)}`)
}

function readTimeout(ms: number): number {
  if (ms > 0 && ms <= maxTimeout) return ms
  throw new OptionError('authorizeTimeout', `expected more than 0 and at most 1m, got ${ms}ms`)
}
