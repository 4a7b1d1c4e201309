// A client's end of a stream on HTTP/1.1: takes the socket over once the response head is out, so that each delivery is one
// write of a shared buffer and an idle stream costs little more than its socket. It knows no topics and no log.
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { CloseReason, Connection } from '../../hub/connection.ts'
import { bytesQueued, canWriteDirectly, learnToWrite, onEmptied, writeDirectly } from './direct-write.ts'
import { releaseParser } from './release-parser.ts'

/** A connection that says when its client has gone. */
export interface Stream extends Connection {
  onGone(gone: () => void): void
}

/** Bytes that a client may send after its request: an event stream has no use for any. */
const maxUnexpectedBytes = 64 * 1_024
/** How long an ended stream may take to hand over what was written, in milliseconds. */
const lingerMs = 5_000

/** The request that a stream answers. */
export interface StreamOrigin {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** The id of the request. */
  readonly id: string
  /** Where the client is. */
  readonly address: string
  /** Whose token it came with, where that says so. */
  readonly subject?: string
}

type StreamInfo = Pick<StreamOrigin, 'id' | 'address' | 'subject'>

export interface StreamOptions {
  /** Bytes that may wait for a client before it counts as behind. */
  readonly highWaterMark: number
  /** Milliseconds of silence after which the kernel asks whether the client is still there; 0 for never. */
  readonly keepAlive: number
}

/** Sends the head and the first bytes, and makes the rest of the response a stream. */
export function openStream(
  { request, response, ...origin }: StreamOrigin,
  headers: OutgoingHttpHeaders,
  streamHead: string,
  options: StreamOptions
): Stream {
  // On HTTP/2 a stream is one of many on its connection, and its end is its own.
  if (request.httpVersionMajor >= 2) {
    response.writeHead(200, headers)
    response.write(Buffer.from(streamHead))
    return new ResponseStream(request, response, origin, options)
  }
  const { socket } = response
  // A pipelined request has no socket until those before it are answered; other runtimes may have none to give; and where
  // an app has put itself between the response and its socket, to compress for instance, the head may yet be on its way.
  if (!(socket instanceof Socket) || typeof response.detachSocket !== 'function' || Object.hasOwn(response, 'write')) {
    response.writeHead(200, { ...headers, Connection: 'close' })
    response.write(Buffer.from(streamHead))
    flush(response)
    return new ResponseStream(request, response, origin, options)
  }
  // Head and first bytes travel in one packet.
  socket.cork()
  // [RFC 9112, 6.3] Without Content-Length and Transfer-Encoding, the body lasts until the connection is closed.
  response.removeHeader('Transfer-Encoding')
  response.writeHead(200, { ...headers, Connection: 'close' })
  // As bytes: with a text, Node would write the head's bytes as UTF-8 a second time.
  response.write(Buffer.from(streamHead))
  response.detachSocket(socket)
  releaseParser(socket)
  learnToWrite(socket)
  socket.uncork()
  return new SocketStream(socket, origin, options)
}

const owner = Symbol('the stream that has taken a socket over')
type OwnedSocket = Socket & { [owner]?: Stream; [onEmptied]?: () => void }
type TakenSocket = OwnedSocket & { [owner]?: SocketStream }

/** Whether a request stands behind a stream on its connection, so that it can never be answered. */
export function isBehindStream({ socket }: IncomingMessage, response: ServerResponse): boolean {
  return response.socket === null && owner in socket
}

// One function of each kind for all sockets: a closure per socket would be most of what an idle stream costs.
function onDrain(this: TakenSocket): void {
  this[owner]?.drained()
}
function onData(this: TakenSocket, chunk: Buffer): void {
  this[owner]?.unasked(chunk.length)
}
function onGone(this: TakenSocket): void {
  this[owner]?.gone()
  this.destroy()
}
function ignore(): void {}

class SocketStream implements Stream {
  readonly address: string
  readonly request: string
  readonly subject: string | undefined
  readonly #socket: OwnedSocket
  readonly #highWaterMark: number
  readonly #direct: boolean
  #drained = ignore
  #gone = ignore
  #unasked = 0

