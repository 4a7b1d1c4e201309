// An event stream client for tests: it parses with eventsource-parser, records everything, and can wait for events.
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { onTestFinished } from 'vitest'

/** A response of node:http, or a stream of node:http2 with its head. */
type Response = Readable & { readonly headers: IncomingHttpHeaders; readonly statusCode?: number | undefined }

export class SseClient {
  readonly events: EventSourceMessage[] = []
  raw = ''
  ended = false
  readonly headers: IncomingHttpHeaders
  readonly status: number
  readonly #request: { destroy(): unknown }
  readonly #response: Readable
  /** What waits for the next bytes, or for the end. */
  readonly #waiting = new Set<() => void>()

  constructor(request: { destroy(): unknown }, response: Response) {
    this.#request = request
    this.#response = response
    this.headers = response.headers
    this.status = response.statusCode ?? 0
    const parser = createParser({ onEvent: (event) => this.events.push(event) })
    response.setEncoding('utf8')
    response.on('data', (chunk: string) => {
      this.raw += chunk
      parser.feed(chunk)
      this.#changed()
    })
    response.on('error', () => {})
    response.on('close', () => {
      this.ended = true
      this.#changed()
    })
  }

  get data(): string[] {
    return this.events.map((event) => event.data)
  }

  /** Waits until the condition holds; on timeout, the error contains the received text. */
  async until(holds: (client: this) => boolean, what = holds.toString()): Promise<this> {
    const deadline = setTimeout(() => this.#changed(), timeoutMs)
    const since = performance.now()
    while (!holds(this)) {
      if (performance.now() - since >= timeoutMs) throw new Error(`waited for ${what}; saw ${JSON.stringify(this.raw)}`)
      await new Promise<void>((resolve) => this.#waiting.add(resolve))
    }
    clearTimeout(deadline)
    return this
  }

  /** Waits for `count` events and returns the data of all. */
  async received(count: number): Promise<string[]> {
    await this.until(() => this.events.length >= count, `${count} events`)
    return this.data
  }

  #changed(): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }

  pause(): void {
    this.#response.pause()
  }

  resume(): void {
    this.#response.resume()
  }

  close(): void {
    this.#request.destroy()
  }
}

const timeoutMs = 30_000

export interface ListenOptions {
  readonly method?: string
  readonly body?: string
  /** Disconnects. */
  readonly signal?: AbortSignal
}

/** Opens a stream; resolves when the response head has arrived. Closed when the test ends. */
export function listen(
  url: string,
  headers: Record<string, string | string[]> = {},
  { method = 'GET', body, signal }: ListenOptions = {}
): Promise<SseClient> {
  return new Promise((resolve, reject) => {
    const options = { method, headers, agent: false, ...(signal && { signal }) }
    const request = httpRequest(url, options, (response) => resolve(new SseClient(request, response)))
    request.on('error', reject)
    request.end(body)
    onTestFinished(() => void request.destroy())
  })
}
