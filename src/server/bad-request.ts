// Bounds on a request before there is one to hand on, and what is answered where it breaks them: node:http's own answers say
// neither bound nor remedy. It knows no endpoint.
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { TidingsError } from '../errors.ts'

/** A request's head in bytes, and the milliseconds that head and whole may take. */
export const requestBounds = {
  maxHeaderSize: 16_384,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 1_000
}

/** How long a connection may last that has only its end to come, in milliseconds. */
export const lingerMs = 5_000

/** For `clientError`: what node:http refuses before there is a request. */
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
  // Nothing else watches over this connection, and its client may never close its own end.
  const timer = setTimeout(() => socket.destroy(), lingerMs)
  socket.once('close', () => clearTimeout(timer))
}

function refusalFor(code: string | undefined): TidingsError {
  const { maxHeaderSize, headersTimeout, requestTimeout } = requestBounds
  if (code === 'HPE_HEADER_OVERFLOW') return new TidingsError('headers_too_large', `${maxHeaderSize} bytes are allowed`)
  if (code !== 'ERR_HTTP_REQUEST_TIMEOUT') return new TidingsError('request_malformed')
  const times = `${headersTimeout / 1000} s are allowed for the head, ${requestTimeout / 1000} s for all of it`
  return new TidingsError('request_timeout', times)
}
