// One client of a random history that changes its stream: it reads slowly, is cut, resumes from its last id, and records everything.
// It verifies nothing.
import { type Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'

/** A change that the client requested, by the members of its body. */
export interface Wanted {
  readonly add?: readonly string[]
  readonly remove?: readonly string[]
  readonly from?: string
}

/** A change, and the newest entry when its acceptance arrived: it takes effect there, or before. */
export interface Accepted extends Wanted {
  readonly head: number
}

/** A block of a stream: an event, or only an id. */
export interface Block {
  readonly event: string
  readonly id: string | undefined
  readonly data: string | undefined
}

/** One stream of the client. */
export interface Recorded {
  /** The selectors in its URL. */
  readonly topics: readonly string[]
  /** The id that it resumed from; empty for none. */
  readonly resumed: string
  readonly blocks: Block[]
  /** The accepted changes, by the id of their request, in order. */
  readonly accepted: Map<string, Accepted>
  /** Refused requests: the stream has too many changes, or has ended. */
  readonly refused: number[]
}

export class ChangingClient {
  readonly streams: Recorded[] = []
  lastEventId = ''
  connected = false
  /** Resolves when the head of the newest response has arrived. */
  opened: Promise<void> = Promise.resolve()
  /** Resolves when all requests to change a stream are answered. */
  changed: Promise<void> = Promise.resolve()
  /** What it wants, as far as it is confirmed. */
  #topics: readonly string[]
  readonly #at: object
  readonly #agent: Agent
  readonly #head: () => number
  #control: string | undefined
  #request: ClientRequest | undefined
  #response: IncomingMessage | undefined
  #paused = false

  /** @param at address options of the server, for node:http @param head the newest offset that was published */
  constructor(at: object, topics: readonly string[], agent: Agent, head: () => number) {
    this.#head = head
    this.#at = at
    this.#topics = topics
    this.#agent = agent
  }

  /** Whether its stream has confirmed or refused every change that was accepted. */
  get isConfirmed(): boolean {
    const { blocks = [], accepted } = this.streams.at(-1) ?? {}
    const confirmed = blocks.filter(({ event }) => event === 'tidings:changed' || event === 'tidings:refused')
    return confirmed.length === (accepted?.size ?? 0)
  }

  connect(): void {
    if (this.connected) return
    this.connected = true
    this.#response = this.#control = undefined
    const query = new URLSearchParams(this.#topics.map((topic) => ['topic', topic]))
    const path = `/subscribe?${query}&envelope=json&control=1`
    const resumed = this.lastEventId
    const headers = resumed === '' ? {} : { 'Last-Event-ID': resumed }
    const recorded = { topics: this.#topics, resumed, blocks: [], accepted: new Map(), refused: [] }
    this.streams.push(recorded)
    const request = httpRequest({ ...this.#at, path, headers, agent: false })
    this.#request = request
    this.opened = new Promise((resolve) => {
      request.on('response', (response) => {
        this.#read(response, recorded)
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
    this.#request = this.#response = this.#control = undefined
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

  /** Requests a change, after the answer to the one before it. */
  change(wanted: Wanted): void {
    const recorded = this.streams.at(-1)
    this.changed = this.changed.then(async () => {
      // The stream may have ended, or a new one begun.
      if (this.#control === undefined || recorded === undefined || recorded !== this.streams.at(-1)) return
      const { status, id } = await this.#patch(this.#control, wanted)
      if (status === 202) recorded.accepted.set(id, { ...wanted, head: this.#head() })
      else recorded.refused.push(status)
    })
  }

  #patch(path: string, wanted: Wanted): Promise<{ status: number; id: string }> {
    return new Promise((resolve, reject) => {
      const headers = { 'Content-Type': 'application/json' }
      const options = { ...this.#at, method: 'PATCH', path: `/${path}`, headers, agent: this.#agent }
      const request = httpRequest(options, (response) => {
        const { statusCode: status = 0, headers: answered } = response
        response.resume().on('end', () => resolve({ status, id: String(answered['x-request-id']) }))
      })
      request.on('error', reject)
      request.end(JSON.stringify(wanted))
    })
  }

  #read(response: IncomingMessage, recorded: Recorded): void {
    this.#response = response
    let rest = ''
    response.setEncoding('utf8')
    response.on('error', () => {})
    response.on('data', (chunk: string) => {
      // Data that arrives after a cut counts as not received.
      if (this.#response !== response) return
      const blocks = (rest + chunk).split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) this.#take(block, recorded)
    })
    if (this.#paused) response.pause()
  }

  #take(text: string, recorded: Recorded): void {
    const fields = new Map(text.split('\n').map((line) => line.split(/: (.*)/s) as [string, string]))
    const block = { event: fields.get('event') ?? '', id: fields.get('id'), data: fields.get('data') }
    if (block.id === undefined && block.data === undefined) return
    if (block.id !== undefined) this.lastEventId = block.id
    recorded.blocks.push(block)
    if (block.event === 'tidings:open') this.#control = JSON.parse(block.data ?? '').control
    if (block.event === 'tidings:changed') this.#topics = JSON.parse(block.data ?? '').topics
  }
}
