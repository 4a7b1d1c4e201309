// The integration suite on node:http and node:http2, where the handler is the only middleware.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createHttp2Server, createSecureServer } from 'node:http2'
import { request as httpsRequest } from 'node:https'
import { expect, it, onTestFinished } from 'vitest'
import { createHandler, createHub, type HandlerOptions, type Hub } from '../../dist/index.js'
import { listenHttp2 } from '../support/http/http2.ts'
import { SseClient } from '../support/http/sse-client.ts'
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

it('one server serves HTTP/2 and HTTP/1.1 with TLS', async () => {
  const fixture = (name: string) => readFileSync(`test/support/auth/for-tests-only.${name}.pem`)
  const hub = createHub({ heartbeat: 0 })
  const options = { key: fixture('key'), cert: fixture('cert'), allowHTTP1: true }
  const { origin, close } = await listening(createSecureServer(options, listenerOf(hub, { basePath: '/events' })))
  onTestFinished(async () => {
    await hub.close()
    await close()
  })
  const url = `${origin.replace('http:', 'https:')}/events/subscribe`
  const modern = await listenHttp2(url)
  const old = await new Promise<SseClient>((resolve, reject) => {
    const request = httpsRequest(url, { rejectUnauthorized: false, agent: false }, (response) => {
      resolve(new SseClient(request, response))
    })
    request.on('error', reject).end()
    onTestFinished(() => void request.destroy())
  })
  await hub.publish({ topics: ['t'], data: 'hello' })
  expect([await modern.received(1), await old.received(1)]).toEqual([['hello'], ['hello']])
})