  constructor(socket: Socket, { id, address, subject }: StreamInfo, { highWaterMark, keepAlive }: StreamOptions) {
    this.address = addressOf(address, socket)
    this.request = id
    this.subject = subject
    this.#socket = socket
    // Node tells of a drain only when its own mark was reached.
    this.#highWaterMark = Math.max(highWaterMark, socket.writableHighWaterMark)
    this.#socket[owner] = this
    this.#socket[onEmptied] = onDrain
    this.#direct = canWriteDirectly(socket)
    socket.setNoDelay(true)
    if (keepAlive > 0) socket.setKeepAlive(true, keepAlive)
    // The reason is told by `close`, which follows every error.
    socket.on('error', ignore).on('drain', onDrain).on('data', onData).on('end', onGone).on('close', onGone)
    socket.resume()
  }

  get buffered(): number {
    return this.#direct ? bytesQueued(this.#socket) : this.#socket.writableLength
  }

  write(bytes: Buffer): boolean {
    if (this.#direct) writeDirectly(this.#socket, bytes)
    else this.#socket.write(bytes)
    // What the kernel took at once is not counted; what `socket.write` answers does count it.
    return this.buffered < this.#highWaterMark
  }

  onDrain(drained: () => void): void {
    this.#drained = drained
  }

  onGone(gone: () => void): void {
    this.#gone = gone
  }

  end(reason: CloseReason): void {
    const socket = this.#socket
    if (isAbrupt(reason, this.buffered)) socket.destroy()
    else endSoon(socket)
  }

  drained(): void {
    this.#drained()
  }

  gone(): void {
    this.#gone()
  }

  unasked(bytes: number): void {
    this.#unasked += bytes
    if (this.#unasked > maxUnexpectedBytes) this.#socket.destroy()
  }
}

/** Whether what still waits is thrown away: nobody would read it, or nobody may any more. */
function isAbrupt(reason: CloseReason, buffered: number): boolean {
  return reason === 'slow' || reason === 'client' || reason === 'error' || (reason === 'expired' && buffered > 0)
}

function endSoon(socket: Socket): void {
  socket.destroySoon()
  if (socket.destroyed) return
  const timer = setTimeout(() => socket.destroy(), lingerMs)
  socket.once('close', () => clearTimeout(timer))
}

/** What compresses a response gathers what is written, and gives it a `flush`; Node's own is another, and deprecated. */
function flush(response: ServerResponse & { flush?: () => void }): void {
  if (Object.hasOwn(response, 'flush')) response.flush?.()
}

/** The slower way: through the response, with whatever framing it uses. */
class ResponseStream implements Stream {
  readonly address: string
  readonly request: string
  readonly subject: string | undefined
  readonly #response: ServerResponse
  readonly #socket: OwnedSocket
  readonly #highWaterMark: number

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    { id, address, subject }: StreamInfo,
    { highWaterMark }: StreamOptions
  ) {
    this.address = addressOf(address, request.socket)
    this.request = id
    this.subject = subject
    this.#response = response
    this.#socket = request.socket
    this.#socket[owner] ??= this
    this.#highWaterMark = Math.max(highWaterMark, response.writableHighWaterMark)
    response.on('error', ignore)
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

  onGone(gone: () => void): void {
    this.#response.on('close', gone)
    // A response that never got its socket, as where a stream stands before it, is not told of the socket's end.
    this.#socket.on('close', gone)
  }

  end(reason: CloseReason): void {
    if (isAbrupt(reason, this.buffered)) this.#response.destroy()
    else this.#response.end()
  }
}

/** With the port, where the client is at the other end of the connection. */
function addressOf(address: string, { remoteAddress, remotePort }: Socket): string {
  const host = address.includes(':') ? `[${address}]` : address
  return remoteAddress?.endsWith(address) ? `${host}:${remotePort}` : host
}
