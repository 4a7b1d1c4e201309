// A request that must not come from a cache.
import type { Credentials } from '../endpoint.ts'
import { authorization } from '../token.ts'

interface Requester {
  readonly fetch: typeof fetch
  readonly credentials?: Credentials | undefined
}

export interface Get {
  readonly url: string
  readonly token: string | undefined
  readonly headers: Record<string, string>
  readonly signal: AbortSignal
}

export function get({ fetch, credentials }: Requester, { url, token, headers, signal }: Get): Promise<Response> {
  // A browser's fetch must not be called as a method of another object.
  const init = { headers: { ...headers, ...authorization(token) }, signal, cache: 'no-store' as const }
  return fetch(url, { ...init, ...(credentials && { credentials }) })
}
