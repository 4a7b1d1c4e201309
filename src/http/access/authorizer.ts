// Asks an application whether somebody may do something, and remembers what it decided. Where there is no decision, the answer
// is no. It knows no request and no stream.
import { OptionError, TidingsError } from '../../errors.ts'
import { Semaphore } from '../../hub/semaphore.ts'
import { callbackAddress, post, type Reply, reasonOf } from './callback.ts'
import { type Decision, readDecision, rememberedFor } from './decision.ts'
import { DecisionCache } from './decision-cache.ts'

export interface AuthorizeOptions {
  /** Address of an application that is asked, by POST, about every stream and every publish; default none. */
  authorize?: string
  /** Names of a client's headers that the application is told; default none. */
  authorizeHeaders?: readonly string[]
  /** Milliseconds that an answer may take; default 2,000. */
  authorizeTimeout?: number
  /** What questions are signed with; default no signature. */
  webhookKey?: string
}

/** What the application is asked. All of it decides which questions are equal. */
export interface Question {
  readonly action: 'subscribe' | 'publish'
  readonly topics: readonly unknown[]
  readonly private?: boolean
  readonly address: string
  readonly subject?: string
  readonly headers: Record<string, string>
}

const defaultTimeout = 2_000
const maxTimeout = 60_000
/** Questions that are under way at a time. */
const maxAtOnce = 100
/** How often it is said that the application fails, in milliseconds. */
const sayMs = 10_000
// [RFC 9110, 5.1]
const headerName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/**
 * Undefined where nobody is to be asked.
 * @throws OptionError
 */
export function readAuthorizer(options: AuthorizeOptions, failed: (error: unknown) => void): Authorizer | undefined {
  return options.authorize ? new Authorizer(options.authorize, options, failed) : undefined
}

export class Authorizer {
  /** In lower case. */
  readonly headers: readonly string[]
  readonly #address: URL
  readonly #key: string
  readonly #timeout: number
  readonly #failed: (error: unknown) => void
  readonly #known = new DecisionCache()
  readonly #asked = new Map<string, Promise<Decision>>()
  readonly #turns = new Semaphore(maxAtOnce)
  #saidAt = Number.NEGATIVE_INFINITY

  constructor(address: string, options: AuthorizeOptions, failed: (error: unknown) => void) {
    const { authorizeHeaders = [], authorizeTimeout = defaultTimeout, webhookKey = '' } = options
    this.#address = callbackAddress('authorize', address)
    this.headers = authorizeHeaders.map(readName)
    this.#timeout = readTimeout(authorizeTimeout)
    this.#key = webhookKey
    this.#failed = failed
  }

  /** @throws TidingsError `authorize_failed` where there is no decision */
  async decide(question: Question): Promise<Decision> {
    const body = JSON.stringify(question)
    const key = DecisionCache.keyOf(body)
    const known = this.#known.get(key)
    if (known) return known
    const asked = this.#asked.get(key) ?? this.#ask(key, body)
    this.#asked.set(key, asked)
    return asked
  }

  async #ask(key: string, body: string): Promise<Decision> {
    const control = new AbortController()
    const timer = setTimeout(() => control.abort(), this.#timeout)
    try {
      const reply = await this.#turns.run(() => this.#post(body, control.signal), control.signal)
      const decision = readDecision(reply)
      this.#known.set(key, decision, rememberedFor(reply.headers))
      return decision
    } catch (error) {
      this.#say(error)
      throw new TidingsError('authorize_failed', undefined, { cause: error })
    } finally {
      clearTimeout(timer)
      this.#asked.delete(key)
    }
  }

  /** Once more where it broke off: a connection that was kept may have been closed just as it was used again. */
  async #post(body: string, signal: AbortSignal): Promise<Reply> {
    const call = { address: this.#address, body, key: this.#key, signal }
    try {
      return await post(call)
    } catch (error) {
      if (signal.aborted) throw error
      return await post(call)
    }
  }

  #say(reason: unknown): void {
    if (performance.now() - this.#saidAt < sayMs) return
    this.#saidAt = performance.now()
    const error = new Error(`authorize: ${this.#address.origin}: ${reasonOf(reason)}`)
    // Where in our code it happened tells nobody anything.
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
