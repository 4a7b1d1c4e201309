// What a client may not do, whatever the endpoint, and what becomes of one that does.
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createHandler, createHub } from '../../dist/index.js'
import { ask, post, serve } from '../support/http.js'
import { listen } from '../support/sse-client.js'

/** A bare connection, for what no HTTP client would send. */
async function dial(at: { port: number; host: string }): Promise<{ socket: Socket; received: () => string }> {
  const socket = connect(at)
  let received = ''
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString()
  })
  socket.on('error', () => {})
  onTestFinished(() => void socket.destroy())
  await new Promise((resolve) => socket.once('connect', resolve))
  return { socket, received: () => received }
}

describe('every endpoint', () => {
  it('answers 404 to a path that it does not know, and names those that there are', async () => {
    const { url } = await serve()
    const answer = await ask(`${url}/subcribe`)
    expect(answer).toMatchObject({
      status: 404,
      text: expect.stringContaining('the paths are /, /subscribe, /publish, /debug')
    })
  })

  it.each([
    ['DELETE', '/publish', 'GET, POST'],
    ['HEAD', '/publish', 'GET, POST'],
    ['POST', '/subscribe', 'GET, HEAD'],
    ['PUT', '/debug', 'GET, HEAD'],
    ['POST', '/', 'GET, HEAD']
  ])('answers 405 to %s %s with the methods that there are', async (method, path, allow) => {
    const { hub, url } = await serve()
    expect(await ask(url + path, { method })).toMatchObject({ status: 405, headers: { allow } })
    expect(hub.status.head).toBe(0)
  })

  it('answers OPTIONS', async () => {
    const { url } = await serve()
    expect(await ask(`${url}/publish`, { method: 'OPTIONS' })).toMatchObject({
      status: 204,
      headers: { allow: 'GET, POST' }
    })
  })

  it('takes an address in absolute form, as proxies send it', async () => {
    const { at } = await serve()
    const { socket, received } = await dial(at)
    socket.write('GET http://hub.example/debug HTTP/1.1\r\nHost: hub.example\r\n\r\n')
    await expect.poll(received).toContain('Currently 0 subscriptions')
  })

  it('refuses more than 100 headers', async () => {
    const { url } = await serve()
    const headers = Object.fromEntries(Array.from({ length: 101 }, (_, number) => [`X-${number}`, '']))
    const answer = await ask(`${url}/debug`, { headers })
    expect(answer).toMatchObject({ status: 431, text: 'The request head is too large: the limit is 100 headers.\n' })
  })

  it('forbids guessing types and framing', async () => {
    const { url } = await serve()
    const { headers } = await ask(`${url}/debug`)
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY' })
    expect(headers['content-security-policy']).toContain("default-src 'none'")
  })
})

describe('a body that is too large', () => {
  it('is refused at once when its length is announced, and the connection lives on', async () => {
    const { url, at } = await serve()
    const { socket, received } = await dial(at)
    socket.write(`POST /publish HTTP/1.1\r\nHost: x\r\nContent-Length: ${2 ** 20 + 1}\r\n\r\n`)
    await expect.poll(received).toContain('413')
    expect(received()).toContain('the limit is 1048576 bytes')
    socket.write(`${'x'.repeat(2 ** 20 + 1)}GET /debug HTTP/1.1\r\nHost: x\r\n\r\n`)
    await expect.poll(received).toContain('Currently 0')
    expect((await post(`${url}/publish`, 'x'.repeat(2 ** 20))).status).toBe(200)
  })

  it('is refused as soon as it is, when its length is not announced', async () => {
    const { at } = await serve({}, { maxBody: 10 })
    const { socket, received } = await dial(at)
    socket.write(
      'POST /publish HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n12345678\r\n8\r\n12345678\r\n'
    )
    await expect.poll(received).toContain('the limit is 10 bytes')
  })

  it('is cut off when it goes on and on', async () => {
    const { at } = await serve({}, { maxBody: 10 })
    const { socket } = await dial(at)
    socket.write('POST /publish HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n')
    const more = setInterval(() => socket.write(`400\r\n${'x'.repeat(1_024)}\r\n`), 1)
    await new Promise((resolve) => socket.once('close', resolve))
    clearInterval(more)
  })
})

