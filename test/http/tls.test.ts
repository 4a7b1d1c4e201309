// The handler behind TLS, which does not allow direct writes to the socket.
import { readFileSync } from 'node:fs'
import { createServer, request as httpsRequest } from 'node:https'
import { expect, it, onTestFinished } from 'vitest'
import { createHandler, createHub } from '../../dist/index.js'
import { listenUntilDone } from '../support/http/http.ts'
import { SseClient } from '../support/http/sse-client.ts'

const fixture = (name: string) => readFileSync(new URL(`../support/auth/for-tests-only.${name}.pem`, import.meta.url))
const [key, cert] = [fixture('key'), fixture('cert')]

async function serveTls() {
  const hub = createHub()
  const server = createServer({ key, cert }, createHandler(hub))
  const port = await listenUntilDone(server, hub)
  const ask = (path: string, method = 'GET', body = '') =>
    new Promise<SseClient>((resolve, reject) => {
      const options = { host: '127.0.0.1', port, path, method, ca: cert, agent: false }
      const request = httpsRequest(options, (response) => resolve(new SseClient(request, response)))
      request.on('error', reject).end(body)
      onTestFinished(() => void request.destroy())
    })
  return { hub, ask }
}

it('streams and publishes behind TLS', async () => {
  const { hub, ask } = await serveTls()
  const client = await ask('/subscribe')
  const answer = await ask('/publish', 'POST', 'hello')
  expect([client.status, answer.status]).toEqual([200, 200])
  expect(await client.received(1)).toEqual(['hello'])
  client.close()
  await expect.poll(() => hub.stats.closes).toMatchObject([{ reason: 'client' }])
})

it('catches up a slow reader behind TLS, in order and without a gap', async () => {
  const { hub, ask } = await serveTls()
  const client = await ask('/subscribe')
  client.pause()
  let count = 0
  while (![...hub.subscribers][0]?.full || count % 100 !== 0) {
    await hub.publish({ topics: ['t'], data: `${count++} ${'x'.repeat(50_000)}` })
    await new Promise(setImmediate)
  }
  client.resume()
  const numbers = (await client.received(count)).map((text) => Number.parseInt(text, 10))
  expect(numbers).toEqual(Array.from({ length: count }, (_, number) => number))
})
