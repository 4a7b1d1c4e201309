// An HTTP server that answers each request as a test says, and records the requests.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export type Step = (response: ServerResponse, request: IncomingMessage, count: number) => void

export interface ScriptedServer {
  readonly url: string
  readonly requests: IncomingMessage[]
}

/** @param answer called for each request with its number, from 0 */
export async function scriptedServer(answer: Step): Promise<ScriptedServer> {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    answer(response, request, requests.length - 1)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests }
}

/** The same for pages of another origin: it allows them everything, and answers their preflights, which it does not record. */
export async function crossOriginServer(answer: Step): Promise<ScriptedServer> {
  const requests: IncomingMessage[] = []
  const { url } = await scriptedServer((response, request) => {
    response.setHeader('Access-Control-Allow-Origin', '*')
    response.setHeader('Access-Control-Expose-Headers', 'Retry-After')
    if (request.method === 'OPTIONS') {
      response.setHeader('Access-Control-Allow-Headers', 'Authorization, Content-Type, Idempotency-Key')
      response.writeHead(204).end()
      return
    }
    requests.push(request)
    answer(response, request, requests.length - 1)
  })
  return { url, requests }
}

/** Answers with an event stream, and leaves it open. */
export function stream(response: ServerResponse, text = ':\n\n'): void {
  response.writeHead(200, { 'Content-Type': 'text/event-stream' })
  response.write(text)
}

/** The first event of a stream of tidings. */
export function opening(id: string, more: Record<string, unknown> = {}): string {
  return `:\n\nevent: tidings:open\nid: ${id}\ndata: ${JSON.stringify({ control: 'control/x', live: true, ...more })}\n\n`
}

/** An update as tidings sends it. */
export function update(id: string, data: string, more: Record<string, unknown> = {}): string {
  const envelope = { topic: 'a', topics: ['a'], id, type: 'message', data, time: 1_767_225_600_000, ...more }
  return `id: ${id}\ndata: ${JSON.stringify(envelope)}\n\n`
}
