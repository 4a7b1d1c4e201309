// The integration suite in Koa.
import { createServer } from 'node:http'
import Koa from 'koa'
import { createHandler } from '../../dist/index.js'
import { handlerOptions, listening } from '../support/integrations/apps.ts'
import { integrationSuite } from '../support/integrations/suite.ts'

integrationSuite('Koa', (hub, options) => {
  const serveHub = createHandler(hub, handlerOptions(options))
  const app = new Koa()
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
})
