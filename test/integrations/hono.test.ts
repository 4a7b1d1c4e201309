// The hub in a Hono application on Node: below a route with the Request, with what the server passes along, and mounted.
import { type ServerType, serve } from '@hono/node-server'
import { Hono } from 'hono'
import { createFetchHandler, type FetchHandlerOptions } from '../../dist/fetch/index.js'
import type { Hub } from '../../dist/index.js'
import type { App, AppOptions } from '../support/integrations/suite.ts'
import { integrationSuite } from '../support/integrations/suite.ts'

type Add = (app: Hono, hub: Hub, options: FetchHandlerOptions) => void

const basePath = '/events'

const ways: [name: string, add: Add][] = [
  [
    'Hono, with the Request',
    (app, hub, options) => {
      const handler = createFetchHandler(hub, { ...options, basePath })
      app.all('/events/*', ({ req }) => handler(req.raw))
    }
  ],
  [
    'Hono, with its env',
    (app, hub, options) => {
      const handler = createFetchHandler(hub, { ...options, basePath })
      app.all('/events/*', ({ req, env }) => handler(req.raw, env))
    }
  ],
  ['Hono, mounted', (app, hub, options) => void app.mount(basePath, createFetchHandler(hub, options))]
]

for (const [name, add] of ways) integrationSuite(name, (hub, options) => start(add, hub, options))

async function start(add: Add, hub: Hub, { authorize }: AppOptions): Promise<App> {
  const app = new Hono()
  app.get('/own', (context) => context.text('own'))
  const decide: FetchHandlerOptions['authorize'] =
    authorize && (({ request, topics }) => authorize(request.headers.get('cookie') ?? undefined, topics))
  add(app, hub, decide ? { authorize: decide } : {})
  const server = await new Promise<ServerType>((resolve) => {
    const started = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => resolve(started))
  })
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port')
  return {
    origin: `http://127.0.0.1:${address.port}`,
    close: () => new Promise((resolve, reject) => server.close((error) => (error ? reject(error) : resolve())))
  }
}
