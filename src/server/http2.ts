// Serves HTTP/2 on connections that a listener of HTTP/1.1 has accepted, and detects it by its first bytes.
import type { RequestListener } from 'node:http'
import { createServer, type Http2Server, type ServerHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'

/** Each event stream is one open request. Memory is in MB. */
const limits = { settings: { maxConcurrentStreams: 250 }, maxSessionMemory: 16 }
/** How long an HTTP/2 connection may be idle before it is closed, in milliseconds. */
const idleTimeoutMs = 120_000

/** An HTTP/2 server without a port of its own. */
export class Http2 {
  readonly #server: Http2Server
  readonly #sessions = new Set<ServerHttp2Session>()

  constructor(serve: RequestListener) {
    // Its requests and responses have the part of the HTTP/1.1 API that the handler uses.
    this.#server = createServer(limits, serve as unknown as Parameters<typeof createServer>[1])
    this.#server.on('session', (session) => {
      this.#sessions.add(session)
      session.on('close', () => this.#sessions.delete(session))
      session.on('error', () => session.destroy())
      session.setTimeout(idleTimeoutMs, () => session.close())
    })
    this.#server.on('sessionError', () => {})
  }

  accept(socket: Socket): void {
    // Sockets of node:http stay half open by default, and then the session would not end with its socket.
    socket.allowHalfOpen = false
    this.#server.emit('connection', socket)
    // The session reads bytes that were put back on the next tick. A paused socket would never emit its end.
    setImmediate(() => socket.resume())
  }

  /** Finishes open requests and accepts no more. */
  close(): void {
    for (const session of this.#sessions) session.close()
  }

  destroy(): void {
    for (const session of this.#sessions) session.destroy()
  }
}

/** The first bytes of every HTTP/2 client [RFC 9113, 3.4]. */
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

/** Reads the first bytes, puts them back, and leaves the socket paused. Closes a connection that ends before it is decided. */
export function detectHttp2(socket: Socket, decided: (isHttp2: boolean) => void): void {
  let read = Buffer.alloc(0)
  const onData = (chunk: Buffer) => {
    read = Buffer.concat([read, chunk])
    const length = Math.min(read.length, preface.length)
    const isHttp2 = read.subarray(0, length).equals(preface.subarray(0, length))
    // A first packet of one byte can leave it open: `P` begins both the preface and `POST`.
    if (isHttp2 && length < preface.length) return
    socket.off('data', onData).off('end', onEnd)
    socket.pause()
    socket.unshift(read)
    decided(isHttp2)
  }
  const onEnd = () => socket.destroy()
  socket.on('data', onData).on('end', onEnd)
}
