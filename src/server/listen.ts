// Listens on one address for HTTP/1.1 and HTTP/2, with or without TLS.
import { createServer, type Server as HttpServer, type RequestListener } from 'node:http'
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https'
import type { Server as NetServer, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { type Address, urlOf } from './address.ts'
import { refuseMalformed, requestBounds } from './bad-request.ts'
import type { Certificate } from './certificate.ts'
import { Connections } from './connections.ts'
import { detectHttp2, Http2 } from './http2.ts'

export interface ListenOptions {
  readonly certificate?: Certificate | undefined
  /** Also accept HTTP/2 without TLS. */
  readonly h2c: boolean
  /** Milliseconds for the TLS handshake, and for the first bytes if they decide the protocol. Default: 10,000. */
  readonly handshakeTimeout?: number
}

/** A server on one address. */
export interface Listener {
  readonly url: string
  /** Uses this certificate for new connections. Open connections keep theirs. */
  renew(certificate: Certificate): void
  /** Stops accepting, and resolves when the last connection is closed. */
  close(): Promise<void>
  closeIdle(): void
  /** Closes every connection at once. */
  destroy(): void
}

/** A listener whose connections are accepted by another process. */
export interface Receiver extends Listener {
  accept(socket: Socket): void
}

const defaultHandshakeTimeout = 10_000

/** Rejects with the error of `net.Server.listen` if the address cannot be used. */
export async function listen(address: Address, options: ListenOptions, serve: RequestListener): Promise<Listener> {
  const { server, connections: _, ...listener } = create(options, serve)
  await begin(server, address)
  return { ...listener, url: urlOf(address, server.address(), options.certificate !== undefined) }
}

/** A listener of a worker, for the connections of a URL that the primary process passes to it. */
export function receive(url: string, options: ListenOptions, serve: RequestListener): Receiver {
  const { server, connections, ...listener } = create(options, serve)
  // node:http begins to check the timeouts of its connections when it listens.
  server.emit('listening')
  return {
    ...listener,
    url,
    accept: (socket) => {
      // As node:http sets it for the connections that it accepts.
      socket.setNoDelay(true)
      server.emit('connection', socket)
    },
    // The server counts only connections that it has accepted.
    close: async () => {
      await listener.close()
      await connections.closed()
    }
  }
}

/** A server that does not listen yet, and what its listener needs. */
function create(options: ListenOptions, serve: RequestListener) {
  const { certificate, h2c, handshakeTimeout = defaultHandshakeTimeout } = options
  const connections = new Connections(handshakeTimeout)
  const http2 = new Http2(serve)
  const server = certificate
    ? secure(certificate, handshakeTimeout, http2, serve)
    : plain(h2c, connections, http2, serve)
  server.prependListener('connection', connections.add)
  server.on('clientError', refuseMalformed)
  return {
    server,
    connections,
    renew: (renewed: Certificate) => 'setSecureContext' in server && server.setSecureContext(renewed),
    close: () =>
      new Promise<void>((resolve) => {
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
  intercept(server, 'connection', (socket, onHttp1) => {
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

/** The TLS handshake chooses between HTTP/1.1 and HTTP/2 [RFC 7301]. */
function secure(certificate: Certificate, handshakeTimeout: number, http2: Http2, serve: RequestListener): HttpsServer {
  const options = { ...requestBounds, ...certificate, handshakeTimeout, ALPNProtocols: ['h2', 'http/1.1'] }
  const server = createHttpsServer(options, serve)
  intercept(server, 'secureConnection', (socket, onHttp1) => {
    if ((socket as TLSSocket).alpnProtocol === 'h2') http2.accept(socket)
    else onHttp1()
  })
  // After a failed handshake no answer can be sent: it would wait for the handshake forever.
  server.prependListener('tlsClientError', (_error, socket) => socket.destroy())
  return server
}

/** Passes each new connection to `inspect`, which decides whether the server handles it as HTTP/1.1. */
function intercept(server: NetServer, event: string, inspect: (socket: Socket, onHttp1: () => void) => void): void {
  const listeners = server.listeners(event) as ((socket: Socket) => void)[]
  server.removeAllListeners(event)
  server.on(event, (socket: Socket) =>
    inspect(socket, () => {
      for (const listener of listeners) listener.call(server, socket)
    })
  )
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
