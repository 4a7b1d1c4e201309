// The handler below a path: with `basePath` on a plain server, and below the prefix of an Express app.
import { createServer, type RequestListener } from 'node:http'
import express, { type Express, Router } from 'express'
import { describe, expect, it } from 'vitest'
import { createHandler, createHub, type HandlerOptions } from '../../dist/index.js'
import { ask, listenUntilDone, post } from '../support/http/http.ts'
import { bearer, hubPath, keys, token } from '../support/http/mercure.ts'
import { listen } from '../support/http/sse-client.ts'

const keyed = { publisherKey: keys.publish, subscriberKey: keys.subscribe }

async function serveWith(
  make: (handler: ReturnType<typeof createHandler>) => RequestListener,
  options?: HandlerOptions
) {
  const hub = createHub({ heartbeat: 0 })
  const server = createServer(make(createHandler(hub, options)))
  return { hub, url: `http://127.0.0.1:${await listenUntilDone(server, hub)}` }
}

/** A plain server that passes its own `next`. */
const plainWithNext = (handler: ReturnType<typeof createHandler>): RequestListener => {
  return (request, response) => handler(request, response, () => response.writeHead(418).end('next'))
}
const appWith = (add: (app: Express, handler: ReturnType<typeof createHandler>) => void) => {
  return (handler: ReturnType<typeof createHandler>) => {
    const app = express()
    add(app, handler)
    app.use((_, response) => void response.status(418).send('next'))
    return app
  }
}

const mounts = [
  ['basePath on node:http', plainWithNext, { basePath: '/events' }],
  ['basePath in Express', appWith((app, handler) => app.use(handler)), { basePath: '/events/' }],
  ['app.use(path)', appWith((app, handler) => app.use('/events', handler)), {}],
  ['app.use(path) and basePath', appWith((app, handler) => app.use('/events', handler)), { basePath: '/events' }]
] as const

describe.each(mounts)('%s', (name, make, options) => {
  it('serves both APIs below the path', async () => {
    const { url } = await serveWith(make, options)
    const simple = await listen(`${url}/events/subscribe?topic=t`)
    const mercure = await listen(`${url}/events${hubPath}?match=t`)
    const answer = await post(`${url}/events/publish?topic=t`, 'one')
    expect(answer).toMatchObject({ status: 200, text: '200 OK\n' })
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
    expect((await post(`${url}/events${hubPath}`, 'topic=t&data=two', form)).status).toBe(200)
    expect(await simple.received(2)).toEqual(['one', 'two'])
    expect(await mercure.received(2)).toEqual(['one', 'two'])
    expect((await ask(`${url}/events/debug`)).text).toBe('Currently 2 subscriptions')
  })

  it('passes other requests to next', async () => {
    const { url } = await serveWith(make, options)
    for (const path of ['/', '/subscribe', '/eventsubscribe', hubPath, '/%65vents/subscribe']) {
      expect([path, await ask(url + path)]).toMatchObject([path, { status: 418, text: 'next' }])
    }
  })

  it('responds 404 to an unknown path below itself, or passes it to next if configured', async () => {
    const { url } = await serveWith(make, options)
    const { status, text } = await ask(`${url}/events/other`)
    if (!('basePath' in options)) expect([status, text]).toEqual([418, 'next'])
    else {
      expect(status).toBe(404)
      expect(text).toContain(
        '/events/, /events/subscribe, /events/updates, /events/publish, /events/revoke, /events/revocations, /events/debug'
      )
    }
  })

  it('has links and a redirect that point to itself', async () => {
    const { url } = await serveWith(make, options)
    const { status, headers } = await ask(`${url}/events?topic=a%2Fb`)
    expect([name, status, headers.location]).toEqual([name, 308, './events/?topic=a%2Fb'])
    const page = await ask(new URL(headers.location as string, `${url}/events`).href)
    expect(page.headers['content-type']).toContain('text/html')
    expect(page.headers.link).toBe(`</events${hubPath}>; rel="mercure"`)
    expect(page.text).not.toMatch(/['"`]\/(subscribe|publish|debug)/)
    expect((await ask(`${url}/events`, { method: 'POST' })).status).toBe(405)
  })
})

describe('with a public address', () => {
  const publicUrls = ['https://hub.example.com']
  const host = { Host: 'hub.example.com' }

  it.each([
    ['basePath', plainWithNext, { basePath: '/events' }],
    ['app.use', appWith((app, handler) => app.use('/events', handler)), {}]
  ])('and %s, links contain it', async (_, make, options) => {
    const { url } = await serveWith(make, { ...options, publicUrls })
    const { headers } = await ask(`${url}/events/`, { headers: host })
    expect(headers.link).toBe(`<https://hub.example.com/events${hubPath}>; rel="mercure"`)
  })

  it.each([
    'https://hub.example.com/events',
    'https://hub.example.com/events/',
    `https://hub.example.com/events${hubPath}`
  ])('the path of the hub may be part of it: %s', async (publicUrl) => {
    const { url } = await serveWith(plainWithNext, { basePath: '/events', publicUrls: [publicUrl] })
    const { headers } = await ask(`${url}/events/`, { headers: host })
    expect(headers.link).toBe(`<https://hub.example.com/events${hubPath}>; rel="mercure"`)
  })

  it('the metadata are below the path, at the URL in the challenges, and name the hub as audience', async () => {
    const { url } = await serveWith(plainWithNext, { ...keyed, basePath: '/events', publicUrls })
    const { status, headers } = await ask(`${url}/events${hubPath}?match=t`, { headers: host })
    expect(status).toBe(401)
    const [, metadata = ''] = /resource_metadata="([^"]*)"/.exec(String(headers['www-authenticate'])) ?? []
    expect(metadata).toBe(`https://hub.example.com/events/.well-known/oauth-protected-resource${hubPath}`)
    const answer = await ask(url + new URL(metadata).pathname, { headers: host })
    expect(answer.json()).toMatchObject({ resource: `https://hub.example.com/events${hubPath}` })
  })
})

