// Writes answers and refusals that are not streams. It knows no endpoint.
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { type ErrorCode, TidingsError } from '../errors.ts'

/** On every answer: nothing here is a page unless it says so, and nothing is to be guessed or framed. */
export const commonHeaders: OutgoingHttpHeaders = {
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cache-Control': 'no-store'
}

export function sendText(
  response: ServerResponse,
  text: string,
  { Connection, ...headers }: OutgoingHttpHeaders = {},
  status = 200
): void {
  // [RFC 9113, 8.2.2] HTTP/2 has no such header.
  if (Connection !== undefined && response.req.httpVersionMajor < 2) response.setHeader('Connection', Connection)
  const length = Buffer.byteLength(text)
  response.writeHead(status, {
    ...commonHeaders,
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': length,
    ...headers
  })
  // Head and body leave in one write when both are Latin-1, as a head always is; a body of ASCII is the same in that.
  if (length === text.length) response.end(text, 'latin1')
  else response.end(Buffer.from(text))
}

export function sendJson(
  response: ServerResponse,
  value: unknown,
  headers: OutgoingHttpHeaders = {},
  status = 200
): void {
  sendText(response, `${JSON.stringify(value)}\n`, { 'Content-Type': 'application/json', ...headers }, status)
}

/** When to come again, and where not: a server that stops waits for its connections to end. */
export function retryHeaders(code: ErrorCode, status: number): OutgoingHttpHeaders {
  return {
    ...([429, 503, 504].includes(status) && { 'Retry-After': '1' }),
    ...(code === 'closed' && { Connection: 'close' })
  }
}

/** What a challenge says, by refusal [RFC 6750, 3.1]. */
const challenges: ReadonlyMap<ErrorCode, string> = new Map<ErrorCode, string>([
  ['token_missing', ''],
  ['token_invalid', 'invalid_token'],
  ['token_malformed', 'invalid_request'],
  ['not_granted', 'insufficient_scope']
])

/** Answers with a refusal's status and its sentence, as JSON for those who ask for it. */
export function sendError(
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  headers: OutgoingHttpHeaders = {}
): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  // Whatever is not a refusal is our own fault, and none of the client's business.
  const { code, status, message } = error instanceof TidingsError ? error : new TidingsError('internal')
  const all = {
    ...retryHeaders(code, status),
    // [RFC 9110, 11.6.1] Who is refused for want of a token is told that a token it is.
    ...(challenges.has(code) && {
      'WWW-Authenticate': code === 'token_missing' ? 'Bearer' : `Bearer error="${challenges.get(code)}"`
    }),
    ...headers
  }
  if (wantsJson(request)) sendJson(response, { error: { code, message } }, all, status)
  else sendText(response, `${message}\n`, all, status)
}

/** Whether the client asks for JSON by name. */
export function wantsJson(request: IncomingMessage): boolean {
  return rangesOf(request).some(({ range, isRefused }) => range === 'application/json' && !isRefused)
}

/**
 * Whether the client takes an answer of a type, such as `text/event-stream` [RFC 9110, 12.5.1]: the most specific range
 * that covers it decides, and a client that says nothing legible takes anything.
 */
export function acceptsType(request: IncomingMessage, type: string): boolean {
  const ranges = rangesOf(request)
  const covering = [type, type.replace(/\/.*/, '/*'), '*/*'].map((wanted) =>
    ranges.find(({ range }) => range === wanted)
  )
  const decisive = covering.find((range) => range !== undefined)
  return decisive ? !decisive.isRefused : ranges.length === 0
}

interface MediaRange {
  readonly range: string
  readonly isRefused: boolean
}

function rangesOf({ headers: { accept = '' } }: IncomingMessage): MediaRange[] {
  return accept
    .split(',')
    .map((text) => text.split(';').map((part) => part.trim().toLowerCase()))
    .filter(([range = '']) => /^[^\s/]+\/[^\s/]+$/.test(range))
    .map(([range = '', ...parameters]) => ({
      range,
      isRefused: parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))
    }))
}

/** A text as a header value: its UTF-8 bytes, which is how browsers read and write ids. */
export function encodeHeader(text: string): string {
  return Buffer.from(text).toString('latin1')
}
