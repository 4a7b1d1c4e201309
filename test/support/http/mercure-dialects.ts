// The parameter and header names of both Mercure dialects, and tokens for tests of both.
import { randomUUID } from 'node:crypto'
import type { HandlerOptions, Update } from '../../../dist/index.js'
import type { Answer } from './http.ts'
import { audience, bearer, type Dialect, fresh, keys, type MercureServer, type Rights, token } from './mercure.ts'

/** Names on the wire; header names are lower case, as in Node. */
export const dialectNames = {
  '1.0': { selector: 'match', lastEventId: 'last_event_id', lastEventIdHeader: 'mercure-last-event-id' },
  '0.x': { selector: 'topic', lastEventId: 'lastEventID', lastEventIdHeader: 'last-event-id' }
} as const satisfies Record<Dialect, Record<string, string>>

/** The metadata URL in the challenges of `serverWith`. */
export const metadata = 'https://hub.example.com/.well-known/oauth-protected-resource/.well-known/mercure'
/** The `WWW-Authenticate` values of 1.0. */
export const challenge = {
  none: `Bearer resource_metadata="${metadata}"`,
  invalid: `Bearer error="invalid_token", resource_metadata="${metadata}"`,
  malformed: `Bearer error="invalid_request", resource_metadata="${metadata}"`,
  scope: `Bearer error="insufficient_scope", resource_metadata="${metadata}"`
} as const

/** Headers of a subscriber that may read private updates of these topics. */
export const reader = async (dialect: Dialect, subscribe: readonly unknown[] = [], rights: Rights = {}) =>
  bearer(await token(dialect, { subscribe, ...rights }))

/** Headers of a publisher that may publish to these topics. */
export const publisher = async (dialect: Dialect, publish: readonly unknown[] = ['*'], rights: Rights = {}) =>
  bearer(await token(dialect, { publish, ...rights }))

/** A token without a signature. */
export function unsigned(dialect: Dialect): string {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const header = { alg: 'none', typ: dialect === '1.0' ? 'at+jwt' : 'JWT' }
  return `${encode(header)}.${encode({ mercure: { publish: ['*'], subscribe: ['*'] }, aud: audience, exp: 4e9 })}.`
}

/** A selector with one variable, which covers `https://example.com/{name}/topic` for any name. */
export const pattern = (dialect: Dialect, prefix: string) =>
  dialect === '1.0'
    ? `match_urlpattern=${encodeURIComponent(`${prefix}/:id`)}`
    : `topic=${encodeURIComponent(`${prefix}/{id}`)}`

/** The same selector as a grant. */
export const patternGrant = (dialect: Dialect, prefix: string): unknown =>
  dialect === '1.0' ? { match: `${prefix}/:id`, match_type: 'urlpattern' } : `${prefix}/{id}`

/** Publishes these texts to a unique topic, and returns their ids, all of which the publisher sets. */
export async function publishHistory(server: MercureServer, dialect: Dialect, texts: readonly string[]) {
  const topic = fresh()
  const ids = texts.map((text) => `${text}-${randomUUID()}`)
  for (const [index, data] of texts.entries()) await server.publish(dialect, { topic, data, id: ids[index] as string })
  return { topic, ids }
}

/** Runs a publish, and returns its response and the data of all updates published meanwhile. */
export async function attempt(server: MercureServer, act: () => Promise<Answer>) {
  const stream = await server.follow('1.0', '*', { headers: await reader('1.0', ['*']) })
  const answer = await act()
  const sentinel = randomUUID()
  await server.publish('1.0', { topic: fresh(), data: sentinel })
  await stream.until(({ data }) => data.includes(sentinel), 'the sentinel')
  return { answer, published: stream.data.slice(0, -1) }
}

/** The keys of `keyed` for a hub in this process. */
export const keyedHandler: HandlerOptions = {
  publisherKey: keys.publish,
  subscriberKey: keys.subscribe,
  audience: [audience]
}

/** The topics of updates. */
export const topicsOf = (updates: readonly Update[]) => updates.flatMap(({ topics }) => topics)
