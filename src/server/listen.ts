// Listens on an address and speaks what its clients speak: HTTP/1.1, TLS, and HTTP/2 with and without it. It answers no
// request itself.
import { createServer, type Server as HttpServer, type RequestListener } from 'node:http'
import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Session } from 'node:http2'
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https'
import type { Server as NetServer, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { type Address, urlOf } from './address.ts'
import { refuseMalformed, requestBounds } from './bad-request.ts'
import type { Certificate } from './certificate.ts'
import { Connections } from './connections.ts'
import { detectHttp2 } from './http2-preface.ts'

export interface ListenOptions {
  readonly certificate?: Certificate | undefined
  /** Speak HTTP/2 without TLS to those who begin with its preface. */
  readonly h2c: boolean
  /** Milliseconds for the TLS handshake, and for the first bytes where they decide the protocol; default 10,000. */
  readonly handshakeTimeout?: number
}

/** One address that is listened on. */
export interface Listener {
  readonly url: string
  /** Connections that come from now on get this certificate; those that are open keep theirs. */
  renew(certificate: Certificate): void
  /** Stops accepting; resolves when the last connection has ended. */
  close(): Promise<void>
  closeIdle(): void
  /** Ends every connection, whatever it is doing. */
  destroy(): void
}

/** Requests that one HTTP/2 connection may have open at a time, streams among them. */
const http2Bounds = { settings: { maxConcurrentStreams: 250 }, maxSessionMemory: 16 }
/** How long an HTTP/2 connection may be silent before it takes no more requests, in milliseconds. */
const http2Silence = 120_000

const defaultHandshakeTimeout = 10_000

/** Rejects with the error of `listen` where the address cannot be had. */
export async function listen(address: Address, options: ListenOptions, serve: RequestListener): Promise<Listener> {
  const { certificate, h2c, handshakeTimeout = defaultHandshakeTimeout } = options
  const connections = new Connections(handshakeTimeout)
  const http2 = new Http2(serve)
  const server = certificate
    ? secure(certificate, handshakeTimeout, http2, serve)
    : plain(h2c, connections, http2, serve)
  server.prependListener('connection', connections.add)
  server.on('clientError', refuseMalformed)
  await begin(server, address)
  return {
    url: urlOf(address, server.address(), certificate !== undefined),
    renew: (renewed) => 'setSecureContext' in server && server.setSecureContext(renewed),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        connections.closeSilent()
        http2.close()
      }),
    closeIdle: () => server.closeIdleConnections(),
    destroy: () => {
      http2.destroy()
      connections.destroy()
    }
  }
}

function plain(h2c: boolean, connections: Connections, http2: Http2, serve: RequestListener): HttpServer {
  const server = createServer(requestBounds, serve)
  if (!h2c) return server
  divert(server, 'connection', (socket, onHttp1) => {
    connections.expectProtocol(socket)
    detectHttp2(socket, (isHttp2) => {
      connections.settle(socket)
      if (isHttp2) {
        http2.accept(socket)
        return
      }
      onHttp1()
      socket.resume()
    })
  })
  return server
}

/** Which of the two it is to be is settled while TLS begins [RFC 7301]. */
function secure(certificate: Certificate, handshakeTimeout: number, http2: Http2, serve: RequestListener): HttpsServer {
  const options = { ...requestBounds, ...certificate, handshakeTimeout, ALPNProtocols: ['h2', 'http/1.1'] }
  const server = createHttpsServer(options, serve)
  divert(server, 'secureConnection', (socket, onHttp1) => {
    if ((socket as TLSSocket).alpnProtocol === 'h2') http2.accept(socket)
    else onHttp1()
  })
  // Without a session of TLS there is no way to answer: an answer would wait for the handshake that failed.
  server.prependListener('tlsClientError', (_error, socket) => socket.destroy())
  return server
}

/** Has each connection looked at before the server takes it for HTTP/1.1. */
function divert(server: NetServer, event: string, look: (socket: Socket, onHttp1: () => void) => void): void {
  const listeners = server.listeners(event) as ((socket: Socket) => void)[]
  server.removeAllListeners(event)
  server.on(event, (socket: Socket) =>
    look(socket, () => {
      for (const listener of listeners) listener.call(server, socket)
    })
  )
}

/** HTTP/2 on connections that others accepted. */
class Http2 {
  readonly #server: Http2Server
  readonly #sessions = new Set<ServerHttp2Session>()

  constructor(serve: RequestListener) {
    // Its requests and responses look like those of HTTP/1.1 as far as the handler goes.
    this.#server = createHttp2Server(http2Bounds, serve as unknown as Parameters<typeof createHttp2Server>[1])
    this.#server.on('session', (session) => {
      this.#sessions.add(session)
      session.on('close', () => this.#sessions.delete(session))
      session.on('error', () => session.destroy())
      session.setTimeout(http2Silence, () => session.close())
    })
    this.#server.on('sessionError', () => {})
  }

  accept(socket: Socket): void {
    // The session ends with its socket, and a socket of `node:http` would stay half open.
    socket.allowHalfOpen = false
    this.#server.emit('connection', socket)
    // The session takes over what has been put back on the next tick. A socket that stays paused never says that it has ended.
    setImmediate(() => socket.resume())
  }

  /** Sends no more than is under way. */
  close(): void {
    for (const session of this.#sessions) session.close()
  }

  destroy(): void {
    for (const session of this.#sessions) session.destroy()
  }
}

function begin(server: HttpServer | HttpsServer, address: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ ...address, backlog: 4_096 }, () => {
      server.removeListener('error', reject)
      resolve()
    })
  })
}
