// Sends responses and errors that are not streams.
import { type OutgoingHttpHeader, type OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { type ErrorCode, TidingsError } from '../errors.ts'
import { wantsJson } from './accept.ts'
import type { HttpRequest, HttpResponse } from './exchange.ts'

/** Sent with every response: no content sniffing, no frames, no scripts, no caching. */
export const commonHeaders: OutgoingHttpHeaders = {
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cache-Control': 'no-store'
}

/** Names and values in turn. */
type HeaderList = OutgoingHttpHeader[]

const commonList: HeaderList = Object.entries(commonHeaders).flatMap(([name, value]) => [name, value ?? ''])

const added = Symbol('headers that are sent with the head')
type ResponseWithHeaders = HttpResponse & { [added]?: HeaderList }

/** Adds a header to the head, which `writeHead` sends. With `setHeader`, Node would check and store each before it writes it. */
export function addHeader(response: ResponseWithHeaders, name: string, value: string): void {
  response[added] ??= []
  response[added].push(name, value)
}

/** Whether `addHeader` was called with this name. */
export function hasHeader(response: ResponseWithHeaders, name: string): boolean {
  return response[added]?.includes(name) === true
}

/** Sends the head: the headers that were added, and these, which replace them. */
export function writeHead(response: HttpResponse, status: number, headers: OutgoingHttpHeaders): { end(): unknown } {
  return writeList(response, status, headersOf(response, headers, []))
}

/** The list, with the headers that were added, and with these. */
function headersOf(response: ResponseWithHeaders, headers: OutgoingHttpHeaders, list: HeaderList): HeaderList {
  const more = response[added]
  if (more) for (let at = 0; at < more.length; at += 2) replace(list, more[at] as string, more[at + 1] as string)
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined) replace(list, name, value)
  }
  return list
}

function replace(list: HeaderList, name: string, value: OutgoingHttpHeader): void {
  for (let at = 0; at < list.length; at += 2) {
    if (list[at] !== name) continue
    list[at + 1] = value
    return
  }
  list.push(name, value)
}

/** A list is the fastest form for `node:http`. Middleware that wraps `writeHead` may not know it, and HTTP/2 and fetch need no list. */
function writeList(response: HttpResponse, status: number, list: HeaderList): { end(): unknown } {
  if (response instanceof ServerResponse && response.writeHead === ServerResponse.prototype.writeHead)
    return response.writeHead(status, list)
  const headers: OutgoingHttpHeaders = {}
  for (let at = 0; at < list.length; at += 2) headers[list[at] as string] = list[at + 1]
  return response.writeHead(status, headers)
}

export function sendText(
  response: HttpResponse,
  text: string,
  { Connection, ...headers }: OutgoingHttpHeaders = {},
  status = 200
): void {
  // [RFC 9113, 8.2.2] HTTP/2 forbids this header.
  if (Connection !== undefined && response.req.httpVersionMajor < 2)
    addHeader(response, 'Connection', String(Connection))
  const length = Buffer.byteLength(text)
  const list = [...commonList, 'Content-Type', 'text/plain; charset=utf-8', 'Content-Length', length]
  writeList(response, status, headersOf(response, headers, list))
  // Node joins head and body in one write if both are Latin-1. The head always is, and an ASCII body is the same in
  // Latin-1.
  if (length === text.length) response.end(text, 'latin1')
  else response.end(Buffer.from(text))
}

export function sendJson(
  response: HttpResponse,
  value: unknown,
  headers: OutgoingHttpHeaders = {},
  status = 200
): void {
  sendText(response, `${JSON.stringify(value)}\n`, { 'Content-Type': 'application/json', ...headers }, status)
}

/**
 * Headers that tell a client when to retry. A server that stops also closes the connection, because it waits for its
 * connections to end.
 */
export function retryHeaders(code: ErrorCode, status: number): OutgoingHttpHeaders {
  return {
    ...([429, 503, 504].includes(status) && { 'Retry-After': '1' }),
    ...(code === 'closed' && { Connection: 'close' })
  }
}

/** The `error` of the challenge in `WWW-Authenticate`, by error code [RFC 6750, 3.1]. */
const challenges: ReadonlyMap<ErrorCode, string> = new Map<ErrorCode, string>([
  ['token_missing', ''],
  ['token_invalid', 'invalid_token'],
  ['token_revoked', 'invalid_token'],
  ['token_malformed', 'invalid_request'],
  ['not_granted', 'insufficient_scope']
])

/** Sends an error with its status, as JSON if the client accepts JSON by name, otherwise as text. */
export function sendError(
  request: HttpRequest,
  response: HttpResponse,
  error: unknown,
  headers: OutgoingHttpHeaders = {}
): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  // Other errors are defects of the server. Their messages may contain secrets and are not sent.
  const { code, status, message } = error instanceof TidingsError ? error : new TidingsError('internal')
  const all = {
    ...retryHeaders(code, status),
    // [RFC 9110, 11.6.1] An error about a token names the authentication scheme.
    ...(challenges.has(code) && {
      'WWW-Authenticate': code === 'token_missing' ? 'Bearer' : `Bearer error="${challenges.get(code)}"`
    }),
    ...headers
  }
  if (wantsJson(request)) sendJson(response, { error: { code, message } }, all, status)
  else sendText(response, `${message}\n`, all, status)
}

/** Encodes text for a header value: browsers read and write ids as UTF-8 bytes, and Node writes headers as Latin-1. */
export function encodeHeader(text: string): string {
  return Buffer.from(text).toString('latin1')
}
