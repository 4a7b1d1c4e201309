// Where the endpoints of Mercure are. It knows what each is called, and not what it does.
import type { Dialect } from '../../auth/dialect.ts'
import { hubPath } from '../access/options.ts'
import type { RequestContext, Route } from '../request-context.ts'
import { traced } from '../trace.ts'
import { sendDialectError } from './dialects.ts'
import { list, listPath } from './list.ts'
import { metadata, metadataPath } from './metadata.ts'
import { publish } from './publish.ts'
import { subscribe } from './subscribe.ts'

const hubRoute: Route = { GET: stream, HEAD: stream, POST: traced(publish), refuse }
const modernRoute: Route = { ...hubRoute, QUERY: stream }
const listRoute: Route = { GET: list, HEAD: list, refuse: sendDialectError }
const metadataRoute: Route = { GET: metadata, HEAD: metadata }

/** The route of a path, where it is one of Mercure's. QUERY is a method of 1.0 alone. */
export function mercureRoute(path: string, dialects: readonly Dialect[]): Route | undefined {
  if (path === hubPath) return dialects.includes('1.0') ? modernRoute : hubRoute
  if (path === listPath || path.startsWith(`${listPath}/`)) return listRoute
  return path === metadataPath ? metadataRoute : undefined
}

async function stream(ctx: RequestContext): Promise<void> {
  tellOfQuery(ctx)
  return subscribe(ctx)
}

/** Some refusals come before an endpoint is asked. */
function refuse(ctx: RequestContext, error: unknown): void {
  if (ctx.request.method !== 'POST') tellOfQuery(ctx)
  sendDialectError(ctx, error)
}

/** [draft-ietf-httpbis-safe-method-w-body] Every answer tells that a body may say what the address cannot hold. */
function tellOfQuery({ access, response }: RequestContext): void {
  if (!access.dialects.includes('1.0') || response.headersSent) return
  response.setHeader('Accept-Query', 'application/x-www-form-urlencoded')
}
