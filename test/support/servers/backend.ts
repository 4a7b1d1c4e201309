// A webhook backend for tests: it records the calls of tidings, responds as the test defines, and can hang.
import { createHmac } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished } from 'vitest'

export const webhookKey = 'a key that both sides know'

export interface WebhookCall {
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly path: string
  /** Time of arrival, in milliseconds (`performance.now()`). */
  readonly at: number
  json(): Record<string, unknown>
}

export interface Event extends Record<string, unknown> {
  readonly event: string
}

type Answer = (response: ServerResponse, call: WebhookCall, count: number) => void

export class Backend {
  readonly calls: WebhookCall[] = []
  readonly url: string
  /** The response to each call; 204 by default. */
  answer: Answer

  constructor(url: string, answer: Answer) {
    this.url = url
    this.answer = answer
  }

  /** All events of all batches, in order. */
  get events(): Event[] {
    return this.calls.flatMap((call) => call.json().events as Event[])
  }

  /** The event names, each with its selector if it has one. */
  get eventNames(): string[] {
    return this.events.map(({ event, selector }) => (selector === undefined ? event : `${event} ${selector}`))
  }

  /** Waits until `count` calls have arrived. */
  async waitForCalls(count: number, timeout = 10_000): Promise<readonly WebhookCall[]> {
    await expect.poll(() => this.calls.length, { timeout }).toBeGreaterThanOrEqual(count)
    return this.calls
  }
}

/** Starts a backend that stops when the test ends. */
export async function startBackend(
  answer: Answer = (response) => void response.writeHead(204).end()
): Promise<Backend> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      const json = () => JSON.parse(body) as Record<string, unknown>
      const call = { headers: request.headers, body, path: request.url ?? '', at: performance.now(), json }
      backend.calls.push(call)
      backend.answer(response, call, backend.calls.length)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    return new Promise<void>((resolve) => server.close(() => resolve()))
  })
  const backend = new Backend(`http://127.0.0.1:${(server.address() as AddressInfo).port}/tidings`, answer)
  return backend
}

/** Whether a call has the signature that PROTOCOL.md defines. */
export function isSigned({ headers, body }: WebhookCall, key = webhookKey): boolean {
  const timestamp = headers['tidings-timestamp']
  const isNow = Math.abs(Number(timestamp) - Date.now() / 1_000) < 60
  const signature = createHmac('sha256', key).update(`${timestamp}.${body}`).digest('hex')
  return isNow && headers['tidings-signature'] === `v1=${signature}`
}

/** A JSON response, with `max-age` in seconds. */
export function respond(status: number, body?: unknown, maxAge?: number): Answer {
  return (response) => {
    if (maxAge !== undefined) response.setHeader('Cache-Control', `max-age=${maxAge}`)
    if (body !== undefined) response.setHeader('Content-Type', 'application/json')
    response.writeHead(status).end(body === undefined ? '' : JSON.stringify(body))
  }
}

/** No response. */
export const hang: Answer = () => {}
