// One client of a random history: it reads slowly, is cut, resumes from its last id, and records everything it
// receives. It verifies nothing.
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'

export type Seen =
  | { readonly kind: 'event'; readonly id: string; readonly data: string; readonly connectedAt: number }
  /** The server said that nothing is left to receive. */
  | { readonly kind: 'over'; readonly connectedAt: number }
  | {
      readonly kind: 'gap'
      readonly requested: string
      readonly resumedAfter: string
      readonly reason: string
      readonly header: string
    }

export class HistoryClient {
  readonly seen: Seen[] = []
  readonly selectors: readonly string[]
  lastEventId = ''
  connected = false
  /** The status of the newest response. */
  closedWith = 0
  /** Resolves when the head of the newest response has arrived. */
  opened: Promise<void> = Promise.resolve()
  readonly #at: object
  #request: ClientRequest | undefined
  #response: IncomingMessage | undefined
  #paused = false
  #connectedAt = 0

  /** @param at address options of the server, for node:http */
  constructor(at: object, selectors: readonly string[]) {
    this.#at = at
    this.selectors = selectors
  }

  connect(): void {
    if (this.connected) return
    this.connected = true
    this.#connectedAt = performance.now()
    // A client that reconnects drops the rest of the last response.
    this.#response = undefined
    const path = `/subscribe?${new URLSearchParams(this.selectors.map((selector) => ['topic', selector]))}`
    const headers = this.lastEventId === '' ? {} : { 'Last-Event-ID': this.lastEventId }
    const request = httpRequest({ ...this.#at, path, headers, agent: false })
    this.#request = request
    this.opened = new Promise((resolve) => {
      request.on('response', (response) => {
        this.#read(response)
        resolve()
      })
      request.on('error', () => resolve())
    })
    request.on('close', () => {
      if (this.#request === request) this.connected = false
    })
    request.end()
  }

  cut(): void {
    this.#request?.destroy()
    this.#request = this.#response = undefined
    this.connected = false
  }

  pause(): void {
    this.#paused = true
    this.#response?.pause()
  }

  resume(): void {
    this.#paused = false
    this.#response?.resume()
  }

  #read(response: IncomingMessage): void {
    this.#response = response
    this.closedWith = response.statusCode ?? 0
    // Without an id, it asked for new updates only.
    if (response.statusCode === 204 && this.lastEventId !== '')
      this.seen.push({ kind: 'over', connectedAt: this.#connectedAt })
    let rest = ''
    response.setEncoding('utf8')
    response.on('error', () => {})
    response.on('data', (chunk: string) => {
      // Data that arrives after a cut counts as not received.
      if (this.#response !== response) return
      const blocks = (rest + chunk).split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) this.#take(block, String(response.headers['last-event-id']))
    })
    if (this.#paused) response.pause()
  }

  #take(block: string, header: string): void {
    const fields = new Map(block.split('\n').map((line) => line.split(/: (.*)/s) as [string, string]))
    const id = fields.get('id')
    const data = fields.get('data')
    if (id !== undefined) this.lastEventId = id
    if (data === undefined) return
    if (fields.get('event') === 'tidings:gap') this.seen.push({ kind: 'gap', ...JSON.parse(data), header })
    else this.seen.push({ kind: 'event', id: id ?? '', data, connectedAt: this.#connectedAt })
  }
}
