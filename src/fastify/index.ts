// The Fastify plugin of tidings: `app.register(tidings, { hub, prefix: '/events' })` serves a hub below the prefix.
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest, RawServerBase } from 'fastify'
import {
  type AuthorizeAnswer,
  type AuthorizeRequest,
  createHandler,
  type HandlerOptions,
  type Hub,
  OptionError
} from '../index.ts'

/** The options of `createHandler`, with the prefix of Fastify in place of `basePath`. */
export interface TidingsOptions extends Omit<HandlerOptions, 'authorize' | 'basePath'> {
  /** `app.close()` closes it, because Fastify waits for its streams. */
  readonly hub: Hub
  /** The path below which the hub answers, as text without parameters; default the root, for paths without another route. */
  readonly prefix?: string
  /** As for `createHandler`. A function gets the request of Fastify, with what hooks and decorators added to it. */
  authorize?: string | AuthorizeFastifyFunction
}

/** Decides about a stream, a page of history, a publish or a deletion; as `AuthorizeFunction` for `createHandler`. */
export type AuthorizeFastifyFunction = (request: AuthorizeFastifyRequest) => AuthorizeAnswer | Promise<AuthorizeAnswer>

export interface AuthorizeFastifyRequest extends Omit<AuthorizeRequest, 'request'> {
  readonly request: FastifyRequest
}

/**
 * Serves a hub in a Fastify 5 app. Its routes run after the app's hooks, and read the bodies of their requests
 * themselves. An option that cannot be used fails the start of the app with an error that names it.
 */
export function tidings<Server extends RawServerBase>(
  app: FastifyInstance<Server>,
  options: TidingsOptions,
  done: (error?: Error) => void
): void {
  try {
    // On HTTP/2, requests and responses have the interface of node:http too.
    addRoutes(app as unknown as FastifyInstance, options)
    done()
  } catch (error) {
    done(error as Error)
  }
}

Object.assign(tidings, {
  [Symbol.for('fastify.display-name')]: 'tidings',
  [Symbol.for('plugin-meta')]: { name: 'tidings', fastify: '>=5' }
})

export { tidings as default }

function withFastifyRequest(authorize: AuthorizeFastifyFunction, requests: WeakMap<IncomingMessage, FastifyRequest>) {
  return (asked: AuthorizeRequest) => authorize({ ...asked, request: requests.get(asked.request) as FastifyRequest })
}

function addRoutes(app: FastifyInstance, { hub, authorize, prefix: _, ...options }: TidingsOptions): void {
  // Fastify has the whole prefix of nested plugins.
  const basePath = app.prefix
  if (/[:*]/.test(basePath)) throw new OptionError('prefix', `expected a path without parameters, got ${basePath}`)
  const requests = new WeakMap<IncomingMessage, FastifyRequest>()
  const decide = typeof authorize === 'function' ? withFastifyRequest(authorize, requests) : authorize
  const serveHub = createHandler(hub, { ...options, basePath, ...(decide && { authorize: decide }) })
  const handler = (request: FastifyRequest, reply: FastifyReply) => {
    requests.set(request.raw, request)
    reply.hijack()
    // What hooks have set, such as the headers of CORS.
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) reply.raw.setHeader(name, value)
    }
    serveHub(request.raw, reply.raw)
  }
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _body, parsed) => parsed(null))
  const route = { method: app.supportedMethods, exposeHeadRoute: false, handler }
  if (basePath !== '') app.route({ ...route, url: '' })
  app.route({ ...route, url: '/*' })
  app.addHook('preClose', () => hub.close())
}
