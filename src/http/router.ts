// Finds the endpoint of a request, and turns errors into responses.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { OptionError, TidingsError } from '../errors.ts'
import type { Hub } from '../hub/hub.ts'
import { Access, AccessError } from './access/access.ts'
import { ClientAddress } from './access/client-address.ts'
import { Cors } from './access/cors.ts'
import { type Limiter, Limits } from './access/limits.ts'
import { requireLocalName } from './access/origin.ts'
import { parseParameters } from './body.ts'
import { DashboardMount } from './dashboard/mount.ts'
import { type DashboardParts, readDashboardOption } from './dashboard/options.ts'
import { describeHub } from './description.ts'
import type { HttpRequest, HttpResponse } from './exchange.ts'
import { mercureRoute } from './mercure/routes.ts'
import { locate, readBasePath } from './mount.ts'
import type { Bounds, HandlerOptions, RequestContext, Route } from './request-context.ts'
import { addHeader, sendError, writeHead } from './response.ts'
import { withoutSecret } from './simple/control.ts'
import { simplePaths, simpleRoute } from './simple/routes.ts'
import { answerOptions, hostError, targetOf } from './target.ts'
import { traceOf } from './trace.ts'

/** Bytes that may wait for one slow client, besides one batch. */
export const defaultHighWaterMark = 64 * 1_024
/** Headers that a request may have. */
const maxHeaders = 100

/**
 * Makes the request listener that serves a hub: `http.createServer(createHandler(hub))` for `node:http`, `node:https`
 * and `node:http2`, or `app.use('/events', createHandler(hub))` for Express and Connect. Requests for other paths go to
 * `next`, or get 404 if there is no `next`.
 * @throws OptionError for an option that cannot be used, TypeError if `hub` is no hub
 */
export function createHandler(
  hub: Hub,
  options: HandlerOptions = {}
): (
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
  next?: () => void
) => void {
  if (typeof hub?.publish !== 'function') throw new TypeError('createHandler: give it the hub that createHub made')
  const router = new Router(hub, options)
  return (request, response, next) => router.open(request, response, next)
}

/** @throws as `createHandler` does, before there is a hub to make a handler for. */
export function checkHandlerOptions(options: HandlerOptions): void {
  readBounds(options)
  readDashboardOption(options)
  new Access(options, () => {})
  new Cors(options)
  new Limits(options, () => 0)
  new ClientAddress(options)
}

/** Parts of a router that stand for the hubs of several processes. */
export interface SharedParts {
  readonly limits?: Limiter
  readonly describe?: RequestContext['describe']
  readonly dashboard?: DashboardParts
}

/** Serves one hub. Its options can change while it is in use. */
export class Router {
  readonly #hub: Hub
  readonly #more: ReadonlyMap<string, Route>
  readonly #limits: Limiter
  readonly #describe: RequestContext['describe']
  readonly #dashboard: DashboardMount
  #basePath: string
  #bounds: Bounds
  #access: Access
  #cors: Cors
  #addresses: ClientAddress
  #localOnly: boolean

  /** @param more further routes, by path @param shared what this hub has in common with those of other processes */
  constructor(
    hub: Hub,
    options: HandlerOptions,
    more: ReadonlyMap<string, Route> = new Map(),
    shared: SharedParts = {}
  ) {
    this.#hub = hub
    this.#more = more
    this.#describe = shared.describe ?? ((limit) => describeHub(hub, limit))
    this.#basePath = readBasePath(options)
    this.#bounds = readBounds(options)
    this.#dashboard = new DashboardMount(hub, options, shared.dashboard)
    this.#access = this.#makeAccess(options)
    if (this.#access.subscriptions && !hub.hasRoster) {
      throw new OptionError(
        'subscriptions',
        'the log of this hub does not keep subscriptions; remove the option, or use a log of tidings'
      )
    }
    this.#cors = new Cors(options)
    this.#limits = shared.limits ?? new Limits(options, () => hub.status.subscribers)
    this.#addresses = new ClientAddress(options)
    this.#localOnly = options.localOnly ?? false
  }

  /** Changes the options. @throws as the constructor does; nothing has changed then */
  reload(options: HandlerOptions): void {
    checkHandlerOptions(options)
    this.#basePath = readBasePath(options)
    this.#bounds = readBounds(options)
    this.#access = this.#makeAccess(options)
    this.#dashboard.reload(options)
    this.#cors = new Cors(options)
    this.#limits.adjust(options)
    this.#addresses = new ClientAddress(options)
    this.#localOnly = options.localOnly ?? false
  }

