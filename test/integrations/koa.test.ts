// The integration suite in Koa, alone and behind koa-compress.
import { createServer } from 'node:http'
import Koa from 'koa'
import compress from 'koa-compress'
import { createHandler, type Hub } from '../../dist/index.js'
import { handlerOptions, listening } from '../support/integrations/apps.ts'
import { type App, type AppOptions, integrationSuite } from '../support/integrations/suite.ts'

function start(app: Koa, hub: Hub, options: AppOptions): Promise<App> {
  const serveHub = createHandler(hub, handlerOptions(options))
  // Koa reports that a client disconnected. Without a listener, it prints that.
  app.on('error', () => {})
  app.use(async (ctx, next) => {
    if (!/^\/events(\/|$)/.test(ctx.path)) return next()
    // Koa leaves the response to the hub.
    ctx.respond = false
    return serveHub(ctx.req, ctx.res)
  })
  app.use((ctx) => {
    ctx.body = 'own'
  })
  return listening(createServer(app.callback()))
}

integrationSuite('Koa', (hub, options) => start(new Koa(), hub, options))

integrationSuite(
  'Koa behind koa-compress',
  (hub, options) => start(new Koa().use(compress({ threshold: 0 })), hub, options),
  { compresses: true }
)
