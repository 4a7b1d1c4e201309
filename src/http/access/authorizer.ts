// Asks the authorizing application, by HTTP or in process. Caches decisions that came by HTTP. Without a decision, nothing is allowed.

import { OptionError, TidingsError } from '../../errors.ts'
import { Semaphore } from '../../hub/semaphore.ts'
import type { Selector } from '../../topics/matcher.ts'
import type { HttpRequest } from '../exchange.ts'
import { type AuthorizeFunction, FunctionAuthorizer } from './authorize-function.ts'
import { callbackAddress, post, type Reply, reasonOf } from './callback.ts'
import {
  type AskingRequest,
  type Authorizer,
  cacheTimeOf,
  type Decision,
  type Question,
  readDecision
} from './decision.ts'
import { DecisionCache } from './decision-cache.ts'

export interface AuthorizeOptions {
  /**
   * Decides about every stream, publish and deletion, in addition to tokens; default none. Without keys it decides alone.
   * Either a function of this process, or the http(s) URL of an application, which gets a POST with JSON. If there is no
   * decision, the client gets 503 `authorize_failed`.
   */
  authorize?: string | AuthorizeFunction
  /** Names of request headers that are sent to the URL, such as `cookie`; default none. A function gets all headers. */
  authorizeHeaders?: readonly string[]
  /** Milliseconds that a decision may take, at most 60,000; default 2,000. */
  authorizeTimeout?: number
  /** The secret of the HMAC-SHA256 signature of requests to the application and to webhooks; default no signature. */
  webhookKey?: string
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
  const { authorize, authorizeHeaders = [], authorizeTimeout = defaultTimeout, webhookKey = '' } = options
  // Checked also without `authorize`, so that a mistake does not wait for the day on which it is set.
  const headers = authorizeHeaders.map(readName)
  const timeout = readTimeout(authorizeTimeout)
  if (!authorize) return undefined
  const report = atIntervals(failed)
  if (typeof authorize === 'function') {
    if (headers.length === 0) return new FunctionAuthorizer(authorize, timeout, report)
    throw new OptionError(
      'authorizeHeaders',
      'cannot be combined with a function as authorize, which gets all headers; remove it'
    )
  }
  const address = callbackAddress('authorize', authorize)
  return new CallbackAuthorizer({ address, headers, key: webhookKey, timeout, report })
}

/** An application that fails, fails for every client. */
function atIntervals(failed: (error: unknown) => void): (error: unknown) => void {
  let reportedAt = Number.NEGATIVE_INFINITY
  return (error) => {
    if (performance.now() - reportedAt < reportEveryMs) return
    reportedAt = performance.now()
    failed(error)
  }
}

interface CallbackOptions {
  readonly address: URL
  /** Names of the headers to forward, in lower case. */
  readonly headers: readonly string[]
  /** The secret of the signature; empty for none. */
  readonly key: string
  readonly timeout: number
  readonly report: (error: unknown) => void
}

class CallbackAuthorizer implements Authorizer {
  readonly #options: CallbackOptions
  readonly #cache = new DecisionCache()
  readonly #pending = new Map<string, Promise<Decision>>()
  readonly #semaphore = new Semaphore(maxConcurrent)

  constructor(options: CallbackOptions) {
    this.#options = options
  }

  /** Equal questions share a decision. */
  async decide({ topics, ...question }: Question, { request }: AskingRequest): Promise<Decision> {
    const headers = this.#headersOf(request)
    const { action, private: isPrivate, id, address, subject } = question
    const body = JSON.stringify({
      action,
      topics: topics.map(describe),
      private: isPrivate,
      id,
      address,
      subject,
      headers
    })
    const key = DecisionCache.keyOf(body)
    const cached = this.#cache.get(key)
    if (cached) return cached
    const pending = this.#pending.get(key) ?? this.#ask(key, body)
    this.#pending.set(key, pending)
    return pending
  }

  async #ask(key: string, body: string): Promise<Decision> {
    const control = new AbortController()
    const timer = setTimeout(() => control.abort(), this.#options.timeout)
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

  #headersOf(request: HttpRequest): Record<string, string> {
    const names = this.#options.headers.filter((name) => Object.hasOwn(request.headers, name))
    return Object.fromEntries(names.map((name) => [name, String(request.headers[name])]))
  }

  /** Retries once: the server may have closed a kept-alive connection just when it was used again. */
  async #post(body: string, signal: AbortSignal): Promise<Reply> {
    const { address, key } = this.#options
    const call = { address, body, key, signal }
    try {
      return await post(call)
    } catch (error) {
      if (signal.aborted) throw error
      return await post(call)
    }
  }

  #report(reason: unknown): void {
    const error = new Error(`authorize: ${this.#options.address.origin}: ${reasonOf(reason)}`)
    // The stack would show only our own code.
    error.stack = error.message
    this.#options.report(error)
  }
}

/** A selector in JSON, as in tokens of Mercure 1.0. */
function describe(selector: Selector): unknown {
  return typeof selector === 'string' ? selector : { match: selector.match, match_type: selector.type }
}

function readName(name: string): string {
  if (headerName.test(name)) return name.toLowerCase()
  throw new OptionError('authorizeHeaders', `expected the name of a header, got ${JSON.stringify(name)}`)
}

function readTimeout(ms: number): number {
  if (ms > 0 && ms <= maxTimeout) return ms
  throw new OptionError('authorizeTimeout', `expected more than 0 and at most 1m, got ${ms}ms`)
}
