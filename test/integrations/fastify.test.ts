// The integration suite with `tidings/fastify`, and what only the plugin has to do: hooks, bodies, headers and closing.
import type { AddressInfo } from 'node:net'
import compress from '@fastify/compress'
import Fastify, { type FastifyInstance, type FastifyPluginCallback, type FastifyServerOptions } from 'fastify'
import { expect, it, onTestFinished } from 'vitest'
import { type AuthorizeFastifyRequest, type TidingsOptions, tidings } from '../../dist/fastify/index.js'
import { createHub, type Hub } from '../../dist/index.js'
import { ask, post } from '../support/http/http.ts'
import { listenHttp2 } from '../support/http/http2.ts'
import { listen } from '../support/http/sse-client.ts'
import { type App, type AppOptions, integrationSuite } from '../support/integrations/suite.ts'

const optionsOf = (hub: Hub, { authorize }: AppOptions) => ({
  hub,
  prefix: '/events',
  ...(authorize && {
    authorize: ({ headers, topics }: AuthorizeFastifyRequest) => authorize(headers.cookie, topics)
  })
})

async function listening(
  app: Pick<FastifyInstance, 'listen' | 'close'> & { server: { address(): unknown } }
): Promise<App> {
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  return { origin: `http://127.0.0.1:${port}`, close: () => app.close() }
}

integrationSuite('Fastify', async (hub, options) => {
  const app = Fastify()
  await app.register(tidings, optionsOf(hub, options))
  app.get('/own', async () => 'own')
  return listening(app)
})

integrationSuite(
  'Fastify behind @fastify/compress',
  async (hub, options) => {
    const app = Fastify()
    await app.register(compress, { threshold: 0 })
    await app.register(tidings, optionsOf(hub, options))
    app.get('/own', async () => 'own')
    return listening(app)
  },
  { compresses: true }
)

integrationSuite(
  'Fastify on HTTP/2',
  async (hub, options) => {
    const app = Fastify({ http2: true })
    await app.register(tidings, optionsOf(hub, options))
    app.get('/own', async () => 'own')
    return listening(app)
  },
  { connect: listenHttp2 }
)

/** An app with a hub at `/events`, until the test ends. */
async function serve(
  prepare: (app: FastifyInstance) => unknown,
  options: Partial<TidingsOptions> = {},
  serverOptions: FastifyServerOptions = {}
) {
  const hub = createHub({ heartbeat: 0 })
  const app = Fastify(serverOptions)
  await prepare(app)
  await app.register(tidings, { hub, prefix: '/events', ...options })
  const { origin } = await listening(app)
  onTestFinished(() => app.close())
  return { app, hub, origin, url: `${origin}/events` }
}

it('its function gets the request of Fastify, as hooks and decorators left it', async () => {
  const { url } = await serve(
    (app) => {
      app.decorateRequest('user', '')
      app.addHook('preHandler', async (request) => {
        Object.assign(request, { user: request.headers.cookie })
      })
    },
    { authorize: ({ request }) => (request as typeof request & { user?: string }).user === 'ann' }
  )
  expect((await ask(`${url}/updates`, { headers: { Cookie: 'ann' } })).status).toBe(200)
  expect((await ask(`${url}/updates`, { headers: { Cookie: 'bob' } })).status).toBe(403)
})

it('hooks of the app may answer first, and may add headers', async () => {
  const { url } = await serve((app) =>
    app.addHook('onRequest', async (request, reply) => {
      reply.header('X-From-Hook', 'yes')
      if (request.headers.cookie === undefined) await reply.code(401).send('log in')
    })
  )
  expect(await ask(`${url}/subscribe`)).toMatchObject({ status: 401, text: 'log in' })
  const client = await listen(`${url}/subscribe`, { Cookie: 'ann' })
  expect(client.status).toBe(200)
  expect(client.headers['x-from-hook']).toBe('yes')
})

it('reads bodies itself: larger than the limit of Fastify, of any type, and without one', async () => {
  const { url } = await serve(() => {}, {}, { bodyLimit: 10 })
  const body = 'x'.repeat(1_000)
  expect((await post(`${url}/publish?topic=t`, body)).status).toBe(200)
  expect((await post(`${url}/publish?topic=t`, body, { 'Content-Type': 'image/png' })).status).toBe(200)
  expect((await ask(`${url}/publish?topic=t`, { method: 'POST', body })).status).toBe(200)
  const page = await ask(`${url}/updates?last=5`)
  expect((page.json() as { updates: { data: string }[] }).updates.map(({ data }) => data)).toEqual([body, body, body])
})

it('leaves the parsers of the app alone', async () => {
  const { origin } = await serve((app) => app.post('/own', async ({ body }) => body))
  const answer = await post(`${origin}/own`, '{"a":1}', { 'Content-Type': 'application/json' })
  expect(answer).toMatchObject({ status: 200, text: '{"a":1}' })
})

it('serves its page at the prefix, and nested prefixes', async () => {
  const hub = createHub({ heartbeat: 0 })
  const app = Fastify()
  const api: FastifyPluginCallback = (nested, _, done) => {
    // Loaded when `done` has been called; `listen` waits for it.
    void nested.register(tidings, { hub, prefix: '/events' })
    done()
  }
  await app.register(api, { prefix: '/api' })
  const { origin } = await listening(app)
  onTestFinished(() => app.close())
  expect((await ask(`${origin}/api/events`)).headers.location).toBe('./events/')
  expect((await ask(`${origin}/api/events/`)).headers.link).toBe('</api/events/.well-known/mercure>; rel="mercure"')
})

it('without a prefix, it has every path without another route', async () => {
  const { origin } = await serve((app) => app.get('/own', async () => 'own'), { prefix: '/' })
  expect((await ask(`${origin}/own`)).text).toBe('own')
  expect((await ask(`${origin}/updates`)).status).toBe(200)
  expect((await ask(`${origin}/other`)).status).toBe(404)
})

it('app.close closes the hub and ends its streams', async () => {
  const { app, hub, url } = await serve(() => {})
  const client = await listen(`${url}/subscribe`)
  await app.close()
  await client.until(({ ended }) => ended, 'the end of the stream')
  await expect(hub.publish({ topics: ['t'], data: 'x' })).rejects.toThrow()
})

it('rejects a prefix with parameters, and options of the hub that cannot be used', async () => {
  const hub = createHub()
  onTestFinished(() => hub.close())
  const register = async (options: TidingsOptions) => {
    const app = Fastify()
    onTestFinished(() => app.close())
    await app.register(tidings, options)
  }
  await expect(register({ hub, prefix: '/:tenant' })).rejects.toThrow(
    /^prefix: expected a path without parameters, got \/:tenant$/
  )
  await expect(register({ hub, maxBody: -1 })).rejects.toThrow(/^maxBody: /)
})
