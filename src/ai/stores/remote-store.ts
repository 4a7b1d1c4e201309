// Runs on a hub behind a URL, by `tidings/client`.
import { withTimeLimit } from '../../client/abort.ts'
import { RefusedError, refusalOf } from '../../client/errors.ts'
import { type Update as ClientUpdate, publish, subscribe, type TokenOption } from '../../client/index.ts'
import { authorization, Token } from '../../client/token.ts'
import { RunError } from '../errors.ts'
import { incomplete, takenOver } from './hub-store.ts'
import type { FollowOptions, History, Newest, NewUpdate, Store, StoredUpdate } from './store.ts'

export interface RemoteOptions {
  readonly token?: TokenOption | undefined
  readonly fetch?: typeof fetch | undefined
}

/** A page of history, and the time at the hub. */
interface Page extends History {
  readonly more: boolean
  readonly now: number
}

/** How long a request for history may take, in milliseconds. */
const requestTimeoutMs = 10_000

export class RemoteStore implements Store {
  readonly #base: URL
  readonly #token: Token
  readonly #options: { readonly token?: TokenOption; readonly fetch?: typeof fetch }
  #isChecked = false

  constructor(url: string | URL, { token, fetch }: RemoteOptions) {
    this.#base = new URL(url)
    if (!this.#base.pathname.endsWith('/')) this.#base.pathname += '/'
    this.#token = new Token(token)
    this.#options = { ...(token !== undefined && { token }), ...(fetch && { fetch }) }
  }

  async append(updates: readonly NewUpdate[], key: string): Promise<readonly string[]> {
    const send = () => publish(this.#at('publish'), updates, { ...this.#options, idempotencyKey: key })
    try {
      const ids = await send()
      if (!this.#isChecked) await this.#check(ids, send)
      return ids
    } catch (error) {
      throw error instanceof RefusedError && error.code === 'key_reused' ? takenOver(error) : error
    }
  }

  async newest(topics: readonly string[]): Promise<Newest> {
    const { updates, now } = await this.#page(topics, { last: '1' })
    return { update: updates.at(-1), now }
  }

  async history(topic: string): Promise<History> {
    const updates: StoredUpdate[] = []
    for (let lastEventId = 'earliest'; ; ) {
      const page = await this.#page([topic], { after: lastEventId, limit: '1000' })
      updates.push(...page.updates)
      lastEventId = page.lastEventId
      if (!page.more) return { updates, lastEventId }
    }
  }

  async #page(topics: readonly string[], parameters: Record<string, string>): Promise<Page> {
    const url = this.#at('updates')
    for (const topic of topics) url.searchParams.append('topic', topic)
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
    const { fetch = globalThis.fetch } = this.#options
    return withTimeLimit(requestTimeoutMs, async (signal) => {
      const response = await fetch(url, { headers: authorization(await this.#token.get(signal)), signal })
      if (!response.ok) throw await refusalOf(response)
      const page = (await response.json()) as Omit<Page, 'now'>
      // The clocks of two machines differ, and `time` is of the other one.
      const date = Date.parse(response.headers.get('date') ?? '')
      return { ...page, now: Number.isNaN(date) ? Date.now() : date }
    })
  }

  async *follow({ topics, from, signal, deleted }: FollowOptions): AsyncGenerator<StoredUpdate, void> {
    const subscription = subscribe(this.#at('subscribe'), { ...this.#options, topics, from, signal, parse: 'text' })
    let reason: string | undefined
    subscription.on('gap', (gap) => {
      reason = gap.reason
      subscription.close()
    })
    subscription.on('deleted', ({ through }) => through !== undefined && deleted?.())
    for await (const update of subscription) yield storedOf(update)
    if (reason !== undefined) throw incomplete(reason)
  }

  async delete(topics: readonly string[]): Promise<void> {
    const url = this.#at('updates')
    for (const topic of topics) url.searchParams.append('topic', topic)
    const { fetch = globalThis.fetch } = this.#options
    await withTimeLimit(requestTimeoutMs, async (signal) => {
      const headers = { Accept: 'application/json', ...authorization(await this.#token.get(signal)) }
      const response = await fetch(url, { method: 'DELETE', headers, signal })
      if (response.ok) return
      const refusal = await refusalOf(response)
      if (refusal.code === 'update_missing') return
      if (refusal.code !== 'deletion_disabled') throw refusal
      throw new RunError('deletion_disabled', 'the hub deletes nothing: start it with --allow-delete', {
        cause: refusal
      })
    })
  }

  async *watch(selector: string, signal: AbortSignal, opened: () => void): AsyncGenerator<StoredUpdate, void> {
    const subscription = subscribe(this.#at('subscribe'), {
      ...this.#options,
      topics: selector,
      signal,
      parse: 'text'
    })
    subscription.on('state', ({ status }) => status === 'live' && opened())
    for await (const update of subscription) yield storedOf(update)
  }

  #at(path: string): URL {
    return new URL(path, this.#base)
  }

  /** A server without `--idempotent` ignores keys, and its answers do not say so. */
  async #check(ids: readonly string[], again: () => Promise<readonly string[]>): Promise<void> {
    if ((await again()).at(-1) !== ids.at(-1)) {
      throw new RunError('not_idempotent', 'runs need a server with --idempotent, such as --idempotent 1h')
    }
    this.#isChecked = true
  }
}

function storedOf({ id = '', topic = '', type, data, time = 0 }: ClientUpdate): StoredUpdate {
  return { id, topic, type, data: String(data), time }
}
