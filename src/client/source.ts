// A class with the interface of EventSource [HTML, 9.2.2], which also survives a refusal of a proxy or a deployment.
import type { EventSourceMessage } from 'eventsource-parser'
import { absolute } from './endpoint.ts'
import { Connection } from './stream/connection.ts'
import type { State } from './stream/state.ts'
import type { TokenOption } from './token.ts'

export interface TidingsSourceOptions {
  /** Whether cookies are sent to other origins; default false. */
  readonly withCredentials?: boolean
  readonly token?: TokenOption
  /** Longest silence of the stream, in milliseconds; 0 for no limit; default 90,000. */
  readonly idleTimeout?: number
  readonly fetch?: typeof fetch
}

type Listener<E> = ((event: E) => void) | null

export class TidingsSource extends EventTarget {
  static readonly CONNECTING = 0
  static readonly OPEN = 1
  static readonly CLOSED = 2
  readonly CONNECTING = 0
  readonly OPEN = 1
  readonly CLOSED = 2
  readonly url: string
  readonly withCredentials: boolean
  onopen: Listener<Event> = null
  onmessage: Listener<MessageEvent> = null
  onerror: Listener<Event> = null
  readonly #connection: Connection
  readonly #origin: string
  #readyState: 0 | 1 | 2 = 0

  /** @throws DOMException `SyntaxError` for an invalid URL */
  constructor(url: string | URL, options: TidingsSourceOptions = {}) {
    super()
    const { withCredentials = false, token, idleTimeout = 90_000, fetch = globalThis.fetch } = options
    const base = resolve(url)
    this.url = base.href
    this.#origin = base.origin
    this.withCredentials = withCredentials
    const headers: Record<string, string> = {}
    this.#connection = new Connection({
      token,
      from: '',
      fetch,
      credentials: withCredentials ? 'include' : 'same-origin',
      pauseWhenHidden: false,
      idleTimeoutMs: idleTimeout,
      openTimeoutMs: 30_000,
      headers,
      streamUrl: (id) => {
        if (id === '') delete headers['Last-Event-ID']
        else headers['Last-Event-ID'] = utf8(id)
        return this.url
      },
      onEvent: (event) => this.#dispatch(event),
      onState: (state) => this.#changed(state)
    })
    queueMicrotask(() => this.#readyState === 2 || this.#connection.start())
  }

  get readyState(): 0 | 1 | 2 {
    return this.#readyState
  }

  /** More than `readyState` says: until when it waits, or why it is closed. */
  get state(): State {
    return this.#connection.state
  }

  close(): void {
    this.#readyState = 2
    this.#connection.close()
  }

  #dispatch({ event, id, data }: EventSourceMessage): void {
    const lastEventId = id ?? this.#connection.lastEventId
    this.#fire(new MessageEvent(event ?? 'message', { data, lastEventId, origin: this.#origin }))
  }

  #changed({ status }: State): void {
    // After close(), no event may be dispatched.
    if (this.#readyState === 2) return
    if (status === 'live') {
      this.#readyState = 1
      this.#fire(new Event('open'))
    } else if (status === 'waiting' || status === 'closed') {
      this.#readyState = status === 'closed' ? 2 : 0
      this.#fire(new Event('error'))
    }
  }

  #fire(event: Event): void {
    const handlers: Record<string, Listener<never>> = {
      open: this.onopen,
      message: this.onmessage,
      error: this.onerror
    }
    const handler = handlers[event.type]
    // An EventTarget reports the errors of its listeners, and goes on.
    if (handler) this.addEventListener(event.type, (same) => handler.call(this, same as never), { once: true })
    this.dispatchEvent(event)
  }
}

function resolve(url: string | URL): URL {
  try {
    return absolute(url)
  } catch {
    throw new DOMException(`${url} is not a valid URL`, 'SyntaxError')
  }
}

/** `fetch` takes the bytes of a header as characters. */
function utf8(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text))
}
