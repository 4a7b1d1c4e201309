// A hub behind an HTTP server: composition, start, and stop. It knows no command line and prints nothing.
import { createServer, type Server as HttpServer, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { TidingsError } from '../errors.ts'
import { hubPath } from '../http/access-options.ts'
import type { HandlerOptions } from '../http/exchange.ts'
import { checkHandlerOptions, createHandler } from '../http/handler.ts'
import { createHub, type Hub } from '../hub/hub.ts'
import type { Observer } from '../hub/observer.ts'
import type { Log } from '../log/log.ts'
import { LmdbLog, MemoryLog } from '../logs.ts'
import { type Config, hasKeys } from './config.ts'

/** Bounds on a request before the hub sees it: its head in bytes, and the milliseconds that head and whole may take. */
const requestBounds = { maxHeaderSize: 16_384, headersTimeout: 10_000, requestTimeout: 30_000 }

/** How long a connection may last that has only its end to come, in milliseconds. */
const lingerMs = 5_000

/** A server that is listening. */
export interface Server {
  readonly hub: Hub
  /** `http://host:port`, as a client would write it. */
  readonly url: string
  /** Stops accepting, ends every stream, and resolves when nothing is left. Safe to call twice. */
  stop(): Promise<void>
}

/** Starts a server. Rejects with the error of `listen` where the address cannot be had, or of the log. */
export async function startServer(config: Config, observer: Observer = {}): Promise<Server> {
  const { host, port } = config
  checkHandlerOptions(handlerOptions(config, 'http://localhost'))
  const hub = createHub({ log: await openLog(config), observer })
  const http = createServer({ ...requestBounds, connectionsCheckingInterval: 1_000 })
  http.on('clientError', refuseMalformed)
  try {
    await listen(http, host, port)
    http.on('request', createHandler(hub, handlerOptions(config, urlOf(http, host))))
  } catch (error) {
    await hub.close()
    throw error
  }
  let stopped: Promise<void> | undefined
  const stop = () => (stopped ??= stopAll(http, hub))
  return { hub, url: urlOf(http, host), stop }
}

/** What the doors need to know; a server that was not told its name goes by the address that it listens on. */
function handlerOptions(config: Config, url: string): HandlerOptions {
  const { audience, publicUrls, clockTolerance, open, ...rest } = config
  const isNamed = audience.length > 0 || publicUrls.length > 0
  return {
    ...rest,
    publicUrls,
    audience: isNamed ? audience : [url + hubPath],
    clockTolerance: clockTolerance / 1_000,
    // With neither --open nor keys it is for this machine alone, and for those who know that they ask for this machine.
    localOnly: !open && !hasKeys(config)
  }
}

async function openLog({ data, durability, retention }: Config): Promise<Log> {
  return data === '' ? new MemoryLog({ retention }) : LmdbLog.open({ path: data, durability, retention })
}

function listen(http: HttpServer, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    http.once('error', reject)
    http.listen({ host, port, backlog: 4_096 }, () => {
      http.removeListener('error', reject)
      resolve()
    })
  })
}

async function stopAll(http: HttpServer, hub: Hub): Promise<void> {
  const closed = new Promise((resolve) => http.close(resolve))
  await hub.close()
  http.closeIdleConnections()
  // Once closed, node:http times no request any more, so that one that never ends would keep the process.
  const timer = setTimeout(() => http.closeAllConnections(), lingerMs)
  await closed
  clearTimeout(timer)
}

function urlOf(http: HttpServer, host: string): string {
  const { port } = http.address() as AddressInfo
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** What node:http refuses before there is a request to hand on; its own answers say neither bound nor remedy. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Socket & { _httpMessage?: ServerResponse }): void {
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
