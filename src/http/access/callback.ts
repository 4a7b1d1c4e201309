// Sends one signed POST of JSON to another server, for authorization and webhooks. The size of the response is limited.
import { createHmac } from 'node:crypto'
import { readBoundedText } from '../../auth/bounded-text.ts'
import { OptionError } from '../../errors.ts'

/** Maximum size of a response, in bytes. A larger one is an error. */
const maxResponseBytes = 262_144

/** A request to another server. */
export interface Call {
  readonly address: URL
  /** JSON. */
  readonly body: string
  /** The HMAC secret; empty for no signature. */
  readonly key: string
  /** Aborts the request. */
  readonly signal: AbortSignal
}

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** Rejects if the response is not complete. A redirect is returned and not followed. */
export async function post({ address, body, key, signal }: Call): Promise<Reply> {
  const headers = { 'Content-Type': 'application/json', 'User-Agent': 'tidings', ...signed(body, key) }
  const response = await fetch(address, { method: 'POST', headers, body, signal, redirect: 'manual' })
  const text = await readBoundedText(response, maxResponseBytes, 'the answer')
  return { status: response.status, headers: response.headers, text }
}

/** The timestamp is signed too, so that the receiver can refuse a replayed request. */
function signed(body: string, key: string): Record<string, string> {
  const timestamp = String(Math.floor(Date.now() / 1_000))
  if (key === '') return { 'Tidings-Timestamp': timestamp }
  const signature = createHmac('sha256', key).update(`${timestamp}.${body}`).digest('hex')
  return { 'Tidings-Timestamp': timestamp, 'Tidings-Signature': `v1=${signature}` }
}

/**
 * Reads the URL of a callback. The error does not quote it, since it may contain a password.
 * @throws OptionError that names the option
 */
export function callbackAddress(option: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '') return url
  throw new OptionError(option, 'expected a URL that begins with https:// or http://, without user and password')
}

/** The reason for a failed request, without its contents. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  const code = cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined
  if (error.name === 'AbortError' || error.name === 'TimeoutError') return 'no answer in time'
  return code ?? error.message
}
