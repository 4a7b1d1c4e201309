// Lists the active subscriptions in either dialect of Mercure.
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Dialect } from '../../auth/dialect.ts'
import { TidingsError } from '../../errors.ts'
import type { Member } from '../../log/roster.ts'
import { hubPath } from '../access/options.ts'
import type { RequestContext } from '../request-context.ts'
import { sendText, writeHead } from '../response.ts'
import type { MercureDialect, SubscriptionPath } from './dialect.ts'
import { dialects, securityHeaders } from './dialects.ts'
import { readRecord } from './subscription.ts'

export const listPath = `${hubPath}/subscriptions`
/** Subscriptions that are written before the event loop gets a turn. */
const yieldEvery = 500

export async function list(ctx: RequestContext): Promise<void> {
  const { hub, access, request, response, path } = ctx
  if (!access.subscriptions) throw new TidingsError('not_found', 'this hub does not list subscriptions')
  const query = ctx.query()
  const segments = path === listPath ? [] : path.slice(listPath.length + 1).split('/')
  ctx.dialect = dialectOf(segments, access.dialects, access.dialectOf(request, query))
  const { grants } = await access.reader(request, query)
  const dialect = dialects[ctx.dialect]
  const wanted = dialect.readPath(segments, access.base)
  // [Mercure 1.0, Subscription API] The token has to cover the path as a topic, without the query.
  if (!grants.mayRead(path)) throw new TidingsError('not_granted')
  const members = await hub.subscriptions()
  const listing = { id: path, lastEventId: hub.lastEventId }
  const headers = {
    ...securityHeaders,
    'Cache-Control': 'must-revalidate',
    ...dialect.listHeaders(listing, access.hubUrl(ctx.mount))
  }
  const single = wanted.subscriber === undefined ? undefined : find(members, dialect, wanted)
  if (request.headers['if-none-match'] === headers.ETag) {
    writeHead(response, 304, headers).end()
    return
  }
  const body = single
    ? JSON.stringify(dialect.single(single, listing))
    : await collect(matching(members, dialect, wanted), dialect.collection(listing))
  sendText(response, body, headers)
}

/** The path has another form in each dialect. If the form fits both, the token decides. */
function dialectOf(segments: readonly string[], dialects: readonly Dialect[], ofToken: Dialect): Dialect {
  if (dialects.length === 1) return dialects[0] as Dialect
  const [first = '', ...rest] = segments
  const isTyped = first === 'exact' || first === 'urlpattern'
  if (segments.length === 0 || (rest.length === 1 && !isTyped)) return ofToken
  return rest.length === 0 ? '0.x' : '1.0'
}

type Members = ReadonlyMap<string, Member>

/** @throws TidingsError `not_found` */
function find(members: Members, dialect: MercureDialect, { selector = '', subscriber = '' }: SubscriptionPath) {
  const found = members.get(dialect.pathOf({ selector, subscriber, payload: undefined }))
  const document = found && readRecord(found, dialect)
  if (document !== undefined) return JSON.parse(document) as Record<string, unknown>
  throw new TidingsError('not_found', 'this subscription is not active')
}

/** The documents of one dialect, as JSON. */
function* matching(members: Members, dialect: MercureDialect, { selector }: SubscriptionPath): Iterable<string> {
  const prefix = selector === undefined ? '' : dialect.pathOf({ selector, subscriber: '', payload: undefined })
  for (const member of members.values()) {
    const document = member.topic.startsWith(prefix) ? readRecord(member, dialect) : undefined
    if (document !== undefined) yield document
  }
}

/** Yields to the event loop while it writes, since a hundred thousand subscriptions would block delivery. */
async function collect(
  documents: Iterable<string>,
  collection: ReturnType<MercureDialect['collection']>
): Promise<string> {
  const written: string[] = []
  for (const document of documents) {
    written.push(document)
    if (written.length % yieldEvery === 0) await nextTurn()
  }
  return `${JSON.stringify(collection).slice(0, -1)},"subscriptions":[${written.join(',')}]}`
}
