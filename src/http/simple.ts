// The four simple endpoints: the live page, the stream, publishing, and the debug page. It translates between HTTP and the
// hub; what is right or wrong about an update or a place in the log is decided there.
import type { OutgoingHttpHeaders } from 'node:http'
import type { Grants } from '../auth/grants.ts'
import { TidingsError } from '../errors.ts'
import type { Place } from '../hub/place.ts'
import { livePage } from '../pages/live-page.ts'
import { encode, encodePosition, heartbeat } from '../sse/encode.ts'
import type { Update } from '../update.ts'
import { answerJson, answerText, commonHeaders, encodeHeader, wantsJson } from './answer.ts'
import { append } from './append.ts'
import { requireReader } from './asking.ts'
import { readBatch } from './batch.ts'
import { decodeHeader, decodeUtf8, mediaType, type Parameters, parseParameters, readBody } from './body.ts'
import { describeHub } from './debug.ts'
import type { Exchange, Route } from './exchange.ts'
import { readSubscribeRequest, readUpdate, refuseParameters, startsLikeForm } from './parameters.ts'
import { serveStream } from './serve-stream.ts'
import { traced } from './trace.ts'

export const simpleRoutes: ReadonlyMap<string, Route> = new Map<string, Route>([
  ['/', { GET: showPage, HEAD: showPage }],
  ['/subscribe', { GET: subscribe, HEAD: subscribe }],
  ['/publish', { GET: traced(publishTime), POST: traced(publish) }],
  ['/debug', { GET: debug, HEAD: debug }]
])

async function showPage({ access, response }: Exchange): Promise<void> {
  const { html, policy } = livePage()
  answerText(response, html, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': policy,
    Link: `<${access.base}>; rel="mercure"`
  })
}

async function subscribe(exchange: Exchange): Promise<void> {
  const { access, request } = exchange
  const query = exchange.query()
  const { grants } = await access.reader(request, query)
  const header = request.headers['last-event-id']
  const wanted = readSubscribeRequest(
    withoutToken(query),
    typeof header === 'string' ? decodeHeader(header) : undefined
  )
  await serveStream(exchange, grants, wanted, (place) => ({
    headers: streamHeaders(place),
    text: opening(place, wanted.lastEventId)
  }))
}

/** The parameter that a token may come in is nothing to the endpoints themselves. */
function withoutToken(query: Parameters): Parameters {
  return query.filter(([name]) => name !== 'authorization')
}

function streamHeaders({ requested, id }: Place): OutgoingHttpHeaders {
  return {
    ...commonHeaders,
    'Content-Type': 'text/event-stream',
    // [RFC 9111, 5.2.2.6] What compresses a stream holds its events back.
    'Cache-Control': 'no-cache, no-store, no-transform',
    'X-Accel-Buffering': 'no',
    ...(requested && { 'Last-Event-ID': encodeHeader(id), 'Mercure-Last-Event-ID': encodeHeader(id) })
  }
}

/**
 * The first bytes: a comment, so that proxies and browsers see the response at once, and what a client has to know about
 * where it is. One that is cut off before its first event then resumes from here and misses nothing.
 */
function opening({ id, gap }: Place, lastEventId: string | undefined): string {
  if (gap) return heartbeat + encode({ type: 'tidings:gap', id, data: JSON.stringify(gap) })
  return id === lastEventId ? heartbeat : heartbeat + encodePosition(id)
}

async function publish(exchange: Exchange): Promise<void> {
  const { request, options } = exchange
  const query = exchange.query()
  const { grants } = await exchange.access.publisher(request, query)
  exchange.limits.publish(exchange.address, grants.subject)
  const body = decodeUtf8(await readBody(request, options.maxBody))
  await publishAll(exchange, grants, readUpdates(mediaType(request.headers['content-type']), body, withoutToken(query)))
}

/** Publishes all, or where one may not be published, none. */
async function publishAll(exchange: Exchange, grants: Grants, updates: Update[]): Promise<void> {
  const { request, response } = exchange
  for (const { topics } of updates) {
    if (!grants.mayPublish(topics)) throw new TidingsError('not_granted', 'the token does not cover every topic')
  }
  const ids = (await append(exchange, grants, updates)).map((entry) => entry.id)
  const headers = { 'Event-ID': encodeHeader(ids.at(-1) as string) }
  if (wantsJson(request)) answerJson(response, { ids }, headers)
  else answerText(response, '200 OK\n', headers)
}

function readUpdates(type: string, body: string, query: Parameters): Update[] {
  if (type === 'application/x-ndjson') {
    refuseParameters(query)
    return readBatch(body)
  }
  if (type === 'multipart/form-data') {
    throw new TidingsError('content_type_invalid', 'send the data itself, or application/x-www-form-urlencoded')
  }
  // What `curl -d hello` sends is labelled as a form and is none.
  const isForm = type === 'application/x-www-form-urlencoded' && startsLikeForm(body)
  return [isForm ? readUpdate([...query, ...parseParameters(body)], undefined) : readUpdate(query, body)]
}

/** So that a person can try it from the address bar. */
async function publishTime(exchange: Exchange): Promise<void> {
  const query = exchange.query()
  const { grants } = await exchange.access.publisher(exchange.request, query)
  exchange.limits.publish(exchange.address, grants.subject)
  refuseParameters(withoutToken(query))
  await publishAll(exchange, grants, [{ topics: ['default'], data: String(Math.floor(Date.now() / 1000)) }])
}

async function debug(exchange: Exchange): Promise<void> {
  const { hub, request, response } = exchange
  const query = exchange.query()
  await requireReader(exchange, query)
  const description = describeHub(hub, withoutToken(query))
  if (wantsJson(request)) answerJson(response, description, { Vary: 'Accept, Origin' })
  else answerText(response, `Currently ${hub.status.subscribers} subscriptions`, { Vary: 'Accept, Origin' })
}
