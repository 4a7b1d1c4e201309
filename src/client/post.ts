// Sends a request that publishes, and repeats it with one idempotency key while that may help.
import { fullJitterMs, readRetryAfter } from '../backoff.ts'
import { delay, timeoutMs, withTimeLimit } from './abort.ts'
import type { Credentials } from './endpoint.ts'
import { isDenial, isTransient, RefusedError, refusalOf } from './errors.ts'
import { authorization, Token, type TokenOption } from './token.ts'

export interface PostOptions {
  readonly token?: TokenOption
  readonly signal?: AbortSignal
  /** For how long a request is retried, in milliseconds; 0 for one attempt; default 10,000. */
  readonly retryTimeout?: number
  readonly credentials?: Credentials
  readonly fetch?: typeof fetch
}

export interface Post {
  readonly url: URL
  /** The content type. */
  readonly type: string
  readonly body: string | Uint8Array<ArrayBuffer>
  /** Identifies the request across retries. */
  readonly key: string
}

/** Waits before the next attempt. It may resolve early, or throw to give up. */
export type Wait = (ms: number, signal: AbortSignal | undefined, error: unknown) => Promise<void>

const backoff = { firstMs: 500, maxMs: 10_000 }
const maxRetryAfterMs = 3_600_000

/**
 * Returns the text of the answer.
 * @throws RefusedError if a retry would not help; the error of the last attempt when `retryTimeout` is over
 */
export async function post({ url, type, body, key }: Post, options: PostOptions, wait: Wait = delay): Promise<string> {
  const { signal, retryTimeout = 10_000, credentials, fetch = globalThis.fetch } = options
  const token = new Token(options.token)
  const until = performance.now() + retryTimeout
  let isDenied = false
  for (let failures = 1; ; failures++) {
    signal?.throwIfAborted()
    let error: unknown
    let minMs = 0
    try {
      return await withTimeLimit(
        timeoutMs,
        async (signal) => {
          const headers = {
            'Content-Type': type,
            Accept: 'application/json, text/plain;q=0.5',
            'Idempotency-Key': `"${key}"`,
            ...authorization(await token.get())
          }
          const init = { method: 'POST', headers, body, signal, ...(credentials && { credentials }) }
          const response = await fetch(url, init)
          if (response.ok) return await response.text()
          minMs = readRetryAfter(response.headers.get('Retry-After'), maxRetryAfterMs)
          throw await refusalOf(response)
        },
        signal
      )
    } catch (failure) {
      signal?.throwIfAborted()
      error = failure
    }
    if (error instanceof RefusedError) {
      if (isDenial(error.status) && token.isRenewable && !isDenied) {
        isDenied = true
        continue
      }
      if (!isTransient(error.status)) throw error
    }
    const waitMs = minMs + fullJitterMs(failures, backoff)
    if (performance.now() + waitMs > until) throw error
    await wait(waitMs, signal, error)
  }
}

/** Reads the ids of so many updates. @throws RefusedError if no hub has answered, but something that answers every request with 200 */
export function idsIn(text: string, count: number): string[] {
  try {
    const { ids } = JSON.parse(text) as { ids: string[] }
    if (ids.length === count) return ids
  } catch {
    // It is not what a hub answers.
  }
  throw new RefusedError(200, 'not_a_hub', 'the server is not a tidings hub; check the URL')
}

/** Identifies a request. `crypto.randomUUID` exists in secure contexts only. */
export function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (word) => word.toString(36)).join('-')
}
