// Connections before the first request: they are reset, send nothing, send single bytes, and end.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listen } from '../../dist/server/listen.js'
import { ask } from '../support/http/http.ts'
import { http2Ask, http2Session } from '../support/http/http2.ts'
import { rawSocket, untilClosed } from '../support/http/raw-socket.ts'
import { startServer } from '../support/servers/server.ts'

async function start(...args: string[]) {
  const server = await startServer({ args })
  onTestFinished(() => server.kill('SIGKILL'))
  return server
}

const pem = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../support/auth/for-tests-only.${name}.pem`, import.meta.url)))

const kinds = {
  'HTTP/1.1': { h2c: false },
  h2c: { h2c: true },
  TLS: { h2c: false, certificate: { cert: pem('cert'), key: pem('key') } }
}

async function listenTo(options: Parameters<typeof listen>[1]) {
  const listener = await listen({ host: '127.0.0.1', port: 0 }, options, (_, response) => void response.end('ok\n'))
  onTestFinished(async () => {
    const closed = listener.close()
    listener.destroy()
    await closed
  })
  return { listener, port: Number(new URL(listener.url).port) }
}

describe('an h2c connection', () => {
  it('may be reset before its first byte, and the server keeps running', async () => {
    const { url, port } = await start('--h2c')
    const socket = await rawSocket(port)
    socket.resetAndDestroy()
    expect(await ask(`${url}/healthz`)).toMatchObject({ status: 200 })
    expect(await ask(`${url}/healthz`)).toMatchObject({ status: 200 })
  })

  it('is removed when its client closes it, together with its streams and their counters', async () => {
    const { url } = await start('--h2c', '--max-connections', '5')
    for (let count = 0; count < 5; count++) {
      const session = http2Session(url)
      expect(await http2Ask(session, '/subscribe')).toMatchObject({ status: 200 })
      session.destroy()
    }
    await expect.poll(async () => (await ask(`${url}/debug`)).text).toBe('Currently 0 subscriptions')
    expect(await http2Ask(http2Session(url), '/subscribe')).toMatchObject({ status: 200 })
  })

  it('is HTTP/1.1 even if its first segment holds only the first letter of POST', async () => {
    const { port } = await listenTo(kinds.h2c)
    const socket = await rawSocket(port)
    const answer = untilClosed(socket)
    socket.write('P')
    // After one round trip the server has read the first segment.
    await ask(`http://127.0.0.1:${port}/`)
    socket.write('OST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
    expect(await answer).toContain('HTTP/1.1 200 OK')
  })
})

describe('a connection that sends nothing', () => {
  it.each(['h2c', 'TLS'] as const)('is closed after the timeout: %s', async (kind) => {
    const { port } = await listenTo({ ...kinds[kind], handshakeTimeout: 50 })
    expect(await untilClosed(await rawSocket(port))).toBe('')
  })

  it.each(['HTTP/1.1', 'h2c', 'TLS'] as const)('does not delay shutdown: %s', async (kind) => {
    const { listener, port } = await listenTo(kinds[kind])
    const ended = untilClosed(await rawSocket(port))
    await ask(`${listener.url}/`).catch(() => {})
    await listener.close()
    expect(await ended).toBe('')
  })
})

describe('a connection with an incomplete request', () => {
  it.each([
    ['h2c', 'PRI * HT'],
    ['TLS', '\x16\x03\x01']
  ] as const)('is closed after the timeout: %s', async (kind, bytes) => {
    const { port } = await listenTo({ ...kinds[kind], handshakeTimeout: 50 })
    const socket = await rawSocket(port)
    socket.write(Buffer.from(bytes, 'latin1'))
    expect(await untilClosed(socket)).toBe('')
  })
})
