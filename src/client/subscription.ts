// A subscription: typed updates by iteration or by handlers, and events about the stream itself.
import type { EventSourceMessage } from 'eventsource-parser'
import { type Endpoint, endpointOf } from './endpoint.ts'
import { type Parse, payloadOf } from './payload.ts'
import { Queue } from './queue.ts'
import { type SavedPosition, savedPosition } from './storage.ts'
import type { EventStream, StreamOptions, TopicChange } from './stream/event-stream.ts'
import type { Sharing, State } from './stream/state.ts'
import { TopicStream } from './stream/topic-stream.ts'
import type { Deletion, Gap, InvalidUpdate, SubscribeOptions, SubscriptionEvents, Update } from './types.ts'

type Handler<E> = (event: E) => void

interface Queued<T> {
  readonly update: Update<T>
  /** The last id before this update. */
  readonly after: string
}

interface SharedGroup {
  readonly scope: 'tabs' | 'page'
  readonly group: string
}

/**
 * Subscribes to topics of a hub. The stream is opened by the first iteration, or the first handler of anything but `state` and `sharing`.
 * @param url the stream endpoint, such as `https://hub.example.com/subscribe` or `…/.well-known/mercure`
 * @throws TypeError for an invalid URL
 */
export function subscribe<T = unknown>(url: string | URL, options: SubscribeOptions<T> = {}): Subscription<T> {
  return new Subscription<T>(endpointOf(url, options.dialect), options)
}

export class Subscription<T> implements AsyncIterable<Update<T>> {
  readonly #isEnvelope: boolean
  #stream: EventStream
  readonly #streamOptions: StreamOptions
  readonly #shared: SharedGroup | undefined
  #sharing: Sharing = { role: 'alone', reason: 'the option shared is not set' }
  readonly #parse: Parse<T>
  readonly #saved: SavedPosition | undefined
  readonly #handlers = new Map<string, Set<Handler<never>>>()
  readonly #queues = new Set<Queue<Queued<T>>>()
  /** The last id when the subscription was closed. */
  #finalId: string | undefined
  /** The last id before the event that is being handled. */
  #idBefore = ''
  #started: Promise<void> | undefined

