// Limits on the head of a request, and the answers to requests that node:http cannot parse. The answers of node:http itself
// name neither the limit nor a remedy.
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { TidingsError } from '../errors.ts'

/** The size of a request head in bytes, and the time for the head and for the whole request in milliseconds. */
export const requestBounds = {
  maxHeaderSize: 16_384,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 1_000
}

/** How long a connection may stay open after its last answer, in milliseconds. */
export const lingerMs = 5_000

/** For the event `clientError`: answers what node:http could not parse. */
export function refuseMalformed(
  error: NodeJS.ErrnoException,
  socket: Socket & { _httpMessage?: ServerResponse }
): void {
  if (!socket.writable || socket._httpMessage?.headersSent) {
    socket.destroy()
    return
  }
  const refusal = refusalFor(error.code)
  const body = `${refusal.message}\n`
  socket.end(
    `HTTP/1.1 ${refusal.status} ${refusal.code}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  )
  // node:http has given up this connection, and the client may never close its end.
  const timer = setTimeout(() => socket.destroy(), lingerMs)
  socket.once('close', () => clearTimeout(timer))
}

function refusalFor(code: string | undefined): TidingsError {
  const { maxHeaderSize, headersTimeout, requestTimeout } = requestBounds
  if (code === 'HPE_HEADER_OVERFLOW')
    return new TidingsError('headers_too_large', `the limit is ${maxHeaderSize} bytes`)
  if (code !== 'ERR_HTTP_REQUEST_TIMEOUT') return new TidingsError('request_malformed')
  const times = `the limit is ${headersTimeout / 1000} s for the head and ${requestTimeout / 1000} s for the whole request`
  return new TidingsError('request_timeout', times)
}
