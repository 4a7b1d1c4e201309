// The hub behind fetch: a Request in, a Response out, without a server in between.
import { createParser } from 'eventsource-parser'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createFetchHandler, type FetchHandlerOptions } from '../../dist/fetch/index.js'
import { createHub, type Hub, type HubOptions } from '../../dist/index.js'
import { legacy, secret } from '../support/auth/tokens.ts'

const origin = 'https://hub.example'

function open(options: FetchHandlerOptions = {}, hubOptions: HubOptions = {}) {
  const hub = createHub(hubOptions)
  onTestFinished(() => hub.close())
  const handler = createFetchHandler(hub, options)
  const request = (path: string, init?: RequestInit, platform?: unknown) =>
    handler(new Request(origin + path, init), platform)
  return { hub, request }
}

/** Reads the events of a response, as far as they have been asked for. */
function reader(response: Response) {
  const events: { event?: string | undefined; id?: string | undefined; data: string }[] = []
  const parser = createParser({ onEvent: (event) => events.push(event) })
  const body = (response.body as ReadableStream<Uint8Array>).getReader()
  const decoder = new TextDecoder()
  return {
    cancel: () => body.cancel(),
    /** The next event; undefined at the end of the stream. */
    async next() {
      while (events.length === 0) {
        const { done, value } = await body.read()
        if (done) return undefined
        parser.feed(decoder.decode(value, { stream: true }))
      }
      return events.shift()
    }
  }
}

const publishTo = (hub: Hub, ...data: string[]) => hub.publishAll(data.map((one) => ({ topics: ['a'], data: one })))

describe('a stream', () => {
  it('delivers what is published, and resumes after an id', async () => {
    const { hub, request } = open()
    const response = await request('/subscribe?topic=a')
    expect(response.status).toBe(200)
    expect(response.headers.get('Content-Type')).toBe('text/event-stream')
    expect(response.headers.get('Cache-Control')).toContain('no-transform')
    const events = reader(response)
    await publishTo(hub, '1', '2')
    const first = await events.next()
    expect(first?.data).toBe('1')
    await events.cancel()
    await expect.poll(() => hub.status.subscribers).toBe(0)
    await publishTo(hub, '3')
    const resumed = reader(await request('/subscribe?topic=a', { headers: { 'Last-Event-ID': first?.id as string } }))
    expect([(await resumed.next())?.data, (await resumed.next())?.data]).toEqual(['2', '3'])
  })

  it('begins with the gap if history is missing', async () => {
    const { hub, request } = open()
    await publishTo(hub, '1')
    const events = reader(await request('/subscribe?topic=a&last_event_id=%23other-1'))
    expect((await events.next())?.event).toBe('tidings:gap')
  })

  it('ends at once when the request is aborted', async () => {
    const { hub, request } = open()
    const stop = new AbortController()
    const response = await request('/subscribe', { signal: stop.signal })
    const events = reader(response)
    await expect.poll(() => hub.status.subscribers).toBe(1)
    stop.abort()
    expect(hub.status.subscribers).toBe(0)
    expect(await events.next()).toBeUndefined()
  })

  it('of an aborted request is not opened', async () => {
    const { hub, request } = open()
    const response = await request('/subscribe', { signal: AbortSignal.abort() })
    expect(response.status).toBe(499)
    expect(hub.status.subscribers).toBe(0)
  })

  it('is behind while its reader does not read, buffers no more than the high-water mark, and loses nothing', async () => {
    const { hub, request } = open({ highWaterMark: 10_000 })
    const response = await request('/subscribe?topic=a')
    await expect.poll(() => hub.status.subscribers).toBe(1)
    const data = Array.from({ length: 3_000 }, (_, index) => `${index} ${'x'.repeat(1_000)}`)
    for (const one of data) await publishTo(hub, one)
    const [subscriber] = hub.subscribers
    await expect.poll(() => subscriber?.state).toBe('behind')
    const { buffered = 0 } = subscriber?.connection ?? {}
    expect(buffered).toBeGreaterThan(0)
    // One batch may be added to the high-water mark.
    expect(buffered).toBeLessThan(300_000)
    const events = reader(response)
    for (const one of data) expect((await events.next())?.data).toBe(one)
    await expect.poll(() => subscriber?.state).toBe('live')
  })

  it('that nobody reads is ended as slow', async () => {
    const { hub, request } = open({ highWaterMark: 100 }, { slowTimeout: 200 })
    const response = await request('/subscribe?topic=a')
    await publishTo(hub, 'x'.repeat(1_000), 'y'.repeat(1_000))
    await expect.poll(() => hub.status.subscribers).toBe(0)
    await expect(reader(response).next()).rejects.toThrow('closed before it was complete')
  })

  it('ends with its topics, and is 204 afterwards', async () => {
    const { hub, request } = open()
    const events = reader(await request('/subscribe?topic=a'))
    await hub.publish({ topics: ['a'], data: 'last', end: true })
    expect((await events.next())?.data).toBe('last')
    expect(await events.next()).toBeUndefined()
    const again = await request('/subscribe?topic=a')
    expect([again.status, again.body]).toEqual([204, null])
  })

  it('ends when the hub closes', async () => {
    const { hub, request } = open()
    const events = reader(await request('/subscribe'))
    await hub.close()
    expect(await events.next()).toBeUndefined()
  })
})

