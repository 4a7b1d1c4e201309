// Caches the grants of verified tokens, so that a publisher's signature is not verified again for each update. The keys
// are hashes: the cache does not contain tokens.
import { BoundedMap } from '../bounded-map.ts'
import { sha256 } from '../digest.ts'
import type { Grants } from './grants.ts'

interface Verified {
  readonly grants: Grants
  readonly at: number
}

const maxEntries = 1_000
/** In milliseconds. A token may be accepted for this long after its key is withdrawn. */
const maxAge = 60_000

export class GrantsCache {
  readonly #verified = new BoundedMap<string, Verified>({ maxEntries, isExpired })

  /** @param context what else the result depends on, such as the role */
  keyOf(token: string, context: string): string {
    return `${context} ${sha256(token, 'base64')}`
  }

  get(key: string): Grants | undefined {
    return this.#verified.get(key)?.grants
  }

  set(key: string, grants: Grants): void {
    this.#verified.set(key, { grants, at: Date.now() })
  }
}

function isExpired({ grants, at }: Verified): boolean {
  const now = Date.now()
  // `now < at` if the clock was set back: the age is then unknown.
  return now < at || now - at >= maxAge || now >= grants.until
}
