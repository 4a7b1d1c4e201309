// The integration suite in h3 2, which routes the requests of Nitro too.
import { H3, serve } from 'h3'
import { createFetchHandler } from '../../dist/fetch/index.js'
import { integrationSuite } from '../support/integrations/suite.ts'

integrationSuite('h3', async (hub, { authorize }) => {
  const handler = createFetchHandler(hub, {
    basePath: '/events',
    ...(authorize && {
      authorize: ({ request, topics }) => authorize(request.headers.get('cookie') ?? undefined, topics)
    })
  })
  const app = new H3()
  app.get('/own', () => 'own')
  app.all('/events/**', ({ req }) => handler(req))
  const server = serve(app, { port: 0, hostname: '127.0.0.1', silent: true, gracefulShutdown: false })
  await server.ready()
  return { origin: (server.url as string).replace(/\/$/, ''), close: () => server.close() }
})