it('below several prefixes, links contain all of them', async () => {
  const { url } = await serveWith(
    appWith((app, handler) => {
      const inner = express().use('/c', handler)
      app.use('/a', Router().use('/b', inner))
    })
  )
  const { headers } = await ask(`${url}/a/b/c/`)
  expect(headers.link).toBe(`</a/b/c${hubPath}>; rel="mercure"`)
  expect((await ask(`${url}/a/b/c`)).headers.location).toBe('./c/')
})

it('a topic with the URL of the mounted hub is reserved in Mercure 1.0', async () => {
  const { url } = await serveWith(plainWithNext, { ...keyed, basePath: '/events' })
  const aud = `http://localhost/events${hubPath}`
  const jwt = await token('1.0', { publish: ['*'], claims: { aud } })
  const headers = { ...bearer(jwt), 'Content-Type': 'application/x-www-form-urlencoded' }
  for (const topic of ['mercure', `/events${hubPath}`, hubPath, `${hubPath}/subscriptions/x`]) {
    const { status, text } = await post(`${url}/events${hubPath}`, `topic=${encodeURIComponent(topic)}`, headers)
    expect([topic, status, text]).toEqual([topic, 400, expect.stringMatching(/reserved/)])
  }
})

it('without basePath, an unknown path goes to next, or is 404 without next', async () => {
  const { url } = await serveWith(plainWithNext)
  expect((await ask(`${url}/other`)).status).toBe(418)
  expect((await ask(`${url}/subscribe?last=x`)).status).toBe(400)
  const { url: bare } = await serveWith((handler) => (request, response) => handler(request, response))
  expect((await ask(`${bare}/other`)).status).toBe(404)
})

it('with basePath and without next, other paths are 404 and name those that exist', async () => {
  const { url } = await serveWith((handler) => (request, response) => handler(request, response), {
    basePath: '/events'
  })
  const { status, text } = await ask(`${url}/subscribe`)
  expect([status, text]).toEqual([404, expect.stringContaining('/events/subscribe')])
})

it.each(['events', '/a?b', '/a#b', '/a/../b', '//a', '/a b', 'http://a/b'])(
  'rejects the basePath %j',
  async (basePath) => {
    const hub = createHub()
    expect(() => createHandler(hub, { basePath })).toThrow(/^basePath: expected a path such as \/events, got /)
    await hub.close()
  }
)
