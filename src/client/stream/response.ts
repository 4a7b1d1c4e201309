// What a response or an error means for a stream: go on, try again, or end.
import { readRetryAfter } from '../../backoff.ts'
import { isDenial, isTransient, RefusedError, refusalOf } from '../errors.ts'

/** How an attempt ended, if it did not throw. */
export interface Interruption {
  readonly reason: string
  /** What the server answered, if it refused. */
  readonly error?: RefusedError
  /** Minimum delay that the server asked for, in milliseconds. */
  readonly minMs?: number
  /** Connect again at once. */
  readonly isImmediate?: boolean
  /** A fresh token may help. */
  readonly isDenied?: boolean
  /** Nothing more will come. */
  readonly isEnd?: boolean
}

/** The longest `Retry-After` that is obeyed, in milliseconds. */
const maxRetryAfterMs = 3_600_000

interface Expectation {
  /** The content type. */
  readonly type: string
  /** Whether a stream of this subscription was open before. */
  readonly hasOpened: boolean
  readonly mayRenewToken: boolean
}

/** Undefined if the response is what was asked for. @throws RefusedError if a retry would not help */
export async function interruptionOf(
  response: Response,
  { type, hasOpened, mayRenewToken }: Expectation
): Promise<Interruption | undefined> {
  const { status, headers } = response
  if (status === 204) return { reason: 'all topics have ended', isEnd: true }
  if (status === 200) {
    const contentType = headers.get('Content-Type') ?? 'no content type'
    if (contentType.toLowerCase().startsWith(type)) return undefined
    const reason = `the server answered with ${contentType} instead of ${type}`
    // A proxy may answer with a page during a deployment. If no stream was ever open, the URL is probably wrong.
    if (hasOpened) return { reason }
    throw new RefusedError(status, 'not_a_stream', reason)
  }
  const refusal = await refusalOf(response)
  if (isTransient(status)) {
    const minMs = readRetryAfter(headers.get('Retry-After'), maxRetryAfterMs)
    return { reason: refusal.message, error: refusal, minMs }
  }
  if (isDenial(status) && mayRenewToken) return { reason: refusal.message, isImmediate: true, isDenied: true }
  throw refusal
}

/** Why a request got no answer, or a stream broke. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error && error.cause.message
    ? `${error.message}: ${error.cause.message}`
    : error.message
}
