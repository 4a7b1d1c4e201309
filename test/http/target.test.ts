// The request target in its forms, and the Host header [RFC 9112, 3.2].
import { expect, it } from 'vitest'
import { serve } from '../support/http/http.ts'
import { rawSocket, untilClosed } from '../support/http/raw-socket.ts'
import { freePort } from '../support/servers/free-port.ts'
import { startServer } from '../support/servers/server.ts'

/** Sends one raw request, and resolves with the whole response. */
async function exchange(port: number, ...lines: string[]): Promise<string> {
  const socket = await rawSocket(port)
  const answer = untilClosed(socket)
  socket.write(`${[...lines, 'Connection: close'].join('\r\n')}\r\n\r\n`)
  return answer
}

const status = (answer: string) => Number(answer.split(' ')[1])

const hub = async (options: Parameters<typeof serve>[1] = {}): Promise<number> => (await serve({}, options)).at.port

it.each([
  ['two hosts', ['Host: localhost', 'Host: evil.example']],
  ['the same host twice', ['Host: localhost', 'host: localhost']]
])('rejects a request with %s with 400', async (_, hosts) => {
  const answer = await exchange(await hub(), 'GET /debug HTTP/1.1', ...hosts)
  expect(answer).toMatch(/^HTTP\/1\.1 400 .*more than one Host header/s)
})

it('uses the host of an absolute-form target instead of the Host header', async () => {
  const port = await hub({ localOnly: true })
  const ask = (target: string, host: string) => exchange(port, `GET ${target} HTTP/1.1`, `Host: ${host}`)
  expect(status(await ask('http://localhost/debug', 'evil.example'))).toBe(200)
  expect(status(await ask('http://evil.example/debug', 'localhost'))).toBe(403)
  expect(status(await ask('HTTP://LOCALHOST?x=1', 'localhost'))).toBe(200)
})

it('OPTIONS * lists the methods', async () => {
  const answer = await exchange(await hub(), 'OPTIONS * HTTP/1.1', 'Host: localhost')
  expect(answer).toMatch(/^HTTP\/1\.1 204 .*\r\nAllow: GET, HEAD, POST, QUERY, PATCH, DELETE\r\n/s)
  expect(status(await exchange(await hub(), 'GET * HTTP/1.1', 'Host: localhost'))).toBe(404)
})

it('the operator paths accept an absolute-form target, and exactly one Host', async () => {
  const { port, kill } = await startServer()
  const ask = (...lines: string[]) => exchange(port, ...lines)
  const found = await ask('GET http://localhost/healthz HTTP/1.1', 'Host: localhost')
  const twice = await ask('GET /healthz HTTP/1.1', 'Host: a', 'Host: b')
  await kill('SIGKILL')
  expect([status(found), status(twice)]).toEqual([200, 400])
})

it('so does the separate operator address', async () => {
  const opsPort = await freePort()
  const { kill } = await startServer({ args: ['--ops-listen', `127.0.0.1:${opsPort}`] })
  const found = await exchange(opsPort, 'GET http://localhost/metrics?x HTTP/1.1', 'Host: localhost')
  const twice = await exchange(opsPort, 'GET /metrics HTTP/1.1', 'Host: a', 'Host: b')
  const options = await exchange(opsPort, 'OPTIONS * HTTP/1.1', 'Host: localhost')
  await kill('SIGKILL')
  expect([found, twice, options].map(status)).toEqual([200, 400, 204])
})
