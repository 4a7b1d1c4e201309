// The connection of a client of a random history: it reads slowly, is cut, and resumes from its last id. What it receives goes to a subclass.
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'

export abstract class SlowClient {
  lastEventId = ''
  connected = false
  /** Resolves when the head of the newest response has arrived. */
  opened: Promise<void> = Promise.resolve()
  protected readonly at: object
  #request: ClientRequest | undefined
  #response: IncomingMessage | undefined
  #paused = false

  /** @param at address options of the server, for node:http */
  constructor(at: object) {
    this.at = at
  }

  /** Subscribes. `head` gets the response; its result gets the fields of each block. */
  protected open(path: string, head: (response: IncomingMessage) => (fields: Map<string, string>) => void): void {
    this.connected = true
    // A client that reconnects drops the rest of the last response.
    this.#response = undefined
    const headers = this.lastEventId === '' ? {} : { 'Last-Event-ID': this.lastEventId }
    const request = httpRequest({ ...this.at, path, headers, agent: false })
    this.#request = request
    this.opened = new Promise((resolve) => {
      request.on('response', (response) => {
        this.#read(response, head(response))
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

  #read(response: IncomingMessage, take: (fields: Map<string, string>) => void): void {
    this.#response = response
    let rest = ''
    response.setEncoding('utf8')
    response.on('error', () => {})
    response.on('data', (chunk: string) => {
      // Data that arrives after a cut counts as not received.
      if (this.#response !== response) return
      const blocks = (rest + chunk).split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) {
        const fields = new Map(block.split('\n').map((line) => line.split(/: (.*)/s) as [string, string]))
        this.lastEventId = fields.get('id') ?? this.lastEventId
        take(fields)
      }
    })
    if (this.#paused) response.pause()
  }
}
