// Subscription events and lists in both dialects of Mercure, and how to read them. Written from the specification, not
// from the product.
import { type Answer, ask } from '../http/http.ts'
import { bearer, type Dialect, hubPath, type MercureServer, token } from '../http/mercure.ts'
import type { SseClient } from '../http/sse-client.ts'

export const listPath = `${hubPath}/subscriptions`
export const uuid = /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** A subscription in a list, in either dialect. */
export interface Listed {
  readonly id: string
  readonly subscriber: string
  readonly active: boolean
  readonly match?: string
  readonly topic?: string
  readonly payload?: unknown
}

type MatchType = 'exact' | 'urlpattern'

/** A text as a path segment: 1.0 encodes a space as `%20`, 0.x as `+`. */
export function segment(dialect: Dialect, text: string): string {
  const bytes = [...Buffer.from(text)].map((byte) => {
    const letter = String.fromCharCode(byte)
    return /[A-Za-z0-9\-._~]/.test(letter) ? letter : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  })
  return dialect === '1.0' ? bytes.join('') : bytes.join('').replaceAll('%20', '+')
}

/** The list path of a selector, or the path of one subscriber's subscription to it. */
export function pathOf(dialect: Dialect, selector: string, subscriber?: string, type: MatchType = 'exact'): string {
  const segments = [selector, ...(subscriber === undefined ? [] : [subscriber])].map((text) => segment(dialect, text))
  return [listPath, ...(dialect === '1.0' ? [type] : []), ...segments].join('/')
}

/** A subscription, without `@context`. */
export function listed(
  dialect: Dialect,
  selector: string,
  subscriber: string,
  payload?: unknown,
  type: MatchType = 'exact'
): Listed {
  const about = dialect === '1.0' ? { match_type: type, match: selector } : { topic: selector }
  const rest = { subscriber, active: true, ...(payload !== undefined && { payload }) }
  const kind = dialect === '1.0' ? 'subscription' : 'Subscription'
  return { id: pathOf(dialect, selector, subscriber, type), ...{ type: kind }, ...about, ...rest }
}

export const context = { '@context': 'https://mercure.rocks/' }

/** The subscription event for it. */
export function announced(dialect: Dialect, subscription: Listed, active: boolean): Listed {
  return { ...(dialect === '0.x' && context), ...subscription, active }
}

/** Follows everything, and may read private updates of all topics, or of some. */
export async function watch(
  server: MercureServer,
  dialect: Dialect,
  subscribe: readonly unknown[] = ['*'],
  headers: Record<string, string> = {}
): Promise<SseClient> {
  return server.follow(dialect, '*', { headers: { ...bearer(await token(dialect, { subscribe })), ...headers } })
}

/** The subscription events for a selector that a stream has received. */
export function announcements(client: SseClient, selector: string): Listed[] {
  return client.data
    .filter((data) => data.startsWith('{'))
    .map((data) => JSON.parse(data) as Listed)
    .filter(({ match, topic }) => (match ?? topic) === selector)
}

/** Waits until a stream has received `times` subscription events. */
export async function waitForAnnouncements(client: SseClient, selector: string, times: number): Promise<Listed[]> {
  await client.until(() => announcements(client, selector).length >= times, `${times} announcements of ${selector}`)
  return announcements(client, selector)
}

/** Requests a list; by default with permission to read everything. */
export async function askList(
  server: MercureServer,
  dialect: Dialect,
  path: string,
  { subscribe = ['*'] as readonly unknown[], headers = {} as Record<string, string>, method = 'GET' } = {}
): Promise<Answer> {
  return ask(server.url, { path, method, headers: { ...bearer(await token(dialect, { subscribe })), ...headers } })
}

/** The subscriptions listed at a path. */
export async function subscriptionsAt(server: MercureServer, dialect: Dialect, path: string): Promise<Listed[]> {
  const { subscriptions } = (await askList(server, dialect, path)).json() as { subscriptions: Listed[] }
  return subscriptions
}

/** The last event id in a list response. */
export function lastEventIdOf(dialect: Dialect, { headers, json }: Answer): string {
  if (dialect === '0.x') return (json() as { lastEventID: string }).lastEventID
  return /last-event-id="([^"]*)"/.exec(headers.link as string)?.[1] ?? ''
}
