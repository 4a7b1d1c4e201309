// Publishes updates, and retries with one idempotency key, so that the hub can keep them once.
import { absolute, type Dialect, dialectOf } from './endpoint.ts'
import { idsIn, type PostOptions, post, randomKey } from './post.ts'

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

export interface PublishOptions extends PostOptions {
  /** Identifies these updates across retries, on a hub with `--idempotent`; default: a random one. */
  readonly idempotencyKey?: string
  /** By default, `1.0` for a URL that ends with `/.well-known/mercure`, and `tidings` for others. */
  readonly dialect?: Dialect
}

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
  const send = (type: string, body: string, key: string) => post({ url: target, type, body, key }, options)
  if ((options.dialect ?? dialectOf(target)) === 'tidings') {
    const body = updates.map((one) => JSON.stringify(lineOf(one))).join('\n')
    return idsIn(await send('application/x-ndjson', body, key), updates.length)
  }
  const ids: string[] = []
  for (const [index, one] of updates.entries()) {
    ids.push(await send('application/x-www-form-urlencoded', formOf(one), `${key}-${index}`))
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
