// Publishes updates, and retries with one idempotency key, so that the hub can keep them once.
import { fullJitterMs, readRetryAfter } from '../backoff.ts'
import { limited } from './abort.ts'
import { absolute, type Credentials, type Dialect, dialectOf } from './endpoint.ts'
import { isDenial, isTransient, refusalOf } from './errors.ts'
import { Pause } from './stream/pause.ts'
import { authorization, Token, type TokenOption } from './token.ts'

export interface PublishedUpdate {
  /** One topic or several; default `default`. */
  readonly topics?: string | readonly string[]
  /** A string is published unchanged, anything else as JSON. */
  readonly data?: unknown
  readonly type?: string
  /** By default, the hub chooses one. */
  readonly id?: string
  /** How long clients wait before they reconnect, in milliseconds. */
  readonly retry?: number
  readonly private?: boolean
  /** Whether it is the last update of its topics. */
  readonly end?: boolean
}

export interface PublishOptions {
  readonly token?: TokenOption
  readonly signal?: AbortSignal
  /** For how long a request is retried, in milliseconds; 0 for one attempt; default 10,000. */
  readonly retryTimeout?: number
  /** Identifies these updates across retries, on a hub with `--idempotent`; default: a random one. */
  readonly idempotencyKey?: string
  /** By default, `1.0` for a URL that ends with `/.well-known/mercure`, and `tidings` for others. */
  readonly dialect?: Dialect
  readonly credentials?: Credentials
  readonly fetch?: typeof fetch
}

const backoff = { firstMs: 500, maxMs: 10_000 }
const maxRetryAfterMs = 3_600_000

/**
 * Publishes one update or several, in order, and returns their ids. Several updates are published together or not at all; a Mercure hub
 * takes them one by one.
 * @param url such as `https://hub.example.com/publish` or `…/.well-known/mercure`
 * @throws RefusedError if a retry would not help; the error of the last attempt when `retryTimeout` is over
 */
export async function publish(
  url: string | URL,
  update: PublishedUpdate | readonly PublishedUpdate[],
  options: PublishOptions = {}
): Promise<string[]> {
  const target = absolute(url)
  const updates = [update].flat() as PublishedUpdate[]
  if (updates.length === 0) return []
  const key = options.idempotencyKey ?? randomKey()
  if ((options.dialect ?? dialectOf(target)) === 'tidings') {
    const body = updates.map((one) => JSON.stringify(lineOf(one))).join('\n')
    const response = await send(target, 'application/x-ndjson', body, key, options)
    return ((await response.json()) as { ids: string[] }).ids
  }
  const ids: string[] = []
  for (const [index, one] of updates.entries()) {
    const type = 'application/x-www-form-urlencoded'
    ids.push(await (await send(target, type, formOf(one), `${key}-${index}`, options)).text())
  }
  return ids
}

function lineOf({ topics = 'default', ...fields }: PublishedUpdate): object {
  return { topics: [topics].flat(), ...fields }
}

function formOf({ topics = [], data, private: isPrivate, ...fields }: PublishedUpdate): string {
  const form = new URLSearchParams([topics].flat().map((topic): [string, string] => ['topic', topic]))
  if (data !== undefined) form.set('data', typeof data === 'string' ? data : JSON.stringify(data))
  if (isPrivate) form.set('private', 'on')
  for (const [name, value] of Object.entries(fields))
    if (value !== undefined && value !== false) form.set(name, String(value))
  return form.toString()
}

async function send(url: URL, type: string, body: string, key: string, options: PublishOptions): Promise<Response> {
  const { signal, retryTimeout = 10_000, credentials, fetch = globalThis.fetch } = options
  const token = new Token(options.token)
  const until = performance.now() + retryTimeout
  let isDenied = false
  for (let failures = 1; ; failures++) {
    signal?.throwIfAborted()
    let error: unknown
    let minMs = 0
    let isFinal = false
    try {
      const headers = {
        'Content-Type': type,
        Accept: 'application/json, text/plain;q=0.5',
        'Idempotency-Key': `"${key}"`,
        ...authorization(await token.get())
      }
      const response = await fetch(url, {
        method: 'POST',
        headers,
        body,
        signal: limited(signal),
        ...(credentials && { credentials })
      })
      if (response.ok) return response
      error = await refusalOf(response)
      if (isDenial(response.status) && token.isRenewable && !isDenied) {
        isDenied = true
        continue
      }
      isFinal = !isTransient(response.status)
      minMs = readRetryAfter(response.headers.get('Retry-After'), maxRetryAfterMs)
    } catch (failure) {
      signal?.throwIfAborted()
      error = failure
    }
    const wait = minMs + fullJitterMs(failures, backoff)
    if (isFinal || performance.now() + wait > until) throw error
    await delay(wait, signal)
  }
}

/** Resolves early when the signal is aborted. */
async function delay(ms: number, signal: AbortSignal | undefined): Promise<void> {
  const pause = new Pause()
  const end = () => pause.end()
  signal?.addEventListener('abort', end)
  await pause.wait(ms)
  signal?.removeEventListener('abort', end)
}

/** `crypto.randomUUID` exists in secure contexts only. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (word) => word.toString(36)).join('-')
}
