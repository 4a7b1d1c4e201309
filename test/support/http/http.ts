// A hub behind a real HTTP server, and a minimal HTTP client without keep-alive.
import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type Server,
  type ServerOptions
} from 'node:http'
import type { Server as TlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { createHandler, createHub, type HandlerOptions, type Hub, type HubOptions } from '../../../dist/index.js'

export interface Served {
  readonly hub: Hub
  readonly url: string
  /** Address options of the server, for node:http. */
  readonly at: { readonly port: number; readonly host: string }
}

/** Serves a hub until the test ends. */
export async function serve(
  hubOptions: HubOptions = {},
  handlerOptions: HandlerOptions = {},
  serverOptions: ServerOptions = {}
): Promise<Served> {
  const hub = createHub(hubOptions)
  const server = createServer(serverOptions, createHandler(hub, handlerOptions))
  const port = await listenUntilDone(server, hub)
  return { hub, url: `http://127.0.0.1:${port}`, at: { port, host: '127.0.0.1' } }
}

/** Listens until the test ends, and returns the port. */
export async function listenUntilDone(server: Server | TlsServer, hub: Hub): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    const closed = new Promise((resolve) => server.close(resolve))
    await hub.close()
    server.closeAllConnections()
    await closed
  })
  return (server.address() as AddressInfo).port
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  json(): unknown
}

export interface Ask {
  readonly method?: string
  /** A list sends the header several times. */
  readonly headers?: Record<string, string | string[]>
  readonly body?: string | Buffer
  /** Overrides the path of the URL, which `URL` has normalized. */
  readonly path?: string
}

/** Sends one request on its own connection. */
export function ask(url: string, { method = 'GET', headers = {}, body, path }: Ask = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { method, headers, agent: false, ...(path !== undefined && { path }) }
    const request = httpRequest(url, options, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        const { statusCode: status = 0, headers } = response
        resolve({ status, headers, text, json: () => JSON.parse(text) as unknown })
      })
    })
    request.on('error', reject)
    request.end(body)
  })
}

/** Publishes a text unchanged. */
export function post(url: string, body: string | Buffer, headers: Record<string, string> = {}): Promise<Answer> {
  return ask(url, { method: 'POST', body, headers: { 'Content-Type': 'text/plain', ...headers } })
}
