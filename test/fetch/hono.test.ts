// The hub in a Hono application on Node: below a route, mounted, and with the request and response of node:http.

import type { AddressInfo } from 'node:net'
import { type ServerType, serve } from '@hono/node-server'
import { Hono } from 'hono'
import { describe, expect, it, onTestFinished } from 'vitest'
import { publish, subscribe } from '../../dist/client/index.js'
import { createFetchHandler } from '../../dist/fetch/index.js'
import { createHub, type Hub } from '../../dist/index.js'
import { listen } from '../support/http/sse-client.ts'

const ways: [string, (app: Hono, hub: Hub) => void][] = [
  [
    'with its Request',
    (app, hub) => {
      const handler = createFetchHandler(hub, { basePath: '/events' })
      app.all('/events/*', (context) => handler(context.req.raw))
    }
  ],
  [
    'with its Request and what the server passes along',
    (app, hub) => {
      const handler = createFetchHandler(hub, { basePath: '/events' })
      app.all('/events/*', (context) => handler(context.req.raw, context.env))
    }
  ],
  ['mounted', (app, hub) => void app.mount('/events', createFetchHandler(hub))]
]

async function start(add: (app: Hono, hub: Hub) => void) {
  const hub = createHub()
  const app = new Hono()
  app.get('/', (context) => context.text('the app'))
  add(app, hub)
  const { server, url } = await new Promise<{ server: ServerType; url: string }>((resolve) => {
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }: AddressInfo) =>
      resolve({ server, url: `http://127.0.0.1:${port}` })
    )
  })
  onTestFinished(async () => {
    await hub.close()
    server.close()
  })
  return { hub, url }
}

describe.each(ways)('Hono, %s', (_, add) => {
  it('serves streams, publishing and errors next to its own routes', async () => {
    const { hub, url } = await start(add)
    const subscription = subscribe(`${url}/events/subscribe`, { topics: 'a' })
    onTestFinished(() => subscription.close())
    const got: unknown[] = []
    subscription.on('update', ({ data }) => got.push(data))
    await expect.poll(() => subscription.state.status).toBe('live')
    await publish(`${url}/events/publish`, [
      { topics: 'a', data: 1 },
      { topics: 'a', data: { two: 'zwei – ☃' } }
    ])
    await expect.poll(() => got).toEqual([1, { two: 'zwei – ☃' }])
    await subscription.add('b')
    await publish(`${url}/events/publish`, { topics: 'b', data: 3 })
    await expect.poll(() => got).toEqual([1, { two: 'zwei – ☃' }, 3])
    expect(await (await fetch(url)).text()).toBe('the app')
    expect((await fetch(`${url}/events/nothing`)).status).toBe(404)
    subscription.close()
    await expect.poll(() => hub.status.subscribers).toBe(0)
  })

  it('is behind a client that does not read, and loses nothing', async () => {
    const { hub, url } = await start(add)
    const client = await listen(`${url}/events/subscribe?topic=a`)
    client.pause()
    const data = Array.from({ length: 200 }, (_, index) => `${index} ${'x'.repeat(100_000)}`)
    for (const one of data) await hub.publish({ topics: ['a'], data: one })
    await expect.poll(() => [...hub.subscribers].map(({ state }) => state)).toEqual(['behind'])
    client.resume()
    expect(await client.received(data.length)).toEqual(data)
  })
})