it('answers although middleware has already read the request body', async () => {
  const hub = createHub()
  const handler = createHandler(hub)
  const server = createServer(async (request, response) => {
    await request.toArray()
    handler(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => hub.close().then(() => void server.close()))
  const answer = await post(`http://127.0.0.1:${(server.address() as AddressInfo).port}/publish`, 'hello')
  expect(answer).toMatchObject({
    status: 500,
    text: expect.stringContaining('middleware has already read the request body')
  })
})

it('publishes nothing when the publisher breaks off in the middle', async () => {
  const { hub, at } = await serve()
  const { socket } = await dial(at)
  socket.write('POST /publish HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345')
  await new Promise((resolve) => setImmediate(resolve))
  socket.destroy()
  await new Promise((resolve) => socket.once('close', resolve))
  expect((await ask(`http://${at.host}:${at.port}/debug`)).status).toBe(200)
  expect(hub.status.head).toBe(0)
})

describe('a stream', () => {
  it('costs one high-water mark and a batch, however little its client reads', async () => {
    const { hub, url } = await serve({}, { highWaterMark: 32_768 })
    const client = await listen(`${url}/subscribe`)
    client.pause()
    for (let count = 0; count < 400; count++) {
      await hub.publish({ topics: ['t'], data: 'x'.repeat(50_000) })
      await new Promise(setImmediate)
    }
    const [subscriber] = hub.subscribers
    expect(subscriber?.full).toBe(true)
    expect(subscriber?.connection.buffered).toBeLessThan(32_768 + 262_144)
    client.resume()
    expect((await client.received(400)).length).toBe(400)
  })

  it('is closed with slow when its client reads nothing for slowTimeout, and resumes by its id', async () => {
    const { hub, url } = await serve({ slowTimeout: 50 })
    const client = await listen(`${url}/subscribe`)
    client.pause()
    while (![...hub.subscribers][0]?.full) {
      await hub.publish({ topics: ['t'], data: 'x'.repeat(100_000) })
      await new Promise(setImmediate)
    }
    await expect.poll(() => hub.stats.closes).toMatchObject([{ reason: 'slow' }])
    client.resume()
    await client.until(({ ended }) => ended)
    const { id } = client.events.at(-1) ?? {}
    const again = await listen(`${url}/subscribe`, { 'Last-Event-ID': id as string })
    await again.received(hub.status.head - client.events.length)
    expect(again.headers['last-event-id']).toBe(id)
  })

  it('is given up when its client goes on sending', async () => {
    const { hub, at } = await serve()
    const { socket } = await dial(at)
    socket.write('GET /subscribe HTTP/1.1\r\nHost: x\r\n\r\n')
    await expect.poll(() => hub.status.subscribers).toBe(1)
    const more = setInterval(() => socket.write('x'.repeat(8_192)), 1)
    await expect.poll(() => hub.status.subscribers).toBe(0)
    clearInterval(more)
  })

  it('ends when its client half-closes', async () => {
    const { hub, at } = await serve()
    const { socket } = await dial(at)
    socket.write('GET /subscribe HTTP/1.1\r\nHost: x\r\n\r\n')
    await expect.poll(() => hub.status.subscribers).toBe(1)
    socket.end()
    await expect.poll(() => hub.stats.closes).toMatchObject([{ reason: 'client' }])
  })

  it('works for a pipelined request too, though its socket is not to be had', async () => {
    const { hub, at, url } = await serve()
    const { socket, received } = await dial(at)
    socket.write('GET /debug HTTP/1.1\r\nHost: x\r\n\r\nGET /subscribe HTTP/1.1\r\nHost: x\r\n\r\n')
    await expect.poll(() => hub.status.subscribers).toBe(1)
    await post(`${url}/publish`, 'hello')
    await expect.poll(received).toContain('data: hello')
    socket.destroy()
    await expect.poll(() => hub.status.subscribers).toBe(0)
  })

  it('is one for a connection, and none is left of those requested behind it', async () => {
    const { hub, at } = await serve()
    const debug = 'GET /debug HTTP/1.1\r\nHost: x\r\n\r\n'
    for (const before of ['', debug]) {
      const { socket } = await dial(at)
      socket.write(before + 'GET /subscribe HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(50))
      await expect.poll(() => hub.status.subscribers).toBe(1)
      socket.destroy()
      await expect.poll(() => hub.status.subscribers).toBe(0)
    }
  })

  it('goes through the response where an app has put itself between', async () => {
    const hub = createHub()
    const handler = createHandler(hub)
    const server = createServer((request, response) => {
      const write = response.write.bind(response) as (chunk: Buffer) => boolean
      Object.assign(response, { write: (chunk: Buffer) => void setImmediate(() => write(chunk)) })
      handler(request, response)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => hub.close().then(() => void server.close()))
    const client = await listen(`http://127.0.0.1:${(server.address() as AddressInfo).port}/subscribe`)
    await hub.publish({ topics: ['t'], data: 'hello' })
    expect(await client.received(1)).toEqual(['hello'])
  })

  it('ends with shutdown when the hub closes, and what comes after is refused', async () => {
    const { hub, url } = await serve()
    const client = await listen(`${url}/subscribe`)
    await hub.publish({ topics: ['t'], data: 'last words' })
    await hub.close()
    await client.until(({ ended }) => ended)
    expect(hub.stats.closes).toMatchObject([{ reason: 'shutdown' }])
    expect(await post(`${url}/publish`, 'late')).toMatchObject({ status: 503, headers: { 'retry-after': '1' } })
    expect((await ask(`${url}/subscribe`)).status).toBe(503)
  })
})
