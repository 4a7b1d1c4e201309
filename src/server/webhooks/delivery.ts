// Delivers one batch of webhook events to one URL, and says how long to wait before the next attempt.
import { backoffMs, readRetryAfter } from '../../backoff.ts'
import { post, reasonOf } from '../../http/access/callback.ts'

/** The result of events. `refused`: the receiver answered 4xx. `failed`: all attempts failed. `dropped`: never sent. */
export type WebhookResult = 'delivered' | 'refused' | 'failed' | 'dropped'

export const maxAttempts = 8
/** How long one attempt may take, in milliseconds. */
const attemptMs = 5_000
/** The delays between attempts grow from the first to the longest; all attempts together take about five minutes. */
const delays = { firstMs: 500, growth: 3, maxMs: 120_000 }
/** The longest `Retry-After` that is obeyed. */
const maxRetryAfterMs = 300_000

export interface Attempt {
  /** `again`: a later attempt may succeed. */
  readonly result: 'delivered' | 'refused' | 'again'
  /** The status or the error, for people. */
  readonly why: string
  /** The `Retry-After` of the answer, in milliseconds. */
  readonly retryAfterMs: number
}

/** Makes one attempt. `over` cancels it. */
export async function attempt(address: URL, body: string, key: string, over: AbortSignal): Promise<Attempt> {
  const control = new AbortController()
  const stop = () => control.abort()
  const timer = setTimeout(stop, attemptMs)
  over.addEventListener('abort', stop)
  if (over.aborted) stop()
  try {
    const { status, headers } = await post({ address, body, key, signal: control.signal })
    return {
      result: resultOf(status),
      why: `answered ${status}`,
      retryAfterMs: readRetryAfter(headers.get('retry-after'), maxRetryAfterMs)
    }
  } catch (error) {
    return { result: 'again', why: reasonOf(error), retryAfterMs: 0 }
  } finally {
    clearTimeout(timer)
    over.removeEventListener('abort', stop)
  }
}

function resultOf(status: number): Attempt['result'] {
  if (status >= 200 && status <= 299) return 'delivered'
  return status === 408 || status === 429 || status >= 500 ? 'again' : 'refused'
}

/** Milliseconds until the next attempt, after so many of them. */
export function delayAfter(attempts: number, retryAfterMs: number): number {
  return Math.max(retryAfterMs, backoffMs(attempts, delays))
}
