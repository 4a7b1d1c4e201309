// A stream with a connection of its own. Its topics can change while it is open.
import type { EventSourceMessage } from 'eventsource-parser'
import { Connection } from './connection.ts'
import type { Control, Settlement } from './control.ts'
import { applied, type EventStream, type StreamOptions, type TopicChange } from './event-stream.ts'
import type { State } from './state.ts'

export class TopicStream implements EventStream {
  topics: readonly string[]
  /** The newest position that the hub confirmed, which is one of its own ids. */
  position = ''
  readonly #options: StreamOptions
  readonly #connection: Connection
  #hasStarted = false
  /** Loaded for the first change, which most streams never make. */
  #control: Control | undefined
  #controlUrl: string | undefined

  constructor(options: StreamOptions) {
    const { endpoint, last } = options
    const { pageUrl } = endpoint
    const position = (lastEventId: string) => ({ topics: this.topics, lastEventId, last })
    this.topics = options.topics
    this.#options = options
    this.#connection = new Connection({
      ...options,
      streamUrl: (id) => endpoint.streamUrl(position(id)),
      pageUrl: pageUrl && ((id, wait) => pageUrl(position(id), wait)),
      onEvent: (event) => this.#receive(event),
      onState: (state) => this.#changed(state),
      ...(endpoint.dialect === 'tidings' && { renew: (token: string) => this.#renew(token) })
    })
  }

  get state(): State {
    return this.#connection.state
  }

  get lastEventId(): string {
    return this.#connection.lastEventId
  }

  start(): void {
    this.#hasStarted = true
    this.#connection.start()
  }

  close(): void {
    this.#connection.close()
  }

  async change(change: TopicChange): Promise<void> {
    const { state } = this
    // While the client polls, no stream could confirm a change. Only a replay has to wait for one.
    const isPolling = state.status === 'live' && state.via === 'polling' && change.from === undefined
    if (this.#options.endpoint.dialect === 'tidings' && this.#hasStarted && !isPolling) {
      return (await this.#loadControl()).change(change)
    }
    this.topics = applied(this.topics, change)
    if (this.#hasStarted) this.#connection.restart()
  }

  /** Resolves to false if the stream has to be opened again. */
  #renew(token: string): Promise<boolean> {
    return this.#loadControl().then(
      (control) => control.renew(token),
      () => false
    )
  }

  async #loadControl(): Promise<Control> {
    const { Control } = await import('./control.ts')
    if (!this.#control) {
      this.#control = new Control(this.#options.fetch, () => this.#connection.restart())
      if (this.#controlUrl) this.#control.opened(this.#controlUrl)
      if (this.state.status === 'closed') this.#control.close()
    }
    return this.#control
  }

  #changed(state: State): void {
    if (state.status === 'connecting' || state.status === 'waiting') {
      this.#controlUrl = undefined
      this.#control?.lost()
    }
    if (state.status === 'closed') this.#control?.close()
    // A page of history ends with an id of the hub.
    if (state.status === 'live' && state.via === 'polling') this.#confirmed(this.lastEventId)
    this.#options.onState(state)
  }

  #receive(event: EventSourceMessage): void | Promise<void> {
    const { event: type, id, data } = event
    if (type === 'tidings:open' || type === 'tidings:changed') this.position = id ?? this.position
    if (type === 'tidings:open') this.#opened(JSON.parse(data))
    else if (type === 'tidings:live') this.#connection.caughtUp()
    else if (type === 'tidings:changed' || type === 'tidings:refused') return this.#settle(JSON.parse(data))
    // An event of a replay has no id of its own, so that it does not move the position.
    else if (id !== undefined || !this.#control || this.#control.isNew(data)) return this.#options.onEvent(event)
  }

  #confirmed(position: string): void {
    this.position = position
    this.#options.onTopics?.(position)
  }

  #opened({ control, live = true, heartbeat }: { control?: string; live?: boolean; heartbeat?: number }): void {
    if (control) {
      this.#controlUrl = new URL(control, this.#options.endpoint.streamUrl({ topics: [], lastEventId: '' })).href
      this.#control?.opened(this.#controlUrl)
    }
    this.#confirmed(this.position)
    this.#connection.opened(live, heartbeat)
  }

  #settle(settlement: Settlement): void | Promise<void> {
    this.topics = settlement.topics ?? this.topics
    this.#control?.settle(settlement)
    if (settlement.topics) this.#confirmed(this.position)
    if (settlement.gap) {
      return this.#options.onEvent({ event: 'tidings:gap', id: undefined, data: JSON.stringify(settlement.gap) })
    }
  }
}
