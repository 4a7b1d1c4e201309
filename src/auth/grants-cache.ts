// Remembers for a moment what tokens were found to grant, so that a publisher's token is not verified anew for each update. It
// holds hashes, not tokens.
import { createHash } from 'node:crypto'
import type { Grants } from './grants.ts'

interface Entry {
  readonly grants: Grants
  readonly verifiedAt: number
}

const most = 1_000
/** In milliseconds. So much longer a token may be accepted after its key is withdrawn. */
const longest = 60_000

/** The newest thousand, each for at most a minute and never beyond its end. */
export class GrantsCache {
  readonly #entries = new Map<string, Entry>()

  get(token: string, circumstances: string): Grants | undefined {
    const key = keyOf(token, circumstances)
    const entry = this.#entries.get(key)
    if (!entry) return undefined
    const now = Date.now()
    // A clock that was set back makes an entry older than it seems.
    if (now >= entry.verifiedAt && now - entry.verifiedAt < longest && now < entry.grants.until) return entry.grants
    this.#entries.delete(key)
    return undefined
  }

  set(token: string, circumstances: string, grants: Grants): void {
    if (this.#entries.size >= most) this.#entries.delete(this.#entries.keys().next().value as string)
    this.#entries.set(keyOf(token, circumstances), { grants, verifiedAt: Date.now() })
  }
}

function keyOf(token: string, circumstances: string): string {
  return `${circumstances} ${createHash('sha256').update(token).digest('base64')}`
}
