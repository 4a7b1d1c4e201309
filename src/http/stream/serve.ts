// Opens a stream for an endpoint: applies the limits, asks the authorizing application, finds the position in the log,
// and joins the hub.
import type { OutgoingHttpHeaders } from 'node:http'
import type { Grants } from '../../auth/grants.ts'
import { TidingsError } from '../../errors.ts'
import type { Rights } from '../../hub/control/change.ts'
import type { ControlOffer } from '../../hub/control/offer.ts'
import type { StreamPosition } from '../../hub/history/position.ts'
import type { Subscription } from '../../hub/presence/presence.ts'
import type { SubscribeRequest } from '../../hub/subscribe-request.ts'
import { authorizeSubscribe } from '../access/authorize.ts'
import type { RequestContext } from '../request-context.ts'
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

/**
 * Serves `GET`, `HEAD` and `QUERY`. `HEAD` counts as a stream until it is answered, because finding its position costs
 * as much.
 * @throws TidingsError as `Hub.locate`, `Limits.enter` and `authorizeSubscribe` do
 */
export async function serveStream(
  ctx: RequestContext,
  grants: Grants,
  wanted: SubscribeRequest,
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
    if (request.method === 'HEAD') response.writeHead(200, headOf(position).headers).end()
    else isServed = startStream(ctx, { grants, allowed }, position, headOf, leave)
  } finally {
    if (!isServed) leave()
  }
}

/** A history search that waits in the queue is aborted when its client disconnects. */
async function locate({ hub, request, response }: RequestContext, wanted: SubscribeRequest): Promise<StreamPosition> {
  if (wanted.last === undefined) return hub.locate(wanted)
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
  const { subject, subscribe: readable, until } = grants
  const stream = openStream({ ...ctx, ...(subject !== undefined && { subject }) }, headers, text, options)
  const granted = { readable, until, ...(subject !== undefined && { subject }) }
  const controlled = control && { offer: control, granted, ...(allowed && { allowed }) }
  const subscriber = hub.join(position, stream, subscriptions, controlled)
  stream.onClose(() => {
    leave()
    hub.leave(subscriber, 'client')
  })
  return true
}
