// Lists who is subscribed, in either dialect of Mercure. It only looks.
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Dialect } from '../../auth/dialect.ts'
import { TidingsError } from '../../errors.ts'
import type { Member } from '../../log/roster.ts'
import { hubPath } from '../access/options.ts'
import type { RequestContext } from '../request-context.ts'
import { sendText } from '../response.ts'
import type { MercureDialect, SubscriptionPath } from './dialect.ts'
import { dialects, securityHeaders } from './dialects.ts'
import { readRecord } from './subscription.ts'

export const listPath = `${hubPath}/subscriptions`
/** Subscriptions that are written to a list before others have their turn. */
const stretch = 500

export async function list(ctx: RequestContext): Promise<void> {
  const { hub, access, request, response, path } = ctx
  if (!access.subscriptions) throw new TidingsError('not_found', 'subscriptions are not listed here')
  const query = ctx.query()
  const segments = path === listPath ? [] : path.slice(listPath.length + 1).split('/')
  ctx.dialect = dialectOf(segments, access.dialects, access.dialectOf(request, query))
  const { grants } = await access.reader(request, query)
  const door = dialects[ctx.dialect]
  const withOptionName = door.readPath(segments, access.base)
  // [Mercure 1.0, Subscription API] The path is the topic that the token has to cover; the query is no part of it.
  if (!grants.mayRead(path)) throw new TidingsError('not_granted')
  const members = await hub.subscriptions()
  const listing = { id: path, lastEventId: hub.lastEventId }
  const headers = { ...securityHeaders, 'Cache-Control': 'must-revalidate', ...door.listHeaders(listing, access.base) }
  const single = withOptionName.subscriber === undefined ? undefined : find(members, door, withOptionName)
  if (request.headers['if-none-match'] === headers.ETag) {
    response.writeHead(304, headers).end()
    return
  }
  const body = single
    ? JSON.stringify(door.single(single, listing))
    : await collect(matching(members, door, withOptionName), door.collection(listing))
  sendText(response, body, headers)
}

/** A path says its dialect by its shape; where it does not, the token does that it comes with. */
function dialectOf(segments: readonly string[], dialects: readonly Dialect[], ofToken: Dialect): Dialect {
  if (dialects.length === 1) return dialects[0] as Dialect
  const [first = '', ...rest] = segments
  const isTyped = first === 'exact' || first === 'urlpattern'
  if (segments.length === 0 || (rest.length === 1 && !isTyped)) return ofToken
  return rest.length === 0 ? '0.x' : '1.0'
}

type Members = ReadonlyMap<string, Member>

/** @throws TidingsError `not_found` */
function find(members: Members, door: MercureDialect, { selector = '', subscriber = '' }: SubscriptionPath) {
  const found = members.get(door.pathOf({ selector, subscriber, payload: undefined }))
  const document = found && readRecord(found, door)
  if (document !== undefined) return JSON.parse(document) as Record<string, unknown>
  throw new TidingsError('not_found', 'nobody with that name is subscribed to that')
}

/** The documents of a dialect, as JSON. */
function* matching(members: Members, door: MercureDialect, { selector }: SubscriptionPath): Iterable<string> {
  const prefix = selector === undefined ? '' : door.pathOf({ selector, subscriber: '', payload: undefined })
  for (const member of members.values()) {
    const document = member.topic.startsWith(prefix) ? readRecord(member, door) : undefined
    if (document !== undefined) yield document
  }
}

/** A hundred thousand subscriptions take a while to write down; who publishes does not wait for that. */
async function collect(
  documents: Iterable<string>,
  collection: ReturnType<MercureDialect['collection']>
): Promise<string> {
  const written: string[] = []
  for (const document of documents) {
    written.push(document)
    if (written.length % stretch === 0) await nextTurn()
  }
  return `${JSON.stringify(collection).slice(0, -1)},"subscriptions":[${written.join(',')}]}`
}
