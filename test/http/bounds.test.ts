// Limits of every endpoint, and how the server treats clients that exceed them.
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createHandler, createHub } from '../../dist/index.js'
import { ask, post, serve } from '../support/http/http.ts'
import { listen } from '../support/http/sse-client.ts'

/** A raw connection, for requests that no HTTP client sends. */
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
  it('responds 404 to an unknown path, and lists the existing ones', async () => {
    const { url } = await serve()
    const answer = await ask(`${url}/subcribe`)
    expect(answer).toMatchObject({
      status: 404,
      text: expect.stringContaining('the paths are /, /subscribe, /updates, /publish, /revoke, /revocations, /debug')
    })
  })

  it.each([
    ['DELETE', '/publish', 'GET, POST'],
    ['HEAD', '/publish', 'GET, POST'],
    ['POST', '/subscribe', 'GET, HEAD'],
    ['PUT', '/debug', 'GET, HEAD'],
    ['POST', '/', 'GET, HEAD']
  ])('responds 405 to %s %s with the allowed methods', async (method, path, allow) => {
    const { hub, url } = await serve()
    expect(await ask(url + path, { method })).toMatchObject({ status: 405, headers: { allow } })
    expect(hub.status.head).toBe(0)
  })

  it('responds to OPTIONS', async () => {
    const { url } = await serve()
    expect(await ask(`${url}/publish`, { method: 'OPTIONS' })).toMatchObject({
      status: 204,
      headers: { allow: 'GET, POST' }
    })
  })

  it('accepts an absolute-form target, as proxies send it', async () => {
    const { at } = await serve()
    const { socket, received } = await dial(at)
    socket.write('GET http://hub.example/debug HTTP/1.1\r\nHost: hub.example\r\n\r\n')
    await expect.poll(received).toContain('Currently 0 subscriptions')
  })

  it('rejects more than 100 headers', async () => {
    const { url } = await serve()
    const headers = Object.fromEntries(Array.from({ length: 101 }, (_, number) => [`X-${number}`, '']))
    const answer = await ask(`${url}/debug`, { headers })
    expect(answer).toMatchObject({ status: 431, text: 'The request head is too large: the limit is 100 headers.\n' })
  })

  it('forbids MIME sniffing and framing', async () => {
    const { url } = await serve()
    const { headers } = await ask(`${url}/debug`)
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY' })
    expect(headers['content-security-policy']).toContain("default-src 'none'")
  })
})

describe('a body that is too large', () => {
  it('is rejected at once when its length is declared, and the connection stays open', async () => {
    const { url, at } = await serve()
    const { socket, received } = await dial(at)
    socket.write(`POST /publish HTTP/1.1\r\nHost: x\r\nContent-Length: ${2 ** 20 + 1}\r\n\r\n`)
    await expect.poll(received).toContain('413')
    expect(received()).toContain('the limit is 1048576 bytes')
    socket.write(`${'x'.repeat(2 ** 20 + 1)}GET /debug HTTP/1.1\r\nHost: x\r\n\r\n`)
    await expect.poll(received).toContain('Currently 0')
    expect((await post(`${url}/publish`, 'x'.repeat(2 ** 20))).status).toBe(200)
  })

  it('is rejected at the limit when its length is not declared', async () => {
    const { at } = await serve({}, { maxBody: 10 })
    const { socket, received } = await dial(at)
    socket.write(
      'POST /publish HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n12345678\r\n8\r\n12345678\r\n'
    )
    await expect.poll(received).toContain('the limit is 10 bytes')
  })

  it('is disconnected when it does not end', async () => {
    const { at } = await serve({}, { maxBody: 10 })
    const { socket } = await dial(at)
    socket.write('POST /publish HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n')
    const more = setInterval(() => socket.write(`400\r\n${'x'.repeat(1_024)}\r\n`), 1)
    await new Promise((resolve) => socket.once('close', resolve))
    clearInterval(more)
  })
})

it('responds even if middleware has already read the request body', async () => {
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

it('publishes nothing when the publisher disconnects halfway', async () => {
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
  it('uses at most one high-water mark and one batch, however slowly its client reads', async () => {
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

  it('is closed with reason slow when its client does not read for slowTimeout, and resumes by id', async () => {
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

  it('is closed when its client keeps sending', async () => {
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

  it('works for a pipelined request, although its socket is unavailable', async () => {
    const { hub, at, url } = await serve()
    const { socket, received } = await dial(at)
    socket.write('GET /debug HTTP/1.1\r\nHost: x\r\n\r\nGET /subscribe HTTP/1.1\r\nHost: x\r\n\r\n')
    await expect.poll(() => hub.status.subscribers).toBe(1)
    await post(`${url}/publish`, 'hello')
    await expect.poll(received).toContain('data: hello')
    socket.destroy()
    await expect.poll(() => hub.status.subscribers).toBe(0)
  })

  it('is the only one on its connection; pipelined requests behind it leave nothing', async () => {
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

  it('writes through the response if an application wraps it', async () => {
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

  it('ends with reason shutdown when the hub closes, and later requests are rejected', async () => {
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