  /** @internal */
  constructor(endpoint: Endpoint, options: SubscribeOptions<T>) {
    const { from, signal, storage, idleTimeout = 90_000, openTimeout = 10_000 } = options
    const topics = [options.topics ?? []].flat()
    this.#isEnvelope = endpoint.dialect === 'tidings'
    this.#parse = options.parse ?? 'json'
    const { shared = false, group = '' } = options
    if (shared && endpoint.pageUrl) this.#shared = { scope: shared === 'page' ? 'page' : 'tabs', group }
    else if (shared) this.#sharing = { role: 'alone', reason: 'a Mercure hub cannot share a stream' }
    this.#saved = storage && savedPosition(storage, endpoint.streamUrl({ topics, lastEventId: '' }))
    this.#streamOptions = {
      endpoint,
      topics,
      from: from ?? this.#saved?.read() ?? '',
      last: options.last,
      token: options.token,
      fetch: options.fetch ?? globalThis.fetch,
      credentials: options.credentials,
      pauseWhenHidden: options.pauseWhenHidden ?? false,
      idleTimeoutMs: idleTimeout,
      openTimeoutMs: openTimeout,
      onEvent: (event) => this.#receive(event),
      onState: (state) => this.#changed(state),
      onSharing: (sharing) => this.#share(sharing),
      onLeaving: () => this.#saved?.flush(this.lastEventId)
    }
    this.#stream = new TopicStream(this.#streamOptions)
    if (signal?.aborted) this.close()
    else signal?.addEventListener('abort', () => this.close(), { once: true })
  }

  /** The confirmed topics. */
  get topics(): readonly string[] {
    return this.#stream.topics
  }

  get state(): State {
    return this.#stream.state
  }

  /** Whose connection the subscription uses. */
  get sharing(): Sharing {
    return this.#sharing
  }

  /**
   * The id from which another subscription would continue; empty before the stream is open. An update that waits in an iteration does not
   * count as received.
   */
  get lastEventId(): string {
    return this.#finalId ?? this.#receivedId()
  }

  /** Adds a handler. Returns a function that removes it. */
  on<Type extends keyof SubscriptionEvents<T>>(type: Type, handler: Handler<SubscriptionEvents<T>[Type]>): () => void {
    const handlers = this.#handlers.get(type) ?? new Set()
    this.#handlers.set(type, handlers.add(handler))
    if (type !== 'state' && type !== 'sharing') this.#start()
    return () => void handlers.delete(handler)
  }

  /**
   * Iterates over the updates. A slow consumer slows the stream down, and the hub keeps what it does not read. Leaving the loop closes the
   * subscription. A refusal is thrown; the iteration ends when the subscription is closed or its topics have ended.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Update<T>, void, undefined> {
    const queue = new Queue<Queued<T>>()
    this.#queues.add(queue)
    this.#start()
    if (this.state.status === 'closed') queue.end()
    try {
      for (let next = await queue.next(); next; next = await queue.next()) yield next.update
      if (this.state.status === 'closed' && this.state.error) throw this.state.error
    } finally {
      queue.finish()
      queue.end()
      this.close()
      this.#queues.delete(queue)
    }
  }

  /**
   * Adds topics to the stream, without a reconnect where the hub can change a stream. With `from`, their history after this id is delivered
   * first. Resolves when the topics are part of the stream.
   * @throws RefusedError if the hub refuses the change
   */
  add(topics: string | readonly string[], { from }: { readonly from?: string } = {}): Promise<void> {
    return this.#change({ add: [topics].flat(), ...(from !== undefined && { from }) })
  }

  /** Removes topics from the stream. At least one has to remain. @throws RefusedError if the hub refuses the change */
  remove(topics: string | readonly string[]): Promise<void> {
    return this.#change({ remove: [topics].flat() })
  }

  close(): void {
    this.#stream.close()
  }

  #start(): void {
    // Handlers that are added in the same task see everything.
    this.#started ??= Promise.resolve().then(() => this.#open())
  }

  async #open(): Promise<void> {
    if (this.#shared) await this.#join(this.#shared)
    if (this.state.status !== 'closed') this.#stream.start()
  }

  /** Replaces the stream by a shared one, which is loaded first. */
  async #join(group: SharedGroup): Promise<void> {
    try {
      const { SharedStream } = await import('./shared/stream.ts')
      if (this.state.status === 'closed') return
      this.#stream = new SharedStream({ ...this.#streamOptions, ...group, topics: this.topics })
    } catch (error) {
      this.#share({ role: 'alone', reason: String(error) })
    }
  }

  async #change(change: TopicChange): Promise<void> {
    await this.#started
    return this.#stream.change(change)
  }

  #share(sharing: Sharing): void {
    this.#sharing = sharing
    this.#emit('sharing', sharing)
  }

  #changed(state: State): void {
    if (state.status === 'closed') {
      this.#finalId = this.#receivedId()
      this.#saved?.flush(this.#finalId)
      for (const queue of this.#queues) queue.end()
    }
    this.#emit('state', state)
  }

  #receive({ event, id, data }: EventSourceMessage): void | Promise<void> {
    this.#saved?.write(() => this.lastEventId)
    this.#idBefore = this.#stream.lastEventId
    if (event === 'tidings:gap') return this.#emit('gap', JSON.parse(data) as Gap)
    if (event === 'tidings:deleted') return this.#emit('deleted', JSON.parse(data) as Deletion)
    if (!this.#isEnvelope) {
      return this.#read({ id, type: event ?? 'message', data, topic: undefined, topics: [], time: undefined })
    }
    // Reports that a newer hub may send.
    if (event?.startsWith('tidings:') && event !== 'tidings:end') return
    const { end, ...update } = JSON.parse(data) as Update<string> & { readonly end?: boolean }
    // An end without data says nothing but that it is one.
    const waiting = end && update.data === '' ? undefined : this.#read(update)
    if (!end) return waiting
    return Promise.resolve(waiting).then(() => this.#emit('ended', { topics: update.topics, id: update.id as string }))
  }

  #read(update: Update<string>): void | Promise<void> {
    const invalid = (error: unknown) => this.#invalid({ update, error })
    try {
      const payload = payloadOf(update.data, this.#parse)
      if (!(payload instanceof Promise)) return this.#emitUpdate({ ...update, data: payload })
      return payload.then((data) => this.#emitUpdate({ ...update, data }), invalid)
    } catch (error) {
      invalid(error)
    }
  }

  #invalid(invalid: InvalidUpdate): void {
    if (this.#handlers.get('invalid')?.size) this.#emit('invalid', invalid)
    else console.error(`tidings: the update ${invalid.update.id} is invalid and was skipped:`, invalid.error)
  }

  /** Returns a promise if an iterator has enough. */
  #emitUpdate(update: Update<T>): void | Promise<void> {
    this.#emit('update', update)
    const item = { update, after: this.#idBefore }
    const full = [...this.#queues].map((queue) => queue.push(item)).filter((waiting) => waiting !== undefined)
    if (full.length > 0) return Promise.all(full).then(() => {})
  }

  /** The id up to which all iterations have everything. The slowest one has the most updates waiting. */
  #receivedId(): string {
    const [slowest] = [...this.#queues].sort((a, b) => b.size - a.size)
    return slowest?.oldest?.after ?? this.#stream.lastEventId
  }

  #emit<Type extends keyof SubscriptionEvents<T>>(type: Type, event: SubscriptionEvents<T>[Type]): void {
    for (const handler of [...(this.#handlers.get(type) ?? [])]) {
      try {
        handler(event as never)
      } catch (error) {
        // A handler that fails must not stop the stream, and its error must not be lost.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
}
