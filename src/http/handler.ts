// The door: finds the endpoint for a request, and turns whatever goes wrong into an answer. It knows no topic and no update.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { TidingsError } from '../errors.ts'
import type { Hub } from '../hub/hub.ts'
import { Access } from './access.ts'
import { refuse } from './answer.ts'
import { parseParameters } from './body.ts'
import { Cors } from './cors.ts'
import type { Bounds, Exchange, HandlerOptions, Route } from './exchange.ts'
import { mercureRoute } from './mercure/routes.ts'
import { requireLocalName } from './origin.ts'
import { simpleRoutes } from './simple.ts'

/** Headers that a request may have. */
const mostHeaders = 100

/**
 * Serves a hub over HTTP/1.1, as the listener of a `node:http` or `node:https` server:
 * `http.createServer(createHandler(hub))`.
 * @throws RangeError or TypeError that names the option that cannot be used.
 */
export function createHandler(
  hub: Hub,
  options: HandlerOptions = {}
): (request: IncomingMessage, response: ServerResponse) => void {
  if (typeof hub?.publish !== 'function') throw new TypeError('createHandler: give it the hub that createHub made')
  const door = new Door(hub, options)
  return (request, response) => door.open(request, response)
}

/** @throws as `createHandler` does, before there is a hub to make a handler for. */
export function checkHandlerOptions(options: HandlerOptions): void {
  readBounds(options)
  new Access(options, () => {})
  new Cors(options)
}

class Door {
  readonly #hub: Hub
  readonly #bounds: Bounds
  readonly #access: Access
  readonly #cors: Cors
  readonly #localOnly: boolean

  constructor(hub: Hub, options: HandlerOptions) {
    this.#hub = hub
    this.#bounds = readBounds(options)
    this.#access = new Access(options, (error) => hub.failed(error))
    this.#cors = new Cors(options)
    this.#localOnly = options.localOnly ?? false
  }

  open(request: IncomingMessage, response: ServerResponse): void {
    // A client that breaks off is told by `close`; without a listener its error would end the process.
    request.on('error', () => {})
    response.on('error', () => {})
    const { path, query } = split(request.url ?? '/')
    const route = simpleRoutes.get(path) ?? mercureRoute(path, this.#access.dialects)
    const exchange: Exchange = {
      hub: this.#hub,
      options: this.#bounds,
      access: this.#access,
      request,
      response,
      path,
      query: () => parseParameters(query)
    }
    this.#serve(exchange, route).catch((error: unknown) => {
      if (!(error instanceof TidingsError)) this.#hub.failed(error)
      if (route?.refuse) route.refuse(exchange, error)
      else refuse(request, response, error)
    })
  }

  async #serve(exchange: Exchange, route: Route | undefined): Promise<void> {
    const { request, response } = exchange
    this.#cors.apply(request, response)
    if (request.rawHeaders.length > 2 * mostHeaders) {
      throw new TidingsError('headers_too_large', `${mostHeaders} headers are allowed`)
    }
    if (this.#localOnly) requireLocalName(request)
    this.#access.requireHost(request)
    if (!route) throw new TidingsError('not_found', `there are ${[...simpleRoutes.keys()].join(', ')}`)
    const method = route[request.method as 'GET']
    if (method) await method(exchange)
    else this.#answerOther(exchange, route)
  }

  /** `OPTIONS` is answered; any other method is refused, and told which there are [RFC 9110, 15.5.6]. */
  #answerOther({ request, response }: Exchange, route: Route): void {
    const allow = methods.filter((method) => method in route).join(', ')
    if (request.method === 'OPTIONS') {
      this.#cors.allow(request, response, allow)
      response.writeHead(204, { Allow: allow }).end()
      return
    }
    refuse(request, response, new TidingsError('method_not_allowed', `there are ${allow}`), { Allow: allow })
  }
}

const methods = ['GET', 'HEAD', 'POST', 'QUERY'] as const

function readBounds({ maxBody = 2 ** 20, highWaterMark = 64 * 1_024, keepAlive = 15_000 }: HandlerOptions): Bounds {
  const bounds = { maxBody, highWaterMark, keepAlive }
  for (const [name, value] of Object.entries(bounds)) {
    if (value >= 0) continue
    throw new RangeError(`createHandler: ${name} must be a number of at least 0, not ${value}`)
  }
  return bounds
}

/** A request's path and query; a proxy may name the whole address [RFC 9112, 3.2.2]. */
function split(target: string): { path: string; query: string } {
  const local = target.replace(/^https?:\/\/[^/?]*/i, '')
  const mark = local.indexOf('?')
  if (mark === -1) return { path: local || '/', query: '' }
  return { path: local.slice(0, mark) || '/', query: local.slice(mark + 1) }
}
