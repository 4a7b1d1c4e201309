// `tidings publish` against the real server: the requests, their order, and the behaviour when the server is down.

import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, request as httpRequest } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { scriptedServer } from '../support/client/scripted-server.ts'
import { serve } from '../support/http/http.ts'
import { listen } from '../support/http/sse-client.ts'
import { newFolder } from '../support/log/log-folder.ts'
import { begin, tidings } from '../support/servers/cli.ts'
import { freePort } from '../support/servers/free-port.ts'
import { startServer } from '../support/servers/server.ts'

const publish = (url: string, args: string[], input = '', env: NodeJS.ProcessEnv = {}) =>
  tidings(['publish', '--url', url, ...args], env, input)

const all = (url: string, query = '') => listen(`${url}/subscribe?last_event_id=earliest${query}`)

async function start(...args: string[]) {
  const server = await startServer({ args })
  onTestFinished(() => server.kill('SIGKILL'))
  return server
}

it('publishes its argument with all fields, and prints nothing', async () => {
  const { url } = await serve()
  const args = ['hello', '--topic', 'a', '--topic', 'b', '--type', 'greeting', '--id', 'first', '--retry', '10']
  expect(await publish(url, args)).toEqual({ code: 0, stdout: '', stderr: '' })
  const client = await all(url, '&envelope=json')
  const [data = ''] = await client.received(1)
  expect(JSON.parse(data)).toMatchObject({ topics: ['a', 'b'], type: 'greeting', id: 'first', data: 'hello' })
  expect(client.raw).toContain('retry: 10\n')
})

it('publishes a file, or all of stdin, as one update', async () => {
  const { url } = await serve()
  const file = join(newFolder(), 'file')
  writeFileSync(file, 'one\ntwo\n')
  await publish(url, ['--file', file])
  await publish(url, ['--whole'], 'three\nfour')
  expect(await (await all(url)).received(2)).toEqual(['one\ntwo\n', 'three\nfour'])
})

it('publishes each line of stdin, also empty ones and an unterminated last one, and prints the ids', async () => {
  const { url } = await serve()
  const { code, stdout } = await publish(url, ['--topic', 'logs', '--ids'], 'one\r\n\nthree')
  const client = await all(url, '&topic=logs')
  expect(await client.received(3)).toEqual(['one', '', 'three'])
  expect({ code, lines: stdout.split('\n') }).toEqual({ code: 0, lines: [...client.events.map(({ id }) => id), ''] })
})

it('publishes a line as soon as it arrives', async () => {
  const { url } = await serve()
  const client = await listen(`${url}/subscribe`)
  const command = begin(['publish', '--url', url])
  command.write('one\ntw')
  expect(await client.received(1)).toEqual(['one'])
  command.write('o\n')
  expect(await client.received(2)).toEqual(['one', 'two'])
  command.end()
  expect((await command.ended).code).toBe(0)
})

it('keeps 20,000 lines in order', async () => {
  const { url } = await serve()
  const lines = Array.from({ length: 20_000 }, (_, number) => `line ${number}`)
  expect((await publish(url, [], `${lines.join('\n')}\n`)).code).toBe(0)
  const client = await listen(`${url}/subscribe?last=10000`)
  expect(await client.received(10_000)).toEqual(lines.slice(10_000))
})

it('loses and reorders nothing while the server is killed and restarted', async () => {
  const port = await freePort()
  const folder = newFolder()
  const begun = () => startServer({ port, args: ['--data', folder] })
  let server = await begun()
  onTestFinished(() => server.kill('SIGKILL'))
  const command = begin(['publish', '--url', server.url])
  const lines = Array.from({ length: 3_000 }, (_, number) => String(number))
  for (const [index, line] of lines.entries()) {
    command.write(`${line}\n`)
    // Each round has lines in flight, and more lines arrive while the server is down.
    if (index % 1_000 === 500) await server.kill('SIGKILL')
    if (index % 1_000 === 900) server = await begun()
    if (index % 10 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  command.end()
  expect((await command.ended).code).toBe(0)
  const client = await all(server.url)
  await client.until(({ data }) => data.at(-1) === '2999', 'the last line')
  // Lines in flight when the server was killed may exist twice; acknowledged lines may not.
  const seen = client.data.map(Number)
  const isRepeated = (line: number, index: number) => seen.indexOf(line) < index
  expect(seen.filter((line, index) => !isRepeated(line, index)).map(String)).toEqual(lines)
  expect(command.stderr).toMatch(/retrying\n.*publishing again\n/s)
})

it('waits for Retry-After, and retries', async () => {
  const requests: number[] = []
  const server = createServer((request, response) => {
    requests.push(performance.now())
    request.resume()
    if (requests.length === 1) response.writeHead(503, { 'Retry-After': '1' }).end('Not now.\n')
    else response.end('{"ids":["a"]}')
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const { code, stderr } = await publish(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, [], 'one\n')
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: 'tidings: Not now. (503); retrying\ntidings: publishing again\n'
  })
  expect((requests[1] as number) - (requests[0] as number)).toBeGreaterThanOrEqual(990)
})

it('repeats a request that got no complete answer with the same key, so that an idempotent server has its lines once', async () => {
  const keys: unknown[] = []
  const hub = await start('--idempotent', '1h')
  const { url } = await scriptedServer((response, request) => {
    keys.push(request.headers['idempotency-key'])
    const headers = { 'content-type': request.headers['content-type'], 'idempotency-key': keys[0] as string }
    const forwarded = httpRequest(`${hub.url}${request.url}`, { method: 'POST', headers, agent: false }, (answer) => {
      // The first answer breaks off after the server has published.
      answer.resume().on('end', () => {
        if (keys.length === 1) response.destroy()
        else if (keys.length === 2) response.writeHead(408).end('too slow')
        else response.end('{"ids":["a","b"]}')
      })
    })
    request.pipe(forwarded)
  })
  const { code, stderr } = await publish(url, [], 'one\ntwo\n')
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: `tidings: ${url}/ cannot be reached: the connection was closed; retrying\ntidings: publishing again\n`
  })
  expect([keys.length, new Set(keys).size]).toEqual([3, 1])
  await publish(hub.url, ['last'])
  expect(await (await all(hub.url)).received(3)).toEqual(['one', 'two', 'last'])
})

