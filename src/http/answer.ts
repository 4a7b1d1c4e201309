// Writes answers and refusals that are not streams. It knows no endpoint.
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { TidingsError } from '../errors.ts'

/** On every answer: nothing here is a page unless it says so, and nothing is to be guessed or framed. */
export const commonHeaders: OutgoingHttpHeaders = {
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cache-Control': 'no-store'
}

export function answerText(
  response: ServerResponse,
  text: string,
  headers: OutgoingHttpHeaders = {},
  status = 200
): void {
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

export function answerJson(
  response: ServerResponse,
  value: unknown,
  headers: OutgoingHttpHeaders = {},
  status = 200
): void {
  answerText(response, `${JSON.stringify(value)}\n`, { 'Content-Type': 'application/json', ...headers }, status)
}

/** Answers with a refusal's status and its sentence, as JSON for those who ask for it. */
export function refuse(
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
  const all = { ...(status === 503 && { 'Retry-After': '1' }), ...headers }
  if (wantsJson(request)) answerJson(response, { error: { code, message } }, all, status)
  else answerText(response, `${message}\n`, all, status)
}

/** Whether the client asks for JSON by name. */
export function wantsJson(request: IncomingMessage): boolean {
  const { accept = '' } = request.headers
  return accept.split(',').some((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    return type === 'application/json' && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))
  })
}

/** A text as a header value: its UTF-8 bytes, which is how browsers read and write ids. */
export function encodeHeader(text: string): string {
  return Buffer.from(text).toString('latin1')
}
