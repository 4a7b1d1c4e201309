// The interface of a stream connection, and what its two implementations share: who owns a socket, and how a stream
// ends.

import type { Socket } from 'node:net'
import type { CloseReason, Connection, TokenIdentity } from '../../hub/connection.ts'
import type { HttpRequest, HttpResponse, HttpSocket } from '../exchange.ts'

/** A connection that reports when its client disconnects. */
export interface Stream extends Connection {
  /** Registers the one callback for the end of the connection. */
  onClose(closed: () => void): void
}

/** The request that a stream answers. */
export interface StreamOrigin {
  readonly request: HttpRequest
  readonly response: HttpResponse
  /** The id of the request. */
  readonly id: string
  /** The client's address, without a port. */
  readonly address: string
  /** The identity of the client's token, if it has one. */
  readonly token?: TokenIdentity
}

export type StreamInfo = Pick<StreamOrigin, 'id' | 'address' | 'token'>

export interface StreamOptions {
  /** Bytes that may wait for a client before its subscriber counts as behind. */
  readonly highWaterMark: number
}

const owner = Symbol('the stream that writes to this socket')
type OwnedSocket = HttpSocket & { [owner]?: Stream }

export function own(socket: OwnedSocket, stream: Stream): void {
  socket[owner] = stream
}

function ignore(): void {}

/**
 * Adds a listener for `error` unless it is there, since an `error` event without a listener ends the process. `close`
 * follows every error. It is one function, because a second listener costs an array per socket.
 */
export function ignoreErrors(socket: Socket): void {
  if (!socket.listeners('error').includes(ignore)) socket.on('error', ignore)
}

/** The stream that owns a socket. */
export function ownerOf(socket: OwnedSocket): Stream | undefined {
  return socket[owner]
}

/** Whether a pipelined request waits behind a stream on its connection, so that it can never be answered. */
export function isBehindStream({ socket }: HttpRequest, response: HttpResponse): boolean {
  return response.socket === null && owner in socket
}

/**
 * Whether unsent bytes are discarded when a stream ends: the client does not read them, or its token has expired or is
 * revoked and it may not.
 */
export function isAbrupt(reason: CloseReason, buffered: number): boolean {
  if (reason === 'expired' || reason === 'revoked') return buffered > 0
  return reason === 'slow' || reason === 'client' || reason === 'error'
}

/** The client's address, with the port if the client is directly connected. */
export function addressOf(address: string, { remoteAddress, remotePort }: HttpSocket): string {
  const host = address.includes(':') ? `[${address}]` : address
  return remotePort !== undefined && remoteAddress?.endsWith(address) ? `${host}:${remotePort}` : host
}
