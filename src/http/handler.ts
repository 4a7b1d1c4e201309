// The door: finds the endpoint for a request, and turns whatever goes wrong into an answer. It knows no topic and no update.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { TidingsError } from '../errors.ts'
import type { Hub } from '../hub/hub.ts'
import { refuse } from './answer.ts'
import { parseParameters } from './body.ts'
import type { HandlerOptions, Route } from './exchange.ts'
import { requireLocalName } from './origin.ts'
import { simpleRoutes } from './simple.ts'

/** Headers that a request may have. */
const mostHeaders = 100

/**
 * Serves a hub over HTTP/1.1, as the listener of a `node:http` or `node:https` server:
 * `http.createServer(createHandler(hub))`.
 */
export function createHandler(
  hub: Hub,
  { maxBody = 2 ** 20, highWaterMark = 64 * 1_024, keepAlive = 15_000, localOnly = false }: HandlerOptions = {}
): (request: IncomingMessage, response: ServerResponse) => void {
  if (typeof hub?.publish !== 'function') throw new TypeError('createHandler: give it the hub that createHub made')
  const options = { maxBody, highWaterMark, keepAlive, localOnly }
  for (const [name, value] of Object.entries(options)) {
    if (typeof value === 'boolean' || value >= 0) continue
    throw new RangeError(`createHandler: ${name} must be a number of at least 0, not ${value}`)
  }
  return (request, response) => {
    // A client that breaks off is told by `close`; without a listener its error would end the process.
    request.on('error', () => {})
    response.on('error', () => {})
    serve(hub, options, request, response).catch((error: unknown) => {
      if (!(error instanceof TidingsError)) hub.failed(error)
      refuse(request, response, error)
    })
  }
}

async function serve(
  hub: Hub,
  options: Required<HandlerOptions>,
  request: IncomingMessage,
  response: ServerResponse
): Promise<void> {
  if (request.rawHeaders.length > 2 * mostHeaders) {
    throw new TidingsError('headers_too_large', `${mostHeaders} headers are allowed`)
  }
  if (options.localOnly) requireLocalName(request)
  const { path, query } = split(request.url ?? '/')
  const route = simpleRoutes.get(path)
  if (!route) throw new TidingsError('not_found', `there are ${[...simpleRoutes.keys()].join(', ')}`)
  const method = route[request.method as keyof Route]
  if (!method) {
    answerOther(route, request, response)
    return
  }
  await method({ hub, options, request, response, query: parseParameters(query) })
}

/** `OPTIONS` is answered; any other method is refused, and told which there are [RFC 9110, 15.5.6]. */
function answerOther(route: Route, request: IncomingMessage, response: ServerResponse): void {
  const allow = Object.keys(route).join(', ')
  if (request.method === 'OPTIONS') {
    response.writeHead(204, { Allow: allow })
    response.end()
    return
  }
  refuse(request, response, new TidingsError('method_not_allowed', `there are ${allow}`), { Allow: allow })
}

/** A request's path and query; a proxy may name the whole address [RFC 9112, 3.2.2]. */
function split(target: string): { path: string; query: string } {
  const local = target.replace(/^https?:\/\/[^/?]*/i, '')
  const mark = local.indexOf('?')
  if (mark === -1) return { path: local || '/', query: '' }
  return { path: local.slice(0, mark) || '/', query: local.slice(mark + 1) }
}
