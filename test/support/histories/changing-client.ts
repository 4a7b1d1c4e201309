// One client of a random history that changes its stream: it reads slowly, is cut, resumes from its last id, and records everything.
// It verifies nothing.
import { type Agent, request as httpRequest } from 'node:http'
import { SlowClient } from './slow-client.ts'

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

export class ChangingClient extends SlowClient {
  readonly streams: Recorded[] = []
  /** Resolves when all requests to change a stream are answered. */
  changed: Promise<void> = Promise.resolve()
  /** What it wants, as far as it is confirmed. */
  #topics: readonly string[]
  readonly #agent: Agent
  readonly #head: () => number
  #control: string | undefined

  /** @param at address options of the server, for node:http @param head the newest offset that was published */
  constructor(at: object, topics: readonly string[], agent: Agent, head: () => number) {
    super(at)
    this.#head = head
    this.#topics = topics
    this.#agent = agent
  }

  /** Whether its stream has confirmed or refused every change that was accepted, and is live by its own account. */
  get isSettled(): boolean {
    const { blocks = [], accepted } = this.streams.at(-1) ?? {}
    const confirmed = blocks.filter(({ event }) => event === 'tidings:changed' || event === 'tidings:refused')
    const isLive = blocks.some(({ event, data = '' }) => {
      return event === 'tidings:live' || (event === 'tidings:open' && JSON.parse(data).live === true)
    })
    return isLive && confirmed.length === (accepted?.size ?? 0)
  }

  connect(): void {
    if (this.connected) return
    this.#control = undefined
    const query = new URLSearchParams(this.#topics.map((topic) => ['topic', topic]))
    const recorded = { topics: this.#topics, resumed: this.lastEventId, blocks: [], accepted: new Map(), refused: [] }
    this.streams.push(recorded)
    this.open(`/subscribe?${query}&envelope=json&control=1`, () => (fields) => this.#take(fields, recorded))
  }

  override cut(): void {
    super.cut()
    this.#control = undefined
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
      const options = { ...this.at, method: 'PATCH', path: `/${path}`, headers, agent: this.#agent }
      const request = httpRequest(options, (response) => {
        const { statusCode: status = 0, headers: answered } = response
        response.resume().on('end', () => resolve({ status, id: String(answered['x-request-id']) }))
      })
      request.on('error', reject)
      request.end(JSON.stringify(wanted))
    })
  }

  #take(fields: Map<string, string>, recorded: Recorded): void {
    const block = { event: fields.get('event') ?? '', id: fields.get('id'), data: fields.get('data') }
    if (block.id === undefined && block.data === undefined) return
    recorded.blocks.push(block)
    if (block.event === 'tidings:open') this.#control = JSON.parse(block.data ?? '').control
    if (block.event === 'tidings:changed') this.#topics = JSON.parse(block.data ?? '').topics
  }
}
