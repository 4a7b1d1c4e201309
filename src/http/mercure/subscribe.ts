// A stream in either dialect of Mercure: reads the request, and writes the headers.
import { randomUUID } from 'node:crypto'
import type { OutgoingHttpHeaders } from 'node:http'
import type { Dialect } from '../../auth/dialect.ts'
import type { Grants } from '../../auth/grants.ts'
import { TidingsError } from '../../errors.ts'
import type { StreamPosition } from '../../hub/history/position.ts'
import type { Subscription } from '../../hub/presence/presence.ts'
import { heartbeat } from '../../sse/encode.ts'
import type { Selector } from '../../topics/matcher.ts'
import { acceptsType } from '../accept.ts'
import { decodeHeader, decodeUtf8, mediaType, type Parameters, parseParameters, readBody } from '../body.ts'
import type { RequestContext } from '../request-context.ts'
import { encodeHeader } from '../response.ts'
import { serveStream } from '../stream/serve.ts'
import type { MercureDialect } from './dialect.ts'
import { dialects, securityHeaders } from './dialects.ts'
import { MercureSubscription } from './subscription.ts'
import { notText } from './v1.ts'

const form = 'application/x-www-form-urlencoded'

/** A request for a stream. */
interface Wanted {
  readonly dialect: MercureDialect
  readonly selectors: readonly Selector[]
  readonly grants: Grants
  /** Undefined if the client wants new updates only. An empty id counts as an unknown id. */
  readonly lastEventId: string | undefined
}

export async function subscribe(ctx: RequestContext): Promise<void> {
  const wanted = await readWanted(ctx)
  const { dialect, selectors, grants, lastEventId } = wanted
  const request = { topics: selectors, checkVisibility: true, ...(lastEventId && { lastEventId }) }
  await serveStream(ctx, grants, request, (position) => ({
    headers: { ...streamHeaders, ...dialect.streamHeaders, ...positionHeaders(wanted, position) },
    text: heartbeat,
    subscriptions: subscriptionsOf(ctx, wanted)
  }))
}

// [Mercure 0.x] The reference hub sends `Expire`, with this spelling.
const streamHeaders: OutgoingHttpHeaders = {
  ...securityHeaders,
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'private, no-cache, no-store, must-revalidate, max-age=0, no-transform',
  Pragma: 'no-cache',
  Expire: '0',
  'X-Accel-Buffering': 'no'
}

/** A client that receives another id than it sent knows that it may have missed updates. */
function positionHeaders({ dialect, lastEventId }: Wanted, { gap, visible }: StreamPosition): OutgoingHttpHeaders {
  if (lastEventId === undefined) return {}
  const isFound = lastEventId !== '' && !gap && visible
  return { [dialect.lastEventIdHeader]: encodeHeader(isFound ? lastEventId : 'earliest') }
}

async function readWanted(ctx: RequestContext): Promise<Wanted> {
  const { access, request } = ctx
  const query = readable(() => ctx.query())
  const name = dialectOf(ctx, query)
  ctx.dialect = name
  const dialect = dialects[name]
  const grants = await access.subscriber(request, query, name)
  if (name === '1.0' && !acceptsType(request, 'text/event-stream')) throw new TidingsError('not_acceptable')
  // The parameters of the URL come first, so that they take precedence over those of the body.
  const parameters = request.method === 'QUERY' ? [...query, ...(await readQueryBody(ctx))] : query
  const selectors = dialect.readSelectors(parameters, access.base)
  const header = request.headers['last-event-id']
  const lastEventId = dialect.readLastEventId(parameters, typeof header === 'string' ? decodeHeader(header) : undefined)
  return { dialect, selectors, grants, lastEventId }
}

/** The parameters show the dialect of a client. If they do not, its token does. */
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

/** Parameters that are not UTF-8 get the same error as selectors that are not text. */
function readable(read: () => Parameters): Parameters {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof TidingsError) || error.code !== 'encoding_invalid') throw error
    throw new TidingsError('selector_invalid', notText, { cause: error })
  }
}

function subscriptionsOf({ access }: RequestContext, { dialect, selectors, grants }: Wanted): Subscription[] {
  if (!access.subscriptions) return []
  const subscriber = `urn:uuid:${randomUUID()}`
  const made = selectors.map((selector) => new MercureSubscription(dialect, selector, subscriber, grants))
  // A selector that is given twice is one subscription.
  return [...new Map(made.map((subscription) => [subscription.topic, subscription])).values()]
}