it('gives up at once when a certificate is not trusted', async () => {
  const fixture = (kind: string) => `test/support/auth/for-tests-only.${kind}.pem`
  const server = createTlsServer({ key: readFileSync(fixture('key')), cert: readFileSync(fixture('cert')) })
  server.listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const url = `https://localhost:${(server.address() as AddressInfo).port}`
  const { code, stderr } = await publish(url, [], 'one\ntwo\n')
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(/cannot be reached: its certificate is not trusted: .*; 2 lines from line 1 on were/)
  })
})

it('makes one more attempt when it receives a signal while it waits, and then says what is not published', async () => {
  const server = await scriptedServer((response) => response.writeHead(503, { 'Retry-After': '60' }).end('draining'))
  const command = begin(['publish', '--url', server.url])
  command.write('one\ntwo\n')
  await command.until(({ stderr }) => stderr.includes('retrying'))
  command.signal('SIGINT')
  const { code, stderr } = await command.ended
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(
      /^tidings: draining \(503\); retrying\ntidings: draining \(503\); \d lines from line 1 on were read but not published\n$/
    )
  })
  expect(server.requests.length).toBe(2)
})

it('publishes all lines before a rejected one, and names the rejected one', async () => {
  const { url } = await serve({}, { maxBody: 4_096 })
  const lines = ['one', 'two', 'x'.repeat(5_000), 'four']
  const { code, stderr } = await publish(url, [], lines.join('\n'))
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(/^tidings: line 3: The body is too large.* \(413\)\n$/)
  })
  expect(await (await all(url)).received(2)).toEqual(['one', 'two'])
})

it('exits at once on an invalid token, although stdin is open', async () => {
  const { url } = await serve({}, { publisherKey: 'a key of this test that is long enough', anonymous: true })
  const command = begin(['publish', '--url', url])
  command.write('one\n')
  const { code, stderr } = await command.ended
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: 'tidings: line 1: This request requires a token. (401)\n'
  })
})

it('publishes with a token from TIDINGS_TOKEN, also private updates', async () => {
  const key = 'a key of this test that is long enough'
  const env = { TIDINGS_PUBLISHER_KEY: key, TIDINGS_SUBSCRIBER_KEY: key }
  const { url } = await serve({}, { publisherKey: key, subscriberKey: key, audience: ['https://hub.example'] })
  const mint = await tidings(['token', '--publish', '*', '--subscribe', '*', '--audience', 'https://hub.example'], env)
  const token = { TIDINGS_TOKEN: mint.stdout.trim() }
  expect(await publish(url, ['hello', '--private'], '', token)).toMatchObject({ code: 0, stderr: '' })
  const reader = await listen(`${url}/subscribe?last=1`, { Authorization: `Bearer ${token.TIDINGS_TOKEN}` })
  expect(await reader.received(1)).toEqual(['hello'])
})

it('publishes through a Unix socket', async () => {
  const path = join(newFolder(), 'tidings.sock')
  const { url } = await start('--listen', `127.0.0.1:0,unix:${path}`)
  const client = await listen(`${url}/subscribe`)
  expect((await publish('http://localhost', ['hello', '--socket', path])).code).toBe(0)
  expect(await client.received(1)).toEqual(['hello'])
})

it('stops retrying an unreachable server after the timeout, for a single update', async () => {
  const url = `http://127.0.0.1:${await freePort()}`
  const { code, stderr } = await publish(url, ['hello', '--retry-timeout', '0'])
  expect({ code, stderr }).toEqual({ code: 1, stderr: `tidings: ${url}/ cannot be reached: nothing listens there\n` })
})

it('does not accept a server that responds 200 to everything as a hub', async () => {
  const server = createServer((request, response) => request.resume().on('end', () => response.end('Welcome!')))
  server.listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const { code, stderr } = await publish(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, ['hello'])
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringContaining('answers, but is not a tidings server; check the URL')
  })
})

it('publishes the lines it has read when it receives a signal', async () => {
  const { url } = await serve()
  const client = await listen(`${url}/subscribe`)
  const command = begin(['publish', '--url', url])
  command.write('one\ntwo')
  await client.received(1)
  command.signal('SIGINT')
  expect((await command.ended).code).toBe(0)
  expect(await client.received(2)).toEqual(['one', 'two'])
})

it.each([
  [['--retry-timeout', 'soon', 'x'], /Expected seconds, or a duration/],
  [['--url', 'localhost:5000', 'x'], /Expected a URL that begins with http/],
  [['--id', 'one'], /--id needs a single update/],
  [['x', '--whole'], /give only one of/],
  [['--topics', 'x'], /Did you mean --topic\?/]
])('exits with 2 on a usage error: %j', async (args, sentence) => {
  const { code, stderr } = await tidings(['publish', ...args])
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(sentence) })
})
