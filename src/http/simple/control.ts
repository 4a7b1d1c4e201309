// Changing a live stream: the event that tells a client its control URL and what to expect of the stream, and the endpoint behind that
// URL. The URL is a secret: it is all that a client needs to change the stream, and nothing logs it.
import type { Grants } from '../../auth/grants.ts'
import { TidingsError } from '../../errors.ts'
import { type GrantedRights, type Rights, type StreamChange, validateChange } from '../../hub/control/change.ts'
import { type ControlOffer, parseControlId } from '../../hub/control/offer.ts'
import type { StreamPosition } from '../../hub/history/position.ts'
import type { Hub } from '../../hub/hub.ts'
import { heartbeat as comment, encode } from '../../sse/encode.ts'
import { authorizeAdded } from '../access/authorize.ts'
import { decodeUtf8, mediaType, readBody } from '../body.ts'
import type { RequestContext, Route } from '../request-context.ts'
import { sendText } from '../response.ts'
import { readChange } from './change-body.ts'
import { refuseParameters } from './parameters.ts'

const prefix = '/control/'
/** Bytes of a body, at most. Sixteen changes may wait for a slow client, and each may have to fit into a message to another server. */
const maxBytes = 256 * 1_024

/**
 * The first bytes of a stream with a control URL. The URL is relative to that of the stream, so that it is right behind a proxy that
 * adds or removes a prefix. `live` is only true if the stream joins the hub in the same tick.
 */
export function openingOf(hub: Hub, { id: controlId }: ControlOffer, position: StreamPosition): string {
  const { id, gap } = position
  const control = `${prefix.slice(1)}${controlId}`
  const data = JSON.stringify({ control, heartbeat: hub.heartbeat, live: hub.isAtHead(position) })
  const opening = comment + encode({ type: 'tidings:open', id, data })
  return gap ? opening + encode({ type: 'tidings:gap', id, data: JSON.stringify(gap) }) : opening
}

const route: Route = { PATCH: changeStream }

/** Every path that could be a control URL has the same route, whether there is such a stream or not. */
export function controlRoute(path: string): Route | undefined {
  return path.startsWith(prefix) && parseControlId(path.slice(prefix.length)) ? route : undefined
}

/** A path as it may be logged. A control URL with a typing error, or below another mount, contains the secret too. */
export function withoutSecret(path: string): string {
  return path.replace(/(\/control\/).+/i, '$1[…]')
}

async function changeStream(ctx: RequestContext): Promise<void> {
  const { hub, limits, address, request, response, path } = ctx
  refuseParameters(ctx.query())
  // It costs as much as a publish, and on a shared log a message to another server.
  await limits.publish(address, undefined)
  const type = mediaType(request.headers['content-type'])
  if (type !== 'application/json') throw new TidingsError('content_type_invalid', 'send application/json')
  await hub.revocations.loaded()
  const { token, ...wanted } = readChange(decodeUtf8(await readBody(request, Math.min(maxBytes, ctx.options.maxBody))))
  const change: StreamChange = {
    ...wanted,
    ...(token !== undefined && { granted: grantedBy(await verify(ctx, token)) }),
    request: ctx.id
  }
  validateChange(change)
  const controlId = path.slice(prefix.length)
  const allowed = await authorize(ctx, controlId, change)
  await hub.change(controlId, { ...change, ...(allowed && { allowed }) })
  sendText(response, 'The change is accepted; the stream will confirm it.\n', {}, 202)
}

async function verify({ access }: RequestContext, token: string): Promise<Grants> {
  if (access.isOpen) throw new TidingsError('change_invalid', 'this hub has no keys; leave token out')
  return access.refreshed(token)
}

function grantedBy({ subscribe: readable, until, subject, identity: token }: Grants): GrantedRights {
  return { readable, until, ...(subject !== undefined && { subject }), ...(token && { token }) }
}

/** The application is asked about added topics, and for whom: the subject of the fresh token, or else that of the stream. */
async function authorize(ctx: RequestContext, controlId: string, change: StreamChange): Promise<Rights | undefined> {
  const { authorizer } = ctx.access
  const { add = [], granted } = change
  if (!authorizer || add.length === 0) return undefined
  const subject = await ctx.hub.subjectOf(controlId)
  return authorizeAdded(ctx, authorizer, granted?.subject ?? subject, add)
}
