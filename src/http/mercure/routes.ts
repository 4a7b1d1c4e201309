// The paths of the Mercure endpoints, and the metadata of the protected resource.
import { detailType } from '../../auth/claims.ts'
import type { Dialect } from '../../auth/dialect.ts'
import { TidingsError } from '../../errors.ts'
import { hubPath, metadataPath } from '../access/options.ts'
import type { RequestContext, Route } from '../request-context.ts'
import { addHeader, sendJson } from '../response.ts'
import { traced } from '../trace.ts'
import { sendDialectError } from './dialects.ts'
import { list, listPath } from './list.ts'
import { publish } from './publish.ts'
import { subscribe } from './subscribe.ts'

const hubRoute: Route = { GET: stream, HEAD: stream, POST: traced(publish), sendError: sendHubError }
/** QUERY is a method of 1.0 only. */
const hubRouteWithQuery: Route = { ...hubRoute, QUERY: stream }
const listRoute: Route = { GET: list, HEAD: list, sendError: sendDialectError }
const metadataRoute: Route = { GET: metadata, HEAD: metadata }

/** The route of a path; undefined if the path does not belong to Mercure. */
export function mercureRoute(path: string, dialects: readonly Dialect[]): Route | undefined {
  if (path === hubPath) return dialects.includes('1.0') ? hubRouteWithQuery : hubRoute
  if (path === listPath || path.startsWith(`${listPath}/`)) return listRoute
  return path === metadataPath ? metadataRoute : undefined
}

async function stream(ctx: RequestContext): Promise<void> {
  setAcceptQuery(ctx)
  return subscribe(ctx)
}

/** Some errors are thrown before the endpoint runs, so the header is set here too. */
function sendHubError(ctx: RequestContext, error: unknown): void {
  if (ctx.request.method !== 'POST') setAcceptQuery(ctx)
  sendDialectError(ctx, error)
}

/** Announces QUERY, with which a body can hold more selectors than a URL [draft-ietf-httpbis-safe-method-w-body]. */
function setAcceptQuery({ access, response }: RequestContext): void {
  if (!access.dialects.includes('1.0') || response.headersSent) return
  addHeader(response, 'Accept-Query', 'application/x-www-form-urlencoded')
}

/** Describes which tokens the hub accepts [RFC 9728, 2]. */
async function metadata({ access, response }: RequestContext): Promise<void> {
  const { audience, authorizationServers, subscriptions, isOpen, dialects } = access
  if (isOpen || !dialects.includes('1.0')) {
    throw new TidingsError('not_found', 'this hub does not use tokens of Mercure 1.0')
  }
  sendJson(response, {
    resource: audience[0],
    ...(authorizationServers.length > 0 && { authorization_servers: authorizationServers }),
    authorization_details_types_supported: [detailType],
    bearer_methods_supported: ['header'],
    mercure_cookie: true,
    mercure_matcher_types_supported: ['exact', 'urlpattern'],
    ...(subscriptions && { mercure_subscriptions: true })
  })
}
