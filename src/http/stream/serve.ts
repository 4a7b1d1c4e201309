// Opens a stream for whichever endpoint was asked: its place in the limits, its place in the log, its end. It reads no
// parameter.
import type { OutgoingHttpHeaders } from 'node:http'
import type { Grants } from '../../auth/grants.ts'
import { TidingsError } from '../../errors.ts'
import type { StreamPosition } from '../../hub/position.ts'
import type { Subscription } from '../../hub/presence/presence.ts'
import type { SubscribeRequest } from '../../hub/subscribe-request.ts'
import { authorizeSubscribe } from '../access/authorize.ts'
import type { RequestContext } from '../request-context.ts'
import { isBehindStream, openStream } from './stream.ts'

/** What an endpoint says at the beginning of a stream. */
export interface StreamHead {
  readonly headers: OutgoingHttpHeaders
  /** The first bytes of the body. */
  readonly text: string
  readonly subscriptions?: readonly Subscription[]
}

/**
 * `HEAD` counts as a stream until it is answered: its place in the log costs as much to find.
 * @throws TidingsError as `Hub.locate`, `Limits.enter` and `withRights` do.
 */
export async function serveStream(
  ctx: RequestContext,
  grants: Grants,
  wanted: SubscribeRequest,
  open: (position: StreamPosition) => StreamHead
): Promise<void> {
  const { limits, address, request, response } = ctx
  const leave = await limits.enter(address, grants.subject)
  let isServed = false
  try {
    const position = await limits.hold(async () => locate(ctx, await authorizeSubscribe(ctx, grants, wanted)))
    if (request.method === 'HEAD') response.writeHead(200, open(position).headers).end()
    else isServed = startStream(ctx, grants.subject, position, open, leave)
  } finally {
    if (!isServed) leave()
  }
}

/** A search that waits for its turn is given up when its client goes. */
async function locate({ hub, request, response }: RequestContext, wanted: SubscribeRequest): Promise<StreamPosition> {
  if (wanted.last === undefined) return hub.locate(wanted)
  const gone = new AbortController()
  const abort = () => gone.abort(new TidingsError('request_aborted'))
  if (request.socket.destroyed) abort()
  response.once('close', abort)
  try {
    return await hub.locate(wanted, gone.signal)
  } finally {
    response.off('close', abort)
  }
}

function startStream(
  ctx: RequestContext,
  subject: string | undefined,
  position: StreamPosition,
  open: (position: StreamPosition) => StreamHead,
  leave: () => void
): boolean {
  const { hub, options, request, response } = ctx
  // The client may have gone while it waited, or while history was searched.
  if (request.socket.destroyed || isBehindStream(request, response)) return false
  const { headers, text, subscriptions } = open(position)
  const stream = openStream({ ...ctx, ...(subject !== undefined && { subject }) }, headers, text, options)
  const subscriber = hub.join(position, stream, subscriptions)
  stream.onGone(() => {
    leave()
    hub.leave(subscriber, 'client')
  })
  return true
}
