// Fetches the keys of a JWK Set URL [RFC 7517, 5], and keeps them when the server fails. It never fetches a URL that a
// token contains.
import {
  createRemoteJWKSet,
  customFetch,
  type FetchImplementation,
  type JWTVerifyGetKey,
  type RemoteJWKSet
} from 'jose'
import { isObject } from '../json.ts'
import { asymmetricAlgorithms, familyOf, readAlgorithms } from './algorithms.ts'
import { readBoundedText } from './bounded-text.ts'

/** Milliseconds between two requests for unknown keys, and after a failure. */
const cooldownMs = 30_000
/** Milliseconds after which the keys are fetched again. */
const maxAgeMs = 600_000
/** Milliseconds that a response may take. */
const fetchTimeoutMs = 5_000
/** Maximum size of a JWK Set, in bytes. A larger one is an error. */
const maxBytes = 262_144

/**
 * Makes a key resolver for jose. It fetches the JWK Set when a key is first needed, when a token names an unknown key,
 * and when the keys are old, but not more often than the cooldown, whatever tokens arrive. While the server fails,
 * known keys remain valid, and tokens with other keys are refused.
 * @param failed called when fetching fails, at most once per cooldown
 * @throws RangeError as `readJwksAddress` does
 */
export function remoteKeys(address: string, failed: (error: unknown) => void = () => {}): JWTVerifyGetKey {
  const keys = new RemoteKeys(readJwksAddress(address), failed)
  return (header, token) => keys.find(header, token)
}

/**
 * The algorithms of such keys; default all except HS256, HS384 and HS512.
 * @throws RangeError for those and for unknown ones
 */
export function remoteAlgorithms(wanted?: readonly string[]): readonly string[] {
  const algorithms = wanted === undefined ? asymmetricAlgorithms : readAlgorithms(wanted)
  const secret = algorithms.find((name) => familyOf(name) === 'secret')
  if (secret === undefined) return algorithms
  throw new RangeError(`the algorithm ${secret} requires a secret, which a JWK Set URL must not publish`)
}

/**
 * Reads the URL of a JWK Set. The error does not quote it, since it may contain a password.
 * @throws RangeError for text that is not an http(s) URL, or has a user
 */
export function readJwksAddress(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isUsable = url && /^https?:$/.test(url.protocol) && url.username === '' && url.password === ''
  if (!isUsable) {
    throw new RangeError('expected a URL such as https://id.example.com/jwks, without user and password')
  }
  return url
}

class RemoteKeys {
  readonly #set: RemoteJWKSet
  readonly #failed: (error: unknown) => void
  /**
   * When the keys were fetched, and when fetching last failed, in the time of `performance.now`, which is never set
   * back.
   */
  #fetchedAt: number | undefined
  #failedAt: number | undefined

  constructor(address: URL, failed: (error: unknown) => void) {
    this.#failed = failed
    this.#set = createRemoteJWKSet(address, {
      timeoutDuration: fetchTimeoutMs,
      cooldownDuration: cooldownMs,
      // Otherwise jose drops old keys even if it cannot fetch new ones.
      cacheMaxAge: Number.POSITIVE_INFINITY,
      // Requests are too rare to keep the connection open.
      headers: { connection: 'close' },
      [customFetch]: (url, options) => this.#fetch(url, options)
    })
  }

  async find(...[header, token]: Parameters<JWTVerifyGetKey>): ReturnType<RemoteJWKSet> {
    if (this.#isOld) await this.#set.reload().catch(() => undefined)
    return this.#set(header, token)
  }

  get #isOld(): boolean {
    return this.#fetchedAt !== undefined && performance.now() - this.#fetchedAt >= maxAgeMs && !this.#failedRecently
  }

  get #failedRecently(): boolean {
    return this.#failedAt !== undefined && performance.now() - this.#failedAt < cooldownMs
  }

  async #fetch(...[url, options]: Parameters<FetchImplementation>): Promise<Response> {
    if (this.#failedRecently) throw new Error('the JWK Set URL failed a moment ago')
    try {
      const jwks = await fetchSet(url, options)
      this.#fetchedAt = performance.now()
      return Response.json(jwks)
    } catch (error) {
      this.#failedAt = performance.now()
      this.#failed(error)
      throw error
    }
  }
}

async function fetchSet(...[url, options]: Parameters<FetchImplementation>): Promise<unknown> {
  const response = await fetch(url, options)
  if (response.status !== 200) {
    await response.body?.cancel()
    throw new Error(`the JWK Set URL answered with status ${response.status}`)
  }
  const jwks: unknown = JSON.parse(await readBoundedText(response, maxBytes, 'the JWK Set'))
  if (!isSet(jwks)) throw new Error('the JWK Set URL did not answer with a JWK Set')
  return jwks
}

function isSet(value: unknown): value is { keys: object[] } {
  return isObject(value) && Array.isArray(value.keys) && value.keys.every(isObject)
}
