// Delivers one batch of events to one address: tries, waits longer each time, and gives up at last. It knows no event.
import { post, reasonOf } from '../../http/access/callback.ts'

/** What became of events. `refused`: the address does not want them. `failed`: it could not be had. */
export type WebhookResult = 'delivered' | 'refused' | 'failed' | 'dropped'

export const maxAttempts = 8
/** How long one attempt may take, in milliseconds. */
const attemptMs = 5_000
/** What is waited after the first attempt, by how much that grows, and to what: about five minutes in all. */
const firstDelayMs = 500
const growth = 3
const maxDelayMs = 120_000
/** The longest that an address may ask us to wait. */
const maxAskedMs = 300_000

export interface Attempt {
  /** `again`: it may work later. */
  readonly result: 'delivered' | 'refused' | 'again'
  /** What was answered, or what went wrong, for people. */
  readonly why: string
  /** How long the address asks us to wait, in milliseconds. */
  readonly asked: number
}

/** One attempt, which ends by itself, or when it is told to. */
export async function attempt(address: URL, body: string, key: string, over: AbortSignal): Promise<Attempt> {
  const control = new AbortController()
  const stop = () => control.abort()
  const timer = setTimeout(stop, attemptMs)
  over.addEventListener('abort', stop)
  if (over.aborted) stop()
  try {
    const { status, headers } = await post({ address, body, key, signal: control.signal })
    return { result: resultOf(status), why: `answered ${status}`, asked: readRetryAfter(headers.get('retry-after')) }
  } catch (error) {
    return { result: 'again', why: reasonOf(error), asked: 0 }
  } finally {
    clearTimeout(timer)
    over.removeEventListener('abort', stop)
  }
}

function resultOf(status: number): Attempt['result'] {
  if (status >= 200 && status <= 299) return 'delivered'
  return status === 408 || status === 429 || status >= 500 ? 'again' : 'refused'
}

/** How long to wait after so many attempts, give or take a fifth, so that many servers do not come back at once. */
export function delayAfter(attempts: number, asked: number): number {
  const delay = Math.min(firstDelayMs * growth ** (attempts - 1), maxDelayMs)
  return Math.max(delay * (0.8 + Math.random() * 0.4), asked)
}

/** Seconds, or a date [RFC 9110, 10.2.3]. */
function readRetryAfter(value: string | null): number {
  if (value === null) return 0
  const wait = /^\d{1,9}$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now()
  return wait > 0 ? Math.min(wait, maxAskedMs) : 0
}
