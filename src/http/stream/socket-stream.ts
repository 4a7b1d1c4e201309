// A stream that has taken over the socket of its response, on HTTP/1.1. Each delivery is one write of a shared buffer,
// and an idle stream costs little more than its socket.
import type { Socket } from 'node:net'
import type { CloseReason, TokenIdentity } from '../../hub/connection.ts'
import { bytesQueued, canWriteDirectly, onEmptied, writeDirectly } from './direct-write.ts'
import {
  addressOf,
  ignoreErrors,
  isAbrupt,
  own,
  ownerOf,
  type Stream,
  type StreamInfo,
  type StreamOptions
} from './stream.ts'

/** Bytes that a client may send after its request. An event stream needs none. */
const maxUnexpectedBytes = 64 * 1_024
/** Milliseconds of silence after which the kernel sends TCP keep-alive probes, which detect a dead client. */
const keepAliveMs = 15_000
/** Milliseconds that an ended stream may take to send what was written. */
const lingerMs = 5_000

// One listener of each kind for all sockets. A closure per socket would be most of the memory of an idle stream.
function onDrain(this: Socket): void {
  streamOf(this)?.drained()
}
function onData(this: Socket, chunk: Buffer): void {
  streamOf(this)?.received(chunk.length)
}
function onClose(this: Socket): void {
  streamOf(this)?.closed()
  this.destroy()
}
function ignore(): void {}

function streamOf(socket: Socket): SocketStream | undefined {
  return ownerOf(socket) as SocketStream | undefined
}

export class SocketStream implements Stream {
  readonly address: string
  readonly request: string
  readonly token: TokenIdentity | undefined
  readonly #socket: Socket & { [onEmptied]?: () => void }
  readonly #highWaterMark: number
  readonly #direct: boolean
  #drained = ignore
  #closed = ignore
  #unexpectedBytes = 0

  /** @param socket detached from its response, with the response head and the first bytes already written */
  constructor(socket: Socket, { id, address, token }: StreamInfo, { highWaterMark }: StreamOptions) {
    this.address = addressOf(address, socket)
    this.request = id
    this.token = token
    this.#socket = socket
    // Node emits `drain` only if the socket's own high-water mark was reached.
    this.#highWaterMark = Math.max(highWaterMark, socket.writableHighWaterMark)
    own(socket, this)
    this.#socket[onEmptied] = onDrain
    this.#direct = canWriteDirectly(socket)
    socket.setNoDelay(true)
    socket.setKeepAlive(true, keepAliveMs)
    ignoreErrors(socket)
    socket.on('drain', onDrain).on('data', onData).on('end', onClose).on('close', onClose)
    socket.resume()
  }

  get subject(): string | undefined {
    return this.token?.subject
  }

  get buffered(): number {
    return this.#direct ? bytesQueued(this.#socket) : this.#socket.writableLength
  }

  write(bytes: Buffer): boolean {
    if (this.#direct) writeDirectly(this.#socket, bytes)
    else this.#socket.write(bytes)
    // `buffered` excludes what the kernel took at once. The return value of `socket.write` includes it.
    return this.buffered < this.#highWaterMark
  }

  onDrain(drained: () => void): void {
    this.#drained = drained
  }

  onClose(closed: () => void): void {
    this.#closed = closed
  }

  end(reason: CloseReason): void {
    const socket = this.#socket
    if (isAbrupt(reason, this.buffered)) socket.destroy()
    else endSoon(socket)
  }

  drained(): void {
    this.#drained()
  }

  closed(): void {
    this.#closed()
  }

  received(bytes: number): void {
    this.#unexpectedBytes += bytes
    if (this.#unexpectedBytes > maxUnexpectedBytes) this.#socket.destroy()
  }
}

function endSoon(socket: Socket): void {
  socket.destroySoon()
  if (socket.destroyed) return
  const timer = setTimeout(() => socket.destroy(), lingerMs)
  socket.once('close', () => clearTimeout(timer))
}