describe('another request', () => {
  it('publishes a body, and is refused if that is too large', async () => {
    const { hub, request } = open({ maxBody: 100 })
    const published = await request('/publish?topic=a', { method: 'POST', body: 'héllo' })
    expect(await published.text()).toBe('200 OK\n')
    expect(published.headers.get('Event-ID')).toBe(hub.lastEventId)
    const refused = await request('/publish?topic=a', { method: 'POST', body: 'x'.repeat(101) })
    expect([refused.status, await refused.text()]).toEqual([413, expect.stringContaining('100 bytes')])
    const { updates } = await hub.history({ topics: ['a'], lastEventId: 'earliest' })
    expect(updates.map(({ update }) => update.data)).toEqual(['héllo'])
  })

  it('whose body was read by middleware gets an error that says so', async () => {
    const hub = createHub({ observer: {} })
    onTestFinished(() => hub.close())
    const handler = createFetchHandler(hub)
    const request = new Request(`${origin}/publish`, { method: 'POST', body: 'x' })
    await request.text()
    const response = await handler(request)
    expect(response.status).toBe(500)
  })

  it('has the same methods, errors and CORS headers as with node:http', async () => {
    const { request } = open({ corsOrigins: ['https://app.example'] })
    expect((await request('/nothing')).status).toBe(404)
    const method = await request('/publish', { method: 'DELETE' })
    expect([method.status, method.headers.get('Allow')]).toEqual([405, 'GET, POST'])
    const headers = { Origin: 'https://app.example', 'Access-Control-Request-Method': 'POST' }
    const preflight = await request('/publish', { method: 'OPTIONS', headers })
    expect([preflight.status, preflight.headers.get('Access-Control-Allow-Origin')]).toEqual([
      204,
      'https://app.example'
    ])
    const head = await request('/subscribe', { method: 'HEAD' })
    expect([head.status, head.body, head.headers.get('Last-Event-ID')]).toEqual([
      200,
      null,
      expect.stringMatching(/^#/)
    ])
  })

  it('needs a token if there are keys', async () => {
    const { request } = open({ publisherKey: secret, subscriberKey: secret })
    const refused = await request('/subscribe', { headers: { Accept: 'application/json' } })
    expect([refused.status, refused.headers.get('WWW-Authenticate')]).toEqual([401, 'Bearer'])
    expect(await refused.json()).toMatchObject({ error: { code: 'token_missing' } })
    const allowed = await request('/subscribe', { headers: { Authorization: `Bearer ${await legacy()}` } })
    expect(allowed.status).toBe(200)
    await allowed.body?.cancel()
  })

  it('is answered below the base path only', async () => {
    const { request } = open({ basePath: '/events' })
    expect((await request('/events/debug')).status).toBe(200)
    expect((await request('/debug')).status).toBe(404)
  })

  it('counts for the address that the server reports', async () => {
    const { request } = open({ maxConnectionsPerAddress: 1 })
    const from = (hostname: string) => request('/subscribe', {}, { remoteAddr: { hostname } })
    const first = await from('192.0.2.1')
    expect((await from('192.0.2.1')).status).toBe(429)
    const bun = await request('/subscribe', {}, { requestIP: () => ({ address: '192.0.2.2' }) })
    expect(bun.status).toBe(200)
    await first.body?.cancel()
    await bun.body?.cancel()
  })
})

it('an option that cannot be used is named', () => {
  const hub = createHub()
  onTestFinished(() => hub.close())
  expect(() => createFetchHandler(hub, { maxBody: -1 })).toThrow('maxBody')
  expect(() => createFetchHandler({} as Hub)).toThrow('createFetchHandler: give it the hub')
})
