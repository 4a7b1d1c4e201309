// The door: finds the endpoint for a request, and turns whatever goes wrong into an answer. It knows no topic and no update.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { OptionError, TidingsError } from '../errors.ts'
import type { Hub } from '../hub/hub.ts'
import { Access } from './access/access.ts'
import { ClientAddress } from './access/client-address.ts'
import { Cors } from './access/cors.ts'
import { Limits } from './access/limits.ts'
import { requireLocalName } from './access/origin.ts'
import { parseParameters } from './body.ts'
import { mercureRoute } from './mercure/routes.ts'
import type { Bounds, HandlerOptions, RequestContext, Route } from './request-context.ts'
import { sendError } from './response.ts'
import { simpleRoutes } from './simple/routes.ts'
import { answerOptions, hasSeveralHosts, severalHosts, targetOf } from './target.ts'
import { traceOf } from './trace.ts'

/** Headers that a request may have. */
const maxHeaders = 100

/**
 * Serves a hub over HTTP/1.1, as the listener of a `node:http` or `node:https` server:
 * `http.createServer(createHandler(hub))`.
 * @param more what else there is, by path
 * @throws OptionError for an option that cannot be used, TypeError if `hub` is no hub
 */
export function createHandler(
  hub: Hub,
  options: HandlerOptions = {},
  more: ReadonlyMap<string, Route> = new Map()
): (request: IncomingMessage, response: ServerResponse) => void {
  if (typeof hub?.publish !== 'function') throw new TypeError('createHandler: give it the hub that createHub made')
  const router = new Router(hub, options, more)
  return (request, response) => router.open(request, response)
}

/** @throws as `createHandler` does, before there is a hub to make a handler for. */
export function checkHandlerOptions(options: HandlerOptions): void {
  readBounds(options)
  new Access(options, () => {})
  new Cors(options)
  new Limits(options, () => 0)
  new ClientAddress(options)
}

/** The door to a hub, whose options can be changed while it is in use. */
export class Router {
  readonly #hub: Hub
  readonly #more: ReadonlyMap<string, Route>
  readonly #limits: Limits
  #bounds: Bounds
  #access: Access
  #cors: Cors
  #addresses: ClientAddress
  #localOnly: boolean

  constructor(hub: Hub, options: HandlerOptions, more: ReadonlyMap<string, Route>) {
    this.#hub = hub
    this.#more = more
    this.#bounds = readBounds(options)
    this.#access = new Access(options, (error) => hub.failed(error))
    if (this.#access.subscriptions && !hub.hasRoster) {
      throw new RangeError(
        'subscriptions: the log of this hub keeps no roster, so nobody can be announced; leave the option out'
      )
    }
    this.#cors = new Cors(options)
    this.#limits = new Limits(options, () => hub.status.subscribers)
    this.#addresses = new ClientAddress(options)
    this.#localOnly = options.localOnly ?? false
  }

  /** Goes by other options from now on. @throws as the constructor does, and then nothing has changed */
  reload(options: HandlerOptions): void {
    checkHandlerOptions(options)
    this.#bounds = readBounds(options)
    this.#access = new Access(options, (error) => this.#hub.failed(error))
    this.#cors = new Cors(options)
    this.#limits.adjust(options)
    this.#addresses = new ClientAddress(options)
    this.#localOnly = options.localOnly ?? false
  }

  open(request: IncomingMessage, response: ServerResponse): void {
    // A client that breaks off is told by `close`; without a listener its error would end the process.
    request.on('error', () => {})
    response.on('error', () => {})
    const { path, query } = targetOf(request)
    const route = simpleRoutes.get(path) ?? mercureRoute(path, this.#access.dialects) ?? this.#more.get(path)
    const ctx: RequestContext = {
      hub: this.#hub,
      options: this.#bounds,
      access: this.#access,
      limits: this.#limits,
      id: requestId(),
      address: this.#addresses.of(request),
      request,
      response,
      path,
      query: () => parseParameters(query)
    }
    this.#serve(ctx, route).catch((error: unknown) => {
      this.#report(ctx, error)
      if (route?.refuse) route.refuse(ctx, error)
      else sendError(request, response, error)
    })
  }

  #report({ id, address, path, request }: RequestContext, error: unknown): void {
    const { method = '' } = request
    const trace = traceOf(request)
    if (!(error instanceof TidingsError)) this.#hub.failed(error)
    const code = error instanceof TidingsError ? error.code : 'internal'
    this.#hub.refused({ code, request: id, address, method, path, ...(trace !== undefined && { trace }) })
  }

  async #serve(ctx: RequestContext, route: Route | undefined): Promise<void> {
    const { request, response } = ctx
    response.setHeader('X-Request-Id', ctx.id)
    this.#cors.apply(request, response)
    if (request.rawHeaders.length > 2 * maxHeaders) {
      throw new TidingsError('headers_too_large', `${maxHeaders} headers are allowed`)
    }
    if (hasSeveralHosts(request)) throw new TidingsError('request_malformed', severalHosts)
    if (this.#localOnly) requireLocalName(request)
    this.#access.requireHost(request)
    if (answerOptions(request, response, methods)) return
    if (!route) throw new TidingsError('not_found', `there are ${[...simpleRoutes.keys()].join(', ')}`)
    // HTTP/2 lets a client send any text as its method, and a route has properties besides its methods.
    const method = methods.find((name) => name === request.method)
    const endpoint = method && route[method]
    if (endpoint) await endpoint(ctx)
    else this.#answerOther(ctx, route)
  }

  /** `OPTIONS` is answered; any other method is refused, and told which there are [RFC 9110, 15.5.6]. */
  #answerOther({ request, response }: RequestContext, route: Route): void {
    const allow = methods.filter((method) => method in route).join(', ')
    if (request.method === 'OPTIONS') {
      this.#cors.allow(request, response, allow)
      response.writeHead(204, { Allow: allow }).end()
      return
    }
    sendError(request, response, new TidingsError('method_not_allowed', `there are ${allow}`), { Allow: allow })
  }
}

let requests = 0

/** Short, and not like that of another process. */
function requestId(): string {
  requests++
  return `${processId}-${requests.toString(36)}`
}

const processId = Math.floor(Math.random() * 36 ** 5).toString(36)

const methods = ['GET', 'HEAD', 'POST', 'QUERY'] as const

function readBounds({ maxBody = 2 ** 20, highWaterMark = 64 * 1_024, keepAlive = 15_000 }: HandlerOptions): Bounds {
  const bounds = { maxBody, highWaterMark, keepAlive }
  for (const [name, value] of Object.entries(bounds)) {
    if (value >= 0) continue
    throw new OptionError(name, `expected a number of at least 0, got ${value}`)
  }
  return bounds
}
