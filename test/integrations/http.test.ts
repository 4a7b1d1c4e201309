// The integration suite on node:http and node:http2, where the handler is the only middleware.
import { createServer } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { createHandler, type HandlerOptions, type Hub } from '../../dist/index.js'
import { listenHttp2 } from '../support/http/http2.ts'
import { handlerOptions, listening } from '../support/integrations/apps.ts'
import { integrationSuite } from '../support/integrations/suite.ts'

/** A listener that answers `/own`, and passes the rest to the hub. */
const listenerOf = (hub: Hub, options: HandlerOptions) => {
  const serveHub = createHandler(hub, options)
  return (request: Parameters<typeof serveHub>[0], response: Parameters<typeof serveHub>[1]) =>
    serveHub(request, response, () => response.end('own'))
}

integrationSuite('node:http', (hub, options) => listening(createServer(listenerOf(hub, handlerOptions(options)))))

integrationSuite(
  'node:http2',
  (hub, options) => listening(createHttp2Server(listenerOf(hub, handlerOptions(options)))),
  {
    connect: listenHttp2
  }
)
