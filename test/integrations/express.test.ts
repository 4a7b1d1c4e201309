// The integration suite in Express 5: with `basePath`, below a prefix, and behind the middleware that apps have.
import { createServer } from 'node:http'
import compression from 'compression'
import express, { type Express } from 'express'
import { expect, it, onTestFinished } from 'vitest'
import { createHandler, createHub, type HandlerOptions, type Hub } from '../../dist/index.js'
import { ask, post } from '../support/http/http.ts'
import { handlerOptions, listening } from '../support/integrations/apps.ts'
import { integrationSuite } from '../support/integrations/suite.ts'

function appWith(add: (app: Express) => void) {
  const app = express()
  add(app)
  app.get('/own', (_, response) => void response.send('own'))
  return listening(createServer(app))
}

integrationSuite('Express, app.use(handler)', (hub, options) =>
  appWith((app) => app.use(createHandler(hub, handlerOptions(options))))
)

integrationSuite(
  'Express behind compression(), app.use(path, handler)',
  (hub, options) => {
    const { basePath, ...rest } = handlerOptions(options)
    return appWith((app) => app.use(compression({ threshold: 0 })).use(basePath as string, createHandler(hub, rest)))
  },
  { compresses: true }
)

/** An app whose own middleware runs first, until the test ends. */
async function serveBehind(
  add: (app: Express) => void,
  options: HandlerOptions = {}
): Promise<{ hub: Hub; url: string }> {
  const hub = createHub({ heartbeat: 0 })
  const { origin, close } = await appWith((app) => {
    add(app)
    app.use(createHandler(hub, { basePath: '/events', ...options }))
  })
  onTestFinished(async () => {
    await hub.close()
    await close()
  })
  return { hub, url: `${origin}/events` }
}

it('the session that middleware has added to the request decides', async () => {
  const { url } = await serveBehind(
    (app) =>
      app.use((request, _, next) => {
        Object.assign(request, { session: { user: request.headers.cookie } })
        next()
      }),
    { authorize: ({ request }) => (request as typeof request & { session: { user?: string } }).session.user === 'ann' }
  )
  expect((await ask(`${url}/updates`, { headers: { Cookie: 'ann' } })).status).toBe(200)
  expect((await ask(`${url}/updates`, { headers: { Cookie: 'bob' } })).status).toBe(403)
})

it('says so if a body parser has read the body before it', async () => {
  const { url } = await serveBehind((app) => app.use(express.text()))
  const text = expect.stringContaining('middleware has already read the request body')
  expect(await post(`${url}/publish?topic=t`, 'x')).toMatchObject({ status: 500, text })
})
