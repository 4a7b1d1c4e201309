// Makes the handler that serves a hub from Requests.

import type { IncomingMessage } from 'node:http'
import type { AuthorizeFunction } from '../http/access/authorize-function.ts'
import type { HandlerOptions } from '../http/request-context.ts'
import { defaultHighWaterMark, Router } from '../http/router.ts'
import type { Hub } from '../hub/hub.ts'
import { nodeExchange, reportedAddress } from './platform.ts'
import { FetchRequest } from './request.ts'
import { FetchResponse } from './response.ts'

export interface FetchHandlerOptions extends Omit<HandlerOptions, 'authorize'> {
  /** As for `createHandler`. A function gets the `Request` as `request`. */
  authorize?: string | AuthorizeFunction<Request>
  /**
   * The address of the client, for limits and logs. Default: what Deno, Bun or `@hono/node-server` reports in the second argument. Without
   * either it is `unknown`, and limits per address then count all clients together.
   */
  address?: (request: Request, platform: unknown) => string | undefined
}

/**
 * Answers a request. The second argument is what the server passes along: the `info` of Deno.serve, the `server` of Bun.serve, or the `env` of
 * `@hono/node-server`. With the latter, streams are written by `node:http` itself, which costs less, and headers that the application's
 * middleware adds are not sent.
 */
export type FetchHandler = (request: Request, platform?: unknown) => Promise<Response>

/**
 * Makes the function that serves a hub from Requests, for Next.js, Hono, Nitro, SvelteKit, Astro, Bun and Deno. It has the endpoints, limits and
 * errors of `createHandler`. With `basePath`, it answers requests for this path and below, and 404 to others.
 * @throws OptionError for an option that cannot be used, TypeError if `hub` is no hub
 */
export function createFetchHandler(hub: Hub, options: FetchHandlerOptions = {}): FetchHandler {
  if (typeof hub?.publish !== 'function') throw new TypeError('createFetchHandler: give it the hub that createHub made')
  const { address, ...rest } = options
  const router = new Router(hub, rest as HandlerOptions)
  const highWaterMark = rest.highWaterMark ?? defaultHighWaterMark
  return async (request, platform) => {
    const node = nodeExchange(platform)
    if (node) {
      locate(node.incoming, request)
      router.open(node.incoming, node.outgoing)
      return answeredByNode()
    }
    const from = address?.(request, platform) ?? reportedAddress(request, platform) ?? 'unknown'
    const incoming = new FetchRequest(request, from)
    const response = new FetchResponse(incoming, highWaterMark)
    router.open(incoming, response)
    return response.sent
  }
}

type FrameworkRequest = IncomingMessage & { originalUrl?: string; original?: Request }

/** A framework that strips a prefix passes on a Request with another URL, as Express does with `request.url`. */
function locate(incoming: FrameworkRequest, request: Request): void {
  const { pathname, search } = new URL(request.url)
  incoming.original = request
  if (incoming.url === pathname + search) return
  incoming.originalUrl ??= incoming.url ?? '/'
  incoming.url = pathname + search
}

/**
 * Tells `@hono/node-server` that there is nothing to send. That server replaces the global Response by one that it sends without a look at
 * the headers. A clone is a real one.
 */
function answeredByNode(): Response {
  return new Response(null, { headers: { 'x-hono-already-sent': 'true' } }).clone()
}
