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

export interface RemoteKeysOptions {
  /** Told when the address fails, at most once per cooldown. */
  readonly failed?: (error: unknown) => void
  /** How long the address is left alone after it was asked, in milliseconds; 30,000 by default. */
  readonly cooldown?: number
  /** How old the keys may become before the address is asked again, in milliseconds; 600,000 by default. */
  readonly maxAge?: number
  /** How long an answer may take, in milliseconds; 5,000 by default. */
  readonly timeout?: number
}

/** Maximum size of a JWK Set, in bytes. A larger one is an error. */
const maxBytes = 262_144

/**
 * Makes a key resolver for jose. It fetches the JWK Set when a key is first needed, when a token names an unknown key,
 * and when the keys are old, but not more often than the cooldown, whatever tokens arrive. While the server fails,
 * known keys remain valid, and tokens with other keys are refused.
 * @throws RangeError when it is no address of http or https
 */
export function remoteKeys(address: string, options: RemoteKeysOptions = {}): JWTVerifyGetKey {
  const keys = new RemoteKeys(readJwksAddress(address), options)
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
 * The address of a JWK Set. The error does not quote it, since it may hold a password.
 * @throws RangeError when it is no address of http or https, or has a user
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
  readonly #cooldown: number
  readonly #maxAge: number
  readonly #failed: (error: unknown) => void
  /**
   * When the keys were fetched, and when fetching last failed, in the time of `performance.now`, which is never set
   * back.
   */
  #fetchedAt: number | undefined
  #failedAt: number | undefined

  constructor(
    address: URL,
    { failed = () => {}, cooldown = 30_000, maxAge = 600_000, timeout = 5_000 }: RemoteKeysOptions
  ) {
    this.#cooldown = cooldown
    this.#maxAge = maxAge
    this.#failed = failed
    this.#set = createRemoteJWKSet(address, {
      timeoutDuration: timeout,
      cooldownDuration: cooldown,
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
    return this.#fetchedAt !== undefined && performance.now() - this.#fetchedAt >= this.#maxAge && !this.#failedRecently
  }

  get #failedRecently(): boolean {
    return this.#failedAt !== undefined && performance.now() - this.#failedAt < this.#cooldown
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
