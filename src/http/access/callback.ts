// Tells or asks another server something: one signed POST of JSON, in bounded time, with a bounded answer. It knows neither
// what is said nor what an answer means.
import { createHmac } from 'node:crypto'
import { readBoundedText } from '../../auth/bounded-text.ts'
import { OptionError } from '../../errors.ts'

/** Bytes of an answer, beyond which it counts as none. */
const maxAnswer = 262_144

/** What is sent to where. */
export interface Call {
  readonly address: URL
  /** JSON. */
  readonly body: string
  /** What the body is signed with; empty for no signature. */
  readonly key: string
  /** Ends it, whatever it waits for. */
  readonly signal: AbortSignal
}

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** Rejects where there is no whole answer. A redirect is an answer like others, and is not followed. */
export async function post({ address, body, key, signal }: Call): Promise<Reply> {
  const headers = { 'Content-Type': 'application/json', 'User-Agent': 'tidings', ...signed(body, key) }
  const response = await fetch(address, { method: 'POST', headers, body, signal, redirect: 'manual' })
  const text = await readBoundedText(response, maxAnswer, 'the answer')
  return { status: response.status, headers: response.headers, text }
}

/** The time is signed as well, so that what somebody overheard cannot be sent again later. */
function signed(body: string, key: string): Record<string, string> {
  const timestamp = String(Math.floor(Date.now() / 1_000))
  if (key === '') return { 'Tidings-Timestamp': timestamp }
  const signature = createHmac('sha256', key).update(`${timestamp}.${body}`).digest('hex')
  return { 'Tidings-Timestamp': timestamp, 'Tidings-Signature': `v1=${signature}` }
}

/**
 * The address of a callback. Neither it nor what is wrong with it is quoted: it may hold a password.
 * @throws OptionError
 */
export function callbackAddress(option: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '') return url
  throw new OptionError(option, 'expected a URL that begins with https:// or http://, without user and password')
}

/** What went wrong with a call, in a few words that quote nothing of it. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  const code = cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined
  if (error.name === 'AbortError' || error.name === 'TimeoutError') return 'no answer in time'
  return code ?? error.message
}
