// The simple endpoints: the live page, the stream, history, publishing, revoking, and the debug page.
import type { Grants } from '../../auth/grants.ts'
import { TidingsError } from '../../errors.ts'
import { livePage } from '../../pages/live-page.ts'
import { wantsJson } from '../accept.ts'
import { requireReader } from '../access/authorize.ts'
import { decodeHeader, decodeUtf8, mediaType, type Parameters, parseParameters, readBody } from '../body.ts'
import { liftRevocation, listRevocations, revoke } from '../operator/revocations.ts'
import { append, type ReadUpdates } from '../publish.ts'
import type { RequestContext, Route } from '../request-context.ts'
import { encodeHeader, sendError, sendJson, sendText } from '../response.ts'
import { GapError, serveStream } from '../stream/serve.ts'
import { targetOf } from '../target.ts'
import { traced } from '../trace.ts'
import { controlRoute, openingOf } from './control.ts'
import { readBatch } from './ndjson.ts'
import {
  readControl,
  readLimit,
  readSubscribeRequest,
  readUpdate,
  refuseParameters,
  startsLikeForm,
  withoutToken
} from './parameters.ts'
import { streamHead, streamHeaders } from './stream-head.ts'
import { deleteTopics, deleteUpdate, readUpdates, updatesPath } from './updates.ts'

const routes: ReadonlyMap<string, Route> = new Map<string, Route>([
  ['', { GET: addSlash, HEAD: addSlash }],
  ['/', { GET: showPage, HEAD: showPage }],
  ['/subscribe', { GET: subscribe, HEAD: subscribe, sendError: sendStreamError }],
  [updatesPath, { GET: readUpdates, HEAD: readUpdates, DELETE: deleteTopics }],
  ['/publish', { GET: traced(publishTime), POST: traced(publish) }],
  ['/revoke', { POST: revoke }],
  ['/revocations', { GET: listRevocations, HEAD: listRevocations, DELETE: liftRevocation }],
  ['/debug', { GET: debug, HEAD: debug }]
])

const updateRoute: Route = { DELETE: deleteUpdate }

/** The route of a path; undefined if the path is none of the simple endpoints. */
export function simpleRoute(path: string): Route | undefined {
  return routes.get(path) ?? controlRoute(path) ?? (path.startsWith(`${updatesPath}/`) ? updateRoute : undefined)
}

/** The paths of the endpoints, for error messages. */
export const simplePaths = [...routes.keys()].filter((path) => path !== '')

/**
 * The live page has relative URLs, so its own URL must end with a slash. The redirect is relative too, for proxies with
 * a prefix.
 */
async function addSlash({ mount, request, response }: RequestContext): Promise<void> {
  const { query } = targetOf(request)
  const location = `./${mount.slice(mount.lastIndexOf('/') + 1)}/${query && `?${query}`}`
  sendText(response, `The live page is at ${location}\n`, { Location: location }, 308)
}

async function showPage({ access, mount, response }: RequestContext): Promise<void> {
  const { html, policy } = livePage()
  sendText(response, html, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': policy,
    Link: `<${access.hubUrl(mount)}>; rel="mercure"`
  })
}

async function subscribe(ctx: RequestContext): Promise<void> {
  const { access, request } = ctx
  const query = ctx.query()
  const { grants } = await access.reader(request, query)
  const header = request.headers['last-event-id']
  const wanted = readSubscribeRequest(
    withoutToken(query),
    typeof header === 'string' ? decodeHeader(header) : undefined
  )
  const control = readControl(withoutToken(query)) ? ctx.hub.offerControl() : undefined
  await serveStream(ctx, grants, wanted, (position) => ({
    headers: streamHeaders(position, request.method === 'HEAD'),
    text: control ? openingOf(ctx.hub, control, position) : streamHead(position, wanted.lastEventId),
    control
  }))
}

/** A gap is sent with its fields, also to clients that accept no JSON. */
function sendStreamError({ request, response }: RequestContext, error: unknown): void {
  if (error instanceof GapError) {
    const { code, message, status, gap } = error
    sendJson(response, { ...gap, error: { code, message } }, {}, status)
  } else sendError(request, response, error)
}

async function publish(ctx: RequestContext): Promise<void> {
  const { request, options } = ctx
  const query = ctx.query()
  const { grants } = await ctx.access.publisher(request, query)
  await ctx.limits.publish(ctx.address, grants.subject)
  const body = decodeUtf8(await readBody(request, options.maxBody))
  await publishAll(ctx, grants, readPublished(mediaType(request.headers['content-type']), body, withoutToken(query)))
}

/** Publishes all updates, or none if one of them is refused. */
async function publishAll(ctx: RequestContext, grants: Grants, read: ReadUpdates): Promise<void> {
  const { request, response } = ctx
  for (const { topics } of read.updates) {
    if (!grants.mayPublish(topics))
      throw new TidingsError('not_granted', 'the token does not cover every topic of the update')
  }
  const ids = (await append(ctx, grants, read)).map((entry) => entry.id)
  const headers = { 'Event-ID': encodeHeader(ids.at(-1) as string) }
  if (wantsJson(request)) sendJson(response, { ids }, headers)
  else sendText(response, '200 OK\n', headers)
}

function readPublished(type: string, body: string, query: Parameters): ReadUpdates {
  if (type === 'application/x-ndjson') {
    refuseParameters(query)
    return { isValidated: true, updates: readBatch(body) }
  }
  if (type === 'multipart/form-data') {
    throw new TidingsError('content_type_invalid', 'send the data itself, or application/x-www-form-urlencoded')
  }
  // `curl -d hello` sends the content type of a form, and a body that is none.
  const isForm = type === 'application/x-www-form-urlencoded' && startsLikeForm(body)
  const update = isForm ? readUpdate([...query, ...parseParameters(body)], undefined) : readUpdate(query, body)
  return { isValidated: false, updates: [update] }
}

/** Publishes the Unix time, so that a person can try publishing from the address bar. */
async function publishTime(ctx: RequestContext): Promise<void> {
  const query = ctx.query()
  const { grants } = await ctx.access.publisher(ctx.request, query)
  await ctx.limits.publish(ctx.address, grants.subject)
  refuseParameters(withoutToken(query))
  const update = { topics: ['default'], data: String(Math.floor(Date.now() / 1000)) }
  await publishAll(ctx, grants, { isValidated: false, updates: [update] })
}

async function debug(ctx: RequestContext): Promise<void> {
  const { request, response } = ctx
  const query = ctx.query()
  await requireReader(ctx, query)
  const description = await ctx.describe(readLimit(withoutToken(query)))
  if (wantsJson(request)) sendJson(response, description, { Vary: 'Accept, Origin' })
  else sendText(response, countOf(description.subscribers), { Vary: 'Accept, Origin' })
}

function countOf(subscribers: number): string {
  return `Currently ${subscribers} subscription${subscribers === 1 ? '' : 's'}`
}
