// A client that comes again whenever its stream ends, with the last id it saw, as a browser does: lean, for thousands of them.
import { type ClientRequest, request } from 'node:http'

export class ResumingClient {
  readonly data: string[] = []
  /** What it has, in turn; a gap that it was told of stands where it was told, with its reason. */
  readonly history: ({ readonly id: string; readonly data: string } | { readonly gap: string })[] = []
  isOpen = false
  reconnects = -1
  heartbeats = 0
  readonly #url: () => string
  #request: ClientRequest | undefined
  #at = ''
  #lastId = ''
  #retry = 200
  #rest = ''
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  /** @param url where to connect, asked each time: to another server of a fleet, for instance */
  constructor(url: string | (() => string)) {
    this.#url = typeof url === 'string' ? () => url : url
    this.#connect()
  }

  /** Breaks the connection off, as a network does. */
  cut(): void {
    this.#request?.destroy()
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#request?.destroy()
  }

  /** Where it is, for a test that failed. */
  describe(): string {
    return `${this.isOpen ? `open at ${this.#at}` : 'not open'} since ${this.#lastId}`
  }

  #connect(): void {
    this.#at = this.#url()
    const headers = this.#lastId ? { 'Last-Event-ID': this.#lastId } : {}
    this.#request = request(this.#at, { headers, agent: false }, (response) => {
      response.on('close', () => this.#again()).on('error', () => {})
      if (response.statusCode !== 200) {
        response.resume()
        return
      }
      this.isOpen = true
      this.reconnects++
      response.setEncoding('utf8').on('data', (text: string) => this.#read(text))
    })
    this.#request.on('error', () => this.#again()).end()
  }

  #again(): void {
    this.isOpen = false
    this.#rest = ''
    clearTimeout(this.#timer)
    // What the server says to wait is cut short, so that a test does not take as long.
    if (!this.#isClosed) this.#timer = setTimeout(() => this.#connect(), Math.min(this.#retry, 500))
  }

  #read(text: string): void {
    // They come alone, and end no block.
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
      if (data !== undefined) this.#receive(event, data)
    }
  }

  #receive(event: string, data: string): void {
    if (event === 'tidings:gap') {
      this.history.push({ gap: (JSON.parse(data) as { reason: string }).reason })
      return
    }
    this.data.push(data)
    this.history.push({ id: this.#lastId, data })
  }
}