  open(request: HttpRequest, response: HttpResponse, next?: () => void): void {
    const mounted = locate(request, this.#basePath)
    const route = mounted && this.#routeOf(mounted.path)
    // With `basePath`, everything below it belongs to the hub. Otherwise the app may have further paths.
    if (next && (!mounted || (!route && this.#basePath === ''))) {
      next()
      return
    }
    // The event `close` follows and is handled. Without a listener, an error would end the process.
    request.on('error', () => {})
    response.on('error', () => {})
    const { path, query } = targetOf(request)
    const ctx: RequestContext = {
      hub: this.#hub,
      options: this.#bounds,
      access: this.#access,
      limits: this.#limits,
      describe: this.#describe,
      id: requestId(),
      address: this.#addresses.of(request),
      request,
      response,
      mount: mounted?.mount ?? '',
      path: mounted?.path ?? path,
      query: () => parseParameters(query)
    }
    this.#serve(ctx, route).catch((error: unknown) => {
      this.#report(ctx, error)
      if (route?.sendError) route.sendError(ctx, error)
      else sendError(request, response, error)
    })
  }

  #makeAccess(options: HandlerOptions): Access {
    const failed = (error: unknown, part: 'jwks' | 'authorize') => {
      this.#dashboard.failed(error, part)
      this.#hub.failed(error)
    }
    return new Access(options, failed, this.#hub)
  }

  #routeOf(path: string): Route | undefined {
    return (
      simpleRoute(path) ??
      mercureRoute(path, this.#access.dialects) ??
      this.#dashboard.routeOf(path) ??
      this.#more.get(path)
    )
  }

  #report({ id, address, mount, path, request }: RequestContext, error: unknown): void {
    const { method = '' } = request
    const trace = traceOf(request)
    if (!(error instanceof TidingsError)) this.#hub.failed(error)
    const code = error instanceof TidingsError ? error.code : 'internal'
    const reason = error instanceof AccessError ? error.reason : undefined
    this.#hub.refused({
      code,
      request: id,
      address,
      method,
      path: withoutSecret(`${mount}${path}`),
      ...(reason !== undefined && { reason }),
      ...(trace !== undefined && { trace })
    })
  }

  async #serve(ctx: RequestContext, route: Route | undefined): Promise<void> {
    const { request, response } = ctx
    addHeader(response, 'X-Request-Id', ctx.id)
    this.#cors.apply(request, response)
    if (request.rawHeaders.length > 2 * maxHeaders) {
      throw new TidingsError('headers_too_large', `the limit is ${maxHeaders} headers`)
    }
    const ambiguous = hostError(request)
    if (ambiguous) throw ambiguous
    if (this.#localOnly) requireLocalName(request)
    this.#access.requireHost(request)
    if (answerOptions(request, response, methods)) return
    if (!route) throw new TidingsError('not_found', `the paths are ${pathsBelow(ctx.mount || this.#basePath)}`)
    // On HTTP/2 the method can be any text, and a route has a property that is not a method.
    const method = methods.find((name) => name === request.method)
    const endpoint = method && route[method]
    if (endpoint) await endpoint(ctx)
    else this.#answerOther(ctx, route)
  }

  /** Answers `OPTIONS`. Refuses other methods with a list of those that exist [RFC 9110, 15.5.6]. */
  #answerOther({ request, response }: RequestContext, route: Route): void {
    const allow = methods.filter((method) => method in route).join(', ')
    if (request.method === 'OPTIONS') {
      this.#cors.allow(request, response, allow)
      writeHead(response, 204, { Allow: allow }).end()
      return
    }
    sendError(request, response, new TidingsError('method_not_allowed', `use ${allow}`), { Allow: allow })
  }
}

function pathsBelow(mount: string): string {
  return simplePaths.map((path) => `${mount}${path}`).join(', ')
}

let requests = 0

/** A short id that is unique in this process, and unlikely to be used by another one. */
function requestId(): string {
  requests++
  return `${processId}-${requests.toString(36)}`
}

const processId = Math.floor(Math.random() * 36 ** 5).toString(36)

const methods = ['GET', 'HEAD', 'POST', 'QUERY', 'PATCH', 'DELETE'] as const

function readBounds(options: HandlerOptions): Bounds {
  const { maxBody = 2 ** 20, highWaterMark = defaultHighWaterMark, allowDelete = false } = options
  const bounds = { maxBody, highWaterMark }
  for (const [name, value] of Object.entries(bounds)) {
    if (value >= 0) continue
    throw new OptionError(name, `expected a number of at least 0, got ${value}`)
  }
  return { ...bounds, allowDelete }
}
