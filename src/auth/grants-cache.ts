// Caches the grants of verified tokens, so that a publisher's signature is not verified again for each update. The keys
// are hashes: the cache does not contain tokens.
import { createHash } from 'node:crypto'
import { BoundedMap } from '../bounded-map.ts'
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
  get(token: string, context: string): Grants | undefined {
    return this.#verified.get(keyOf(token, context))?.grants
  }

  set(token: string, context: string, grants: Grants): void {
    this.#verified.set(keyOf(token, context), { grants, at: Date.now() })
  }
}

function isExpired({ grants, at }: Verified): boolean {
  const now = Date.now()
  // `now < at` if the clock was set back: the age is then unknown.
  return now < at || now - at >= maxAge || now >= grants.until
}

function keyOf(token: string, context: string): string {
  return `${context} ${createHash('sha256').update(token).digest('base64')}`
}
