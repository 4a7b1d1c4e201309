// `/updates`: history as JSON, with long polling, and deletion.
import type { OutgoingHttpHeaders } from 'node:http'
import type { Grants } from '../../auth/grants.ts'
import { sha256 } from '../../digest.ts'
import { TidingsError } from '../../errors.ts'
import { envelopeOf } from '../../hub/delivery/frame.ts'
import type { DeleteTarget } from '../../hub/history/deleter.ts'
import { type HistoryPage, type HistoryRequest, validateHistoryRequest } from '../../hub/history/history.ts'
import { wantsJson } from '../accept.ts'
import { authorizeDelete, authorizeSubscribe, requireUnrevoked } from '../access/authorize.ts'
import type { RequestContext } from '../request-context.ts'
import { commonHeaders, encodeHeader, sendJson, sendText, writeHead } from '../response.ts'
import { readDeleteTopics, readHistoryRequest, refuseParameters, withoutToken } from './parameters.ts'

export const updatesPath = '/updates'

export async function readUpdates(ctx: RequestContext): Promise<void> {
  const { access, limits, address, request } = ctx
  const query = ctx.query()
  const { grants } = await access.reader(request, query)
  const wanted = readHistoryRequest(withoutToken(query))
  // A request that waits counts as a stream. New streams have their own pace, and this one may be one of many.
  const leave = await limits.enter(address, grants.subject, { isPaced: false })
  const signal = abortedWith(ctx)
  try {
    await limits.hold(() => answer(ctx, grants, wanted, signal))
  } catch (error) {
    // A client that stops waiting was not refused, and gets no answer.
    if (!signal.aborted) throw error
  } finally {
    leave()
  }
}

async function answer(ctx: RequestContext, grants: Grants, wanted: HistoryRequest, signal: AbortSignal): Promise<void> {
  const { address, hub, request, response } = ctx
  const authorized = await authorizeSubscribe(ctx, grants, wanted)
  const page = { ...wanted, ...authorized.request, client: { token: grants.identity, address } }
  if (request.method !== 'HEAD') {
    sendPage(ctx, await hub.history(page, signal))
    return
  }
  validateHistoryRequest(page)
  const { id } = await hub.locate(page, signal)
  requireUnrevoked(ctx, grants, wanted.topics)
  writeHead(response, 200, { ...commonHeaders, ...jsonHeaders(id) }).end()
}

/** A history search or a poll ends when its client disconnects. */
function abortedWith({ request, response }: RequestContext): AbortSignal {
  const disconnected = new AbortController()
  const abort = () => disconnected.abort(new TidingsError('request_aborted'))
  if (request.socket.destroyed) abort()
  else response.once('close', abort)
  return disconnected.signal
}

function sendPage({ request, response }: RequestContext, page: HistoryPage): void {
  const { updates, lastEventId, gap = null, more, ended } = page
  const document = { updates: updates.map(envelopeOf), lastEventId, gap, more, ended }
  const headers = { ...jsonHeaders(lastEventId), ...cacheHeaders(document) }
  if (headers.ETag !== undefined && matches(request.headers['if-none-match'], headers.ETag)) {
    writeHead(response, 304, { ...commonHeaders, ...headers }).end()
  } else sendJson(response, document, headers)
}

function jsonHeaders(id: string): OutgoingHttpHeaders {
  return { 'Content-Type': 'application/json', 'Last-Event-ID': encodeHeader(id) }
}

/** Only a page that others follow is complete. It can change by deletion and retention, so a cache has to ask each time. */
function cacheHeaders(document: Pick<HistoryPage, 'more'>): { 'Cache-Control': string; ETag?: string } {
  if (!document.more) return { 'Cache-Control': 'no-store' }
  const digest = sha256(JSON.stringify(document), 'base64url').slice(0, 22)
  return { 'Cache-Control': 'private, no-cache', ETag: `"${digest}"` }
}

/** Whether `If-None-Match` has a tag, by weak comparison [RFC 9110, 13.1.2]. */
function matches(header: string | undefined, tag: string): boolean {
  const tags = (header ?? '').split(',').map((text) => text.trim().replace(/^W\//, ''))
  return tags.includes(tag) || tags.includes('*')
}

/** `DELETE /updates?topic=…` */
export async function deleteTopics(ctx: RequestContext): Promise<void> {
  const grants = await authorizedPublisher(ctx)
  await remove(ctx, grants, { topics: readDeleteTopics(withoutToken(ctx.query())) })
}

/** `DELETE /updates/ID`, with the id percent-encoded. */
export async function deleteUpdate(ctx: RequestContext): Promise<void> {
  const grants = await authorizedPublisher(ctx)
  refuseParameters(withoutToken(ctx.query()))
  await remove(ctx, grants, { id: idIn(ctx.path) })
}

async function authorizedPublisher(ctx: RequestContext): Promise<Grants> {
  const { access, limits, address, options, request } = ctx
  const { grants } = await access.publisher(request, ctx.query())
  await limits.publish(address, grants.subject)
  if (!options.allowDelete) throw new TidingsError('deletion_disabled', 'start it with --allow-delete')
  return grants
}

async function remove(ctx: RequestContext, grants: Grants, target: DeleteTarget): Promise<void> {
  const { access, hub, request, response } = ctx
  const mayDelete = (topics: readonly string[]) => {
    access.reserved.check({ topics })
    return grants.mayPublish(topics)
  }
  if ('topics' in target && !mayDelete(target.topics)) {
    throw new TidingsError('not_granted', 'the token does not cover every topic')
  }
  await authorizeDelete(ctx, grants, target)
  // With the right to publish everywhere, not every update of the topics has to be read first.
  const isCovered = 'topics' in target && grants.publish.coversEverything
  const { id } = await hub.delete(target, isCovered ? {} : { mayDelete })
  const headers = { 'Event-ID': encodeHeader(id) }
  if (wantsJson(request)) sendJson(response, { id }, headers)
  else sendText(response, '200 OK\n', headers)
}

function idIn(path: string): string {
  try {
    return decodeURIComponent(path.slice(updatesPath.length + 1))
  } catch {
    throw new TidingsError('encoding_invalid', 'the id in the path is not percent-encoded UTF-8')
  }
}
