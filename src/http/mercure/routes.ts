// Where the endpoints of Mercure are. It knows what each is called, and not what it does.
import { hubPath } from '../access-options.ts'
import type { Exchange, Route } from '../exchange.ts'
import { refuseIn } from './door.ts'
import { list, listPath } from './list.ts'
import { metadata, metadataPath } from './metadata.ts'
import { publish } from './publish.ts'
import { subscribe } from './subscribe.ts'

const hubRoute: Route = { GET: stream, HEAD: stream, QUERY: stream, POST: publish, refuse: refuseIn }
const listRoute: Route = { GET: list, HEAD: list, refuse: refuseIn }
const metadataRoute: Route = { GET: metadata, HEAD: metadata }

/** The route of a path, where it is one of Mercure's. */
export function mercureRoute(path: string): Route | undefined {
  if (path === hubPath) return hubRoute
  if (path === listPath || path.startsWith(`${listPath}/`)) return listRoute
  return path === metadataPath ? metadataRoute : undefined
}

/** [draft-ietf-httpbis-safe-method-w-body] Every answer tells that a body may say what the address cannot hold. */
async function stream(exchange: Exchange): Promise<void> {
  if (exchange.access.dialects.includes('1.0')) {
    exchange.response.setHeader('Accept-Query', 'application/x-www-form-urlencoded')
  }
  return subscribe(exchange)
}
