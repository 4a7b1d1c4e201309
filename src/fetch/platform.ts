// What servers pass along with a Request: the address of the client, or the request and response of node:http.
import { IncomingMessage, ServerResponse } from 'node:http'

/** The shapes of Deno.serve, Bun.serve and `@hono/node-server`. */
interface Platform {
  readonly remoteAddr?: { readonly hostname?: unknown }
  readonly requestIP?: (request: Request) => { readonly address?: unknown } | null
  readonly incoming?: unknown
  readonly outgoing?: unknown
}

/** The address that the server reports; undefined if it reports none. */
export function reportedAddress(request: Request, platform: unknown): string | undefined {
  if (typeof platform !== 'object' || platform === null) return undefined
  const { remoteAddr, incoming } = platform as Platform
  if (typeof remoteAddr?.hostname === 'string') return remoteAddr.hostname
  if (incoming instanceof IncomingMessage) return incoming.socket.remoteAddress
  const { requestIP } = platform as Platform
  const address = typeof requestIP === 'function' ? requestIP.call(platform, request)?.address : undefined
  return typeof address === 'string' ? address : undefined
}

/** The request and response of node:http behind a Request; undefined on other servers, or if something was sent already. */
export function nodeExchange(platform: unknown): { incoming: IncomingMessage; outgoing: ServerResponse } | undefined {
  if (typeof platform !== 'object' || platform === null) return undefined
  const { incoming, outgoing } = platform as Platform
  const isNode = incoming instanceof IncomingMessage && outgoing instanceof ServerResponse && !outgoing.headersSent
  return isNode ? { incoming, outgoing } : undefined
}
