// The token of a client: a text, or a function that returns a fresh one.

import { timeoutMs, withTimeLimit } from './abort.ts'

/** A bearer token, or a function that returns one. The function is called for every attempt, and before a token expires. */
export type TokenOption = string | (() => string | undefined | Promise<string | undefined>)

/** A token is renewed when a quarter of its life is left, at most so many milliseconds before it expires. */
const maxMarginMs = 30_000
/** The longest delay of a timer, in milliseconds. */
export const maxTimerMs = 2 ** 31 - 1

export class Token {
  readonly #option: TokenOption | undefined
  /** When the last token expires, in milliseconds since 1970; Infinity if unknown. */
  expiresAt = Number.POSITIVE_INFINITY

  constructor(option: TokenOption | undefined) {
    this.#option = option
  }

  /** Whether another call may return another token. */
  get isRenewable(): boolean {
    return typeof this.#option === 'function'
  }

  /** Rejects when the signal is aborted, or the function takes too long. */
  async get(signal?: AbortSignal): Promise<string | undefined> {
    const option = this.#option
    const token = typeof option === 'function' ? await withTimeLimit(timeoutMs, async () => option(), signal) : option
    this.expiresAt = token ? expiryOf(token) : Number.POSITIVE_INFINITY
    return token
  }

  /** Milliseconds until the token should be renewed; Infinity if it never has to be. */
  get renewIn(): number {
    const left = this.expiresAt - Date.now()
    return this.isRenewable ? left - Math.min(maxMarginMs, left / 4) : Number.POSITIVE_INFINITY
  }
}

/** Reads `exp` of a JWT [RFC 7519, 4.1.4]. It is not verified: the server does that. */
function expiryOf(token: string): number {
  try {
    const payload = token.split('.')[1] as string
    const { exp } = JSON.parse(atob(payload.replace(/-/g, '+').replace(/_/g, '/'))) as { exp?: unknown }
    return typeof exp === 'number' ? exp * 1_000 : Number.POSITIVE_INFINITY
  } catch {
    return Number.POSITIVE_INFINITY
  }
}

export function authorization(token: string | undefined): Record<string, string> {
  return token ? { Authorization: `Bearer ${token}` } : {}
}
