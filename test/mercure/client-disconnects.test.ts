// A publisher that disconnects after it has sent its whole update: the update is published, whatever the hub is doing then.
import type { ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { jwksServer } from '../support/auth/jwks-server.ts'
import { curvePair, jwk, legacy, modern } from '../support/auth/tokens.ts'
import { ask, serve } from '../support/http/http.ts'
import { audience, bearer, dialects, form, hubPath, serverWith } from '../support/http/mercure.ts'
import { publisher } from '../support/http/mercure-dialects.ts'
import { listen } from '../support/http/sse-client.ts'

const server = serverWith()
const doors = [
  [hubPath, form({ topic: 'gone', data: 'sent' }), 'application/x-www-form-urlencoded'],
  ['/publish', '{"topic":"gone","data":"sent"}', 'application/x-ndjson']
] as const

/** Sends a raw request; the caller closes the connection. */
function send(port: number, path: string, body: string, headers: Record<string, string>) {
  const all = { Host: 'hub', 'Content-Length': String(body.length), ...headers }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  const socket = connect(port, '127.0.0.1')
  socket.write(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`)
  return { hangUp: () => new Promise((resolve) => socket.once('close', resolve).destroySoon()) }
}

describe.each(dialects)('a publisher of %s that has disconnected', (dialect) => {
  it.each(doors)('P10: still has its update to %s delivered', async (path, body, type) => {
    const stream = await server.follow(dialect, 'gone')
    const headers = { 'Content-Type': type, ...(await publisher(dialect)) }
    await send(server.process.port, path, body, headers).hangUp()
    expect(await stream.received(1)).toEqual(['sent'])
  })

  it.each(doors)(
    'P10: still has its update delivered if its token was not yet verified, at %s',
    async (path, body, type) => {
      const { publicKey, privateKey } = curvePair()
      const jwks = await jwksServer()
      const { url, at } = await serve({}, { publisherJwks: jwks.address, audience: [audience], anonymous: true })
      const stream = await listen(`${url + hubPath}?topic=gone`)
      const pending = new Promise<ServerResponse>((resolve) => {
        jwks.answer = resolve
      })
      const signing = { key: privateKey, alg: 'ES256', header: { kid: '1' } }
      const token = dialect === '1.0' ? modern({ aud: audience }, signing) : legacy(undefined, signing)
      const request = send(at.port, path, body, { 'Content-Type': type, ...bearer(await token) })
      const keys = await pending
      await request.hangUp()
      await ask(url)
      keys.end(JSON.stringify({ keys: [jwk(publicKey, { kid: '1', alg: 'ES256' })] }))
      expect(await stream.received(1)).toEqual(['sent'])
    }
  )
})
