// Opens a stream for whichever endpoint was asked: its place in the limits, its place in the log, its end. It reads no
// parameter.
import type { OutgoingHttpHeaders } from 'node:http'
import type { Grants } from '../auth/grants.ts'
import { TidingsError } from '../errors.ts'
import type { Place, SubscribeRequest } from '../hub/place.ts'
import type { Subscription } from '../hub/presence.ts'
import { withRights } from './asking.ts'
import type { Exchange } from './exchange.ts'
import { isBehindStream, openStream } from './stream.ts'

/** What an endpoint says at the beginning of a stream. */
export interface Opening {
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
  exchange: Exchange,
  grants: Grants,
  wanted: SubscribeRequest,
  open: (place: Place) => Opening
): Promise<void> {
  const { limits, address, request, response } = exchange
  const leave = await limits.enter(address, grants.subject)
  let isServed = false
  try {
    const place = await limits.hold(async () => locate(exchange, await withRights(exchange, grants, wanted)))
    if (request.method === 'HEAD') response.writeHead(200, open(place).headers).end()
    else isServed = begin(exchange, grants.subject, place, open, leave)
  } finally {
    if (!isServed) leave()
  }
}

/** A search that waits for its turn is given up when its client goes. */
async function locate({ hub, request, response }: Exchange, wanted: SubscribeRequest): Promise<Place> {
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

function begin(
  exchange: Exchange,
  subject: string | undefined,
  place: Place,
  open: (place: Place) => Opening,
  leave: () => void
): boolean {
  const { hub, options, request, response } = exchange
  // The client may have gone while it waited, or while history was searched.
  if (request.socket.destroyed || isBehindStream(request, response)) return false
  const { headers, text, subscriptions } = open(place)
  const stream = openStream({ ...exchange, ...(subject !== undefined && { subject }) }, headers, text, options)
  const subscriber = hub.join(place, stream, subscriptions)
  stream.onGone(() => {
    leave()
    hub.leave(subscriber, 'client')
  })
  return true
}
