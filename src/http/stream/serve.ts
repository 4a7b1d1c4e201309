// Opens a stream for an endpoint: applies the limits, asks the authorizing application, finds the position in the log,
// and joins the hub.
import type { OutgoingHttpHeaders } from 'node:http'
import type { Grants } from '../../auth/grants.ts'
import { TidingsError } from '../../errors.ts'
import type { Rights } from '../../hub/control/change.ts'
import type { ControlOffer } from '../../hub/control/offer.ts'
import type { Gap, StreamPosition } from '../../hub/history/position.ts'
import type { Subscription } from '../../hub/presence/presence.ts'
import type { SubscribeRequest } from '../../hub/subscribe-request.ts'
import { authorizeSubscribe, requireUnrevoked } from '../access/authorize.ts'
import type { HttpResponse } from '../exchange.ts'
import type { RequestContext } from '../request-context.ts'
import { writeHead } from '../response.ts'
import { openStream } from './open.ts'
import { isBehindStream } from './stream.ts'

/** The response head and the first bytes of a stream, which differ between the endpoints. */
export interface StreamHead {
  readonly headers: OutgoingHttpHeaders
  /** The first bytes of the body. */
  readonly text: string
  readonly subscriptions?: readonly Subscription[]
  /** The control id in the first bytes, if there is one. */
  readonly control?: ControlOffer | undefined
}

/** What a client wants instead of a stream in some cases. */
export interface StreamChoices {
  /** Answer 204 if all topics have ended, even if there is history to replay; default false. */
  readonly skipsEnded?: boolean
  /** Answer 410 instead of a stream with a gap; default false. */
  readonly closesOnGap?: boolean
}

/** The stream cannot be complete, and the client asked for an error in that case. */
export class GapError extends TidingsError {
  readonly gap: Gap

  constructor(gap: Gap) {
    super('gap', `updates after ${JSON.stringify(gap.requested)} are missing`)
    this.gap = gap
  }
}

/**
 * Serves `GET`, `HEAD` and `QUERY`. `HEAD` counts as a stream until it is answered, because finding its position costs
 * as much. If all topics have ended and nothing is left to receive, or the client wants only what there is to replay and
 * there is nothing, the answer is 204, so that an EventSource stops [HTML, 9.2.2].
 * @throws GapError, or TidingsError as `Hub.locate`, `Limits.enter` and `authorizeSubscribe` do
 */
export async function serveStream(
  ctx: RequestContext,
  grants: Grants,
  wanted: SubscribeRequest & StreamChoices,
  headOf: (position: StreamPosition) => StreamHead
): Promise<void> {
  const { limits, address, request, response } = ctx
  const leave = await limits.enter(address, grants.subject)
  let isServed = false
  try {
    const { position, allowed } = await limits.hold(async () => {
      const { request, allowed } = await authorizeSubscribe(ctx, grants, wanted)
      return { position: await locate(ctx, request), allowed }
    })
    // It may have been revoked while the position was searched.
    requireUnrevoked(ctx, grants, position.interest.selectors)
    const isDone = position.isOver || position.isEmpty || (wanted.skipsEnded && position.ended)
    if (!isDone && wanted.closesOnGap && position.gap) throw new GapError(position.gap)
    if (isDone) sendNothing(response, headOf(position).headers)
    else if (request.method === 'HEAD') writeHead(response, 200, headOf(position).headers).end()
    else isServed = startStream(ctx, { grants, allowed }, position, headOf, leave)
  } finally {
    if (!isServed) leave()
  }
}

function sendNothing(response: HttpResponse, headers: OutgoingHttpHeaders): void {
  const { 'Content-Type': _, ...rest } = headers
  writeHead(response, 204, rest).end()
}

/** A history search that waits in the queue is aborted when its client disconnects. */
async function locate({ hub, request, response }: RequestContext, wanted: SubscribeRequest): Promise<StreamPosition> {
  if (wanted.last === undefined && !wanted.checkEmpty) return hub.locate(wanted)
  const disconnected = new AbortController()
  const abort = () => disconnected.abort(new TidingsError('request_aborted'))
  if (request.socket.destroyed) abort()
  response.once('close', abort)
  try {
    return await hub.locate(wanted, disconnected.signal)
  } finally {
    response.off('close', abort)
  }
}

function startStream(
  ctx: RequestContext,
  { grants, allowed }: { readonly grants: Grants; readonly allowed: Rights | undefined },
  position: StreamPosition,
  headOf: (position: StreamPosition) => StreamHead,
  leave: () => void
): boolean {
  const { hub, options, request, response } = ctx
  // The client may have disconnected while it waited for its turn or its position.
  if (request.socket.destroyed || isBehindStream(request, response)) return false
  const { headers, text, subscriptions, control } = headOf(position)
  const { identity: token, subject, subscribe: readable, until } = grants
  const stream = openStream({ ...ctx, ...(token && { token }) }, headers, text, options)
  const granted = { readable, until, ...(subject !== undefined && { subject }), ...(token && { token }) }
  const controlled = control && { offer: control, granted, ...(allowed && { allowed }) }
  const subscriber = hub.join(position, stream, subscriptions, controlled)
  stream.onClose(() => {
    leave()
    hub.leave(subscriber, 'client')
  })
  return true
}
