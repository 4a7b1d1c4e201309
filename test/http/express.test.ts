// The handler in an Express app with compression middleware: streams are delivered at once.
import { createServer } from 'node:http'
import compression from 'compression'
import express, { type RequestHandler } from 'express'
import { expect, it } from 'vitest'
import { createHandler, createHub } from '../../dist/index.js'
import { listenUntilDone } from '../support/http/http.ts'
import { listen } from '../support/http/sse-client.ts'

async function serveBehind(...middleware: RequestHandler[]) {
  const hub = createHub({ heartbeat: 0 })
  const app = express().use(...middleware, createHandler(hub))
  return { hub, url: `http://127.0.0.1:${await listenUntilDone(createServer(app), hub)}` }
}

const gzip = { 'Accept-Encoding': 'gzip' }

it.each(['/subscribe', '/.well-known/mercure?topic=t'])(
  'a stream of %s is delivered at once and not compressed behind compression()',
  async (path) => {
    const { hub, url } = await serveBehind(compression())
    const client = await listen(url + path, gzip)
    await hub.publish({ topics: ['t'], data: 'hello' })
    expect(await client.received(1)).toEqual(['hello'])
    expect(client.headers['cache-control']).toContain('no-transform')
    expect(client.headers['content-encoding']).toBeUndefined()
  }
)

/** An app that sets Cache-Control itself, so that the hub does not prevent compression. */
const ownCaching: RequestHandler = (_, response, next) => {
  const set = response.setHeader.bind(response)
  response.setHeader = (name, value) => (name === 'Cache-Control' ? response : set(name, value))
  next()
}

async function textUntil(chunks: AsyncIterator<Uint8Array>, end: string): Promise<string> {
  let text = ''
  while (!text.endsWith(end)) {
    const { value, done } = await chunks.next()
    if (done) throw new Error(`the stream ended after ${JSON.stringify(text)}`)
    text += Buffer.from(value).toString()
  }
  return text
}

it('a stream that is compressed nevertheless is flushed after each delivery', async () => {
  const { hub, url } = await serveBehind(ownCaching, compression())
  const gone = new AbortController()
  const { headers, body } = await fetch(`${url}/subscribe`, { headers: gzip, signal: gone.signal })
  expect(headers.get('content-encoding')).toBe('gzip')
  const chunks = (body as unknown as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]()
  expect(await textUntil(chunks, '\n\n')).toMatch(/^:/)
  for (const data of ['one', 'two']) {
    await hub.publish({ topics: ['t'], data })
    expect(await textUntil(chunks, '\n\n')).toContain(`data: ${data}`)
  }
  gone.abort()
})
