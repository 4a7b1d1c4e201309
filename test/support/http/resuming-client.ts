// A client that reconnects with its last event id whenever its stream ends, as a browser does. It is small enough for thousands.
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { expect } from 'vitest'

export class ResumingClient {
  readonly data: string[] = []
  /** Events and gaps in order of arrival; a gap has its reason. */
  readonly history: ({ readonly id: string; readonly data: string } | { readonly gap: string })[] = []
  isOpen = false
  reconnects = -1
  heartbeats = 0
  /** The status of the newest response. */
  status = 0
  readonly #url: () => string
  readonly #headers: Record<string, string>
  #request: ClientRequest | undefined
  #response: IncomingMessage | undefined
  #at = ''
  #lastId = ''
  #retry = 200
  #rest = ''
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  /** @param url the address, evaluated for each connection: for instance, another server of a fleet */
  constructor(url: string | (() => string), headers: Record<string, string> = {}) {
    this.#url = typeof url === 'string' ? () => url : url
    this.#headers = headers
    this.#connect()
  }

  /** Does not read for a while, as a suspended tab. */
  pause(): void {
    this.#response?.pause()
  }

  resume(): void {
    this.#response?.resume()
  }

  /** Destroys the connection, as a network failure does. */
  cut(): void {
    this.#request?.destroy()
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#request?.destroy()
  }

  /** The connection state, for the message of a failed test. */
  describe(): string {
    return `${this.isOpen ? `open at ${this.#at}` : 'not open'} since ${this.#lastId}`
  }

  #connect(): void {
    this.#at = this.#url()
    const headers = { ...this.#headers, ...(this.#lastId && { 'Last-Event-ID': this.#lastId }) }
    this.#request = request(this.#at, { headers, agent: false }, (response) => {
      response.on('close', () => this.#again()).on('error', () => {})
      this.status = response.statusCode ?? 0
      if (response.statusCode !== 200) {
        response.resume()
        return
      }
      this.isOpen = true
      this.#response = response
      this.reconnects++
      response.setEncoding('utf8').on('data', (text: string) => this.#read(text))
    })
    this.#request.on('error', () => this.#again()).end()
  }

  #again(): void {
    this.isOpen = false
    this.#rest = ''
    clearTimeout(this.#timer)
    // The retry time is capped, to keep tests short.
    if (!this.#isClosed) this.#timer = setTimeout(() => this.#connect(), Math.min(this.#retry, 500))
  }

  #read(text: string): void {
    // Heartbeats are single lines that do not end a block.
    this.heartbeats += text.split('\n').filter((line) => line === ':').length
    const blocks = (this.#rest + text).split('\n\n')
    this.#rest = blocks.pop() as string
    for (const block of blocks) {
      let data: string | undefined
      let event = 'message'
      for (const line of block.split('\n')) {
        if (line.startsWith('id: ')) this.#lastId = line.slice(4)
        if (line.startsWith('event: ')) event = line.slice(7)
        if (line.startsWith('data: ')) data = line.slice(6)
        if (line.startsWith('retry: ')) this.#retry = Number(line.slice(7))
      }
      if (data !== undefined) this.receive(event, data)
    }
  }

  protected receive(event: string, data: string): void {
    if (event === 'tidings:gap') {
      this.history.push({ gap: (JSON.parse(data) as { reason: string }).reason })
      return
    }
    this.data.push(data)
    this.history.push({ id: this.#lastId, data })
  }
}

/** Waits until it holds for each of them. Fails when no further one is added for the time of a poll: a crowd takes longer than one client. */
export async function allOf(
  clients: readonly ResumingClient[],
  holds: (client: ResumingClient) => boolean
): Promise<void> {
  const count = () => clients.filter(holds).length
  for (let found = count(); found < clients.length; found = count()) {
    await expect.poll(count, { interval: 100 }).toBeGreaterThan(found)
  }
}
