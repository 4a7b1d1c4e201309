// A stream that writes through its `HttpResponse`, with the framing of the response. It is slower than
// `SocketStream`, and used where the socket cannot be taken over: on HTTP/2, for pipelined requests, and behind
// middleware that wraps `write`.

import type { CloseReason, TokenIdentity } from '../../hub/connection.ts'
import type { HttpRequest, HttpResponse, HttpSocket } from '../exchange.ts'
import { addressOf, isAbrupt, own, ownerOf, type Stream, type StreamInfo, type StreamOptions } from './stream.ts'

export class ResponseStream implements Stream {
  readonly address: string
  readonly request: string
  readonly token: TokenIdentity | undefined
  readonly #response: HttpResponse
  readonly #socket: HttpSocket
  readonly #highWaterMark: number

  constructor(
    request: HttpRequest,
    response: HttpResponse,
    { id, address, token }: StreamInfo,
    { highWaterMark }: StreamOptions
  ) {
    this.address = addressOf(address, request.socket)
    this.request = id
    this.token = token
    this.#response = response
    this.#socket = request.socket
    // On HTTP/2, several streams share a socket.
    if (!ownerOf(this.#socket)) own(this.#socket, this)
    this.#highWaterMark = Math.max(highWaterMark, response.writableHighWaterMark)
    // `close` follows every error.
    response.on('error', () => {})
    // On HTTP/2, a reset with NO_ERROR while bytes wait for the client closes nothing: Node only says that it was aborted.
    request.on('aborted', () => response.destroy())
  }

  get subject(): string | undefined {
    return this.token?.subject
  }

  get buffered(): number {
    return this.#response.writableLength
  }

  write(bytes: Buffer): boolean {
    this.#response.write(bytes)
    flush(this.#response)
    return this.#response.writableLength < this.#highWaterMark
  }

  onDrain(drained: () => void): void {
    this.#response.on('drain', drained)
  }

  onClose(closed: () => void): void {
    this.#response.on('close', closed)
    // A pipelined response that never got its socket does not emit `close` when the socket ends.
    this.#socket.on('close', closed)
  }

  end(reason: CloseReason): void {
    if (isAbrupt(reason, this.buffered)) this.#response.destroy()
    else this.#response.end()
  }
}

/**
 * Sends what compression middleware has buffered. Such middleware adds its own `flush`. Node's own `flush` is
 * deprecated and not called.
 */
export function flush(response: HttpResponse & { flush?: () => void }): void {
  if (Object.hasOwn(response, 'flush')) response.flush?.()
}
