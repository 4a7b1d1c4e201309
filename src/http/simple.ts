// The four simple endpoints: the live page, the stream, publishing, and the debug page. It translates between HTTP and the
// hub; what is right or wrong about an update or a place in the log is decided there.
import type { OutgoingHttpHeaders } from 'node:http'
import { TidingsError } from '../errors.ts'
import type { Place } from '../hub/place.ts'
import { livePage } from '../pages/live-page.ts'
import { encode, encodePosition, heartbeat } from '../sse/encode.ts'
import type { Update } from '../update.ts'
import { answerJson, answerText, commonHeaders, encodeHeader, wantsJson } from './answer.ts'
import { readBatch } from './batch.ts'
import { decodeHeader, decodeUtf8, type Parameters, parseParameters, readBody } from './body.ts'
import { describeHub } from './debug.ts'
import type { Exchange, Route } from './exchange.ts'
import { requireOwnOrigin } from './origin.ts'
import { readSubscribeRequest, readUpdate, refuseParameters, startsLikeForm } from './parameters.ts'
import { isBehindStream, openStream } from './stream.ts'

export const simpleRoutes: ReadonlyMap<string, Route> = new Map<string, Route>([
  ['/', { GET: showPage, HEAD: showPage }],
  ['/subscribe', { GET: subscribe, HEAD: subscribe }],
  ['/publish', { GET: publishTime, POST: publish }],
  ['/debug', { GET: debug, HEAD: debug }]
])

async function showPage({ response }: Exchange): Promise<void> {
  const { html, policy } = livePage()
  answerText(response, html, { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': policy })
}

async function subscribe({ hub, options, request, response, query }: Exchange): Promise<void> {
  const header = request.headers['last-event-id']
  const wanted = readSubscribeRequest(query, typeof header === 'string' ? decodeHeader(header) : undefined)
  const place = await hub.locate(wanted)
  const headers = streamHeaders(place)
  if (request.method === 'HEAD') {
    response.writeHead(200, headers).end()
    return
  }
  // The client may have gone while history was searched.
  if (request.socket.destroyed || isBehindStream(request, response)) return
  const stream = openStream(request, response, headers, opening(place, wanted.lastEventId), options)
  const subscriber = hub.join(place, stream)
  stream.onGone(() => hub.leave(subscriber, 'client'))
}

function streamHeaders({ requested, id }: Place): OutgoingHttpHeaders {
  return {
    ...commonHeaders,
    'Content-Type': 'text/event-stream',
    'Cache-Control': 'no-cache, no-store',
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

async function publish({ hub, options, request, response, query }: Exchange): Promise<void> {
  requireOwnOrigin(request)
  const body = decodeUtf8(await readBody(request, options.maxBody))
  const entries = await hub.publishAll(readUpdates(mediaType(request.headers['content-type']), body, query))
  const ids = entries.map((entry) => entry.id)
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
async function publishTime({ hub, request, response, query }: Exchange): Promise<void> {
  requireOwnOrigin(request)
  refuseParameters(query)
  const entry = await hub.publish({ topics: ['default'], data: String(Math.floor(Date.now() / 1000)) })
  const headers = { 'Event-ID': entry.id }
  if (wantsJson(request)) answerJson(response, { ids: [entry.id] }, headers)
  else answerText(response, '200 OK\n', headers)
}

async function debug({ hub, request, response, query }: Exchange): Promise<void> {
  const description = describeHub(hub, query)
  if (wantsJson(request)) answerJson(response, description, { Vary: 'Accept' })
  else answerText(response, `Currently ${hub.status.subscribers} subscriptions`, { Vary: 'Accept' })
}
