// A stream in either dialect of Mercure. It translates; where a stream begins and what it may hold is the hub's to say.

import { randomUUID } from 'node:crypto'
import type { OutgoingHttpHeaders } from 'node:http'
import type { Dialect } from '../../auth/dialect.ts'
import type { Grants } from '../../auth/grants.ts'
import { TidingsError } from '../../errors.ts'
import type { StreamPosition } from '../../hub/position.ts'
import type { Subscription } from '../../hub/presence/presence.ts'
import { heartbeat } from '../../sse/encode.ts'
import type { Selector } from '../../topics/matcher.ts'
import { decodeHeader, decodeUtf8, mediaType, type Parameters, parseParameters, readBody } from '../body.ts'
import type { RequestContext } from '../request-context.ts'
import { acceptsType, encodeHeader } from '../response.ts'
import { serveStream } from '../stream/serve.ts'
import type { MercureDialect } from './dialect.ts'
import { dialects, securityHeaders } from './dialects.ts'
import { MercureSubscription } from './subscription.ts'
import { notText } from './v1.ts'

const form = 'application/x-www-form-urlencoded'

/** What one request asks for, whichever dialect it is in. */
interface Wanted {
  readonly door: MercureDialect
  readonly selectors: readonly Selector[]
  readonly grants: Grants
  /** Undefined where nothing is to be gone on after; an empty one is an id that there never was. */
  readonly lastEventId: string | undefined
}

export async function subscribe(ctx: RequestContext): Promise<void> {
  const wanted = await readWanted(ctx)
  const { door, selectors, grants, lastEventId } = wanted
  const request = { topics: selectors, checkVisibility: true, ...(lastEventId && { lastEventId }) }
  await serveStream(ctx, grants, request, (position) => ({
    headers: { ...streamHeaders, ...door.streamHeaders, ...positionOf(wanted, position) },
    text: heartbeat,
    subscriptions: subscriptionsOf(ctx, wanted)
  }))
}

// [Mercure 0.x] `Expire` is how the reference hub spells it.
const streamHeaders: OutgoingHttpHeaders = {
  ...securityHeaders,
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'private, no-cache, no-store, must-revalidate, max-age=0, no-transform',
  Pragma: 'no-cache',
  Expire: '0',
  'X-Accel-Buffering': 'no'
}

/** A client that finds another id here than the one it asked for knows that it may have missed something. */
function positionOf({ door, lastEventId }: Wanted, { gap, visible }: StreamPosition): OutgoingHttpHeaders {
  if (lastEventId === undefined) return {}
  const isFound = lastEventId !== '' && !gap && visible
  return { [door.lastEventIdHeader]: encodeHeader(isFound ? lastEventId : 'earliest') }
}

async function readWanted(ctx: RequestContext): Promise<Wanted> {
  const { access, request } = ctx
  const query = readable(() => ctx.query())
  const dialect = dialectOf(ctx, query)
  ctx.dialect = dialect
  const door = dialects[dialect]
  const grants = await access.subscriber(request, query, dialect)
  if (dialect === '1.0' && !acceptsType(request, 'text/event-stream')) throw new TidingsError('not_acceptable')
  // The address comes first, so that what it says wins where only one can.
  const parameters = request.method === 'QUERY' ? [...query, ...(await readQueryBody(ctx))] : query
  const selectors = door.readSelectors(parameters, access.base)
  const header = request.headers['last-event-id']
  const lastEventId = door.readLastEventId(parameters, typeof header === 'string' ? decodeHeader(header) : undefined)
  return { door, selectors, grants, lastEventId }
}

/** The parameters say in which dialect a client subscribes; where they do not, its token does. */
function dialectOf({ access, request }: RequestContext, query: Parameters): Dialect {
  const { dialects } = access
  if (dialects.length === 1) return dialects[0] as Dialect
  if (request.method === 'QUERY' || query.some(([name]) => /^match/i.test(name))) return '1.0'
  if (query.some(([name]) => name === 'topic')) return '0.x'
  return access.dialectOf(request, query)
}

async function readQueryBody({ request, options }: RequestContext): Promise<Parameters> {
  const type = mediaType(request.headers['content-type'])
  if (!/^[^\s/]+\/[^\s/]+$/.test(type)) throw new TidingsError('content_type_missing', `send ${form}`)
  if (type !== form) throw new TidingsError('content_type_invalid', `send ${form}`)
  const body = await readBody(request, options.maxBody)
  return readable(() => parseParameters(decodeUtf8(body)))
}

/** Parameters that are not UTF-8 are refused in the words for matchers that are not. */
function readable(read: () => Parameters): Parameters {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof TidingsError) || error.code !== 'encoding_invalid') throw error
    throw new TidingsError('selector_invalid', notText, { cause: error })
  }
}

function subscriptionsOf({ access }: RequestContext, { door, selectors, grants }: Wanted): Subscription[] {
  if (!access.subscriptions) return []
  const subscriber = `urn:uuid:${randomUUID()}`
  const made = selectors.map((selector) => new MercureSubscription(door, selector, subscriber, grants))
  // Saying the same twice is one subscription.
  return [...new Map(made.map((subscription) => [subscription.topic, subscription])).values()]
}
