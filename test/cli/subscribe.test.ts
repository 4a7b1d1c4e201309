// `tidings subscribe` against the real server: its output, and how it resumes after a disconnect.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { MemoryLog } from '../../dist/index.js'
import { post, serve } from '../support/http/http.ts'
import { begin, tidings } from '../support/servers/cli.ts'
import { cuttableProxy } from '../support/servers/cuttable-proxy.ts'

const subscribe = (url: string, ...args: string[]) => begin(['subscribe', '--url', url, ...args])
const publish = (url: string, data: string, query = '') => post(`${url}/publish?${query}`, data)

it('prints the data of retained and new updates, and exits with 0 after --count', async () => {
  const { url } = await serve()
  for (const data of ['zero', 'one', 'two\nlines']) await publish(url, data)
  const command = subscribe(url, '--last', '2', '--count', '3')
  await command.until(({ lines }) => lines.length === 3, 'the history')
  await publish(url, 'three')
  expect(await command.ended).toEqual({ code: 0, stdout: 'one\ntwo\nlines\nthree\n', stderr: '' })
})

it('prints one JSON object per line with --json, for the given topics only', async () => {
  const { url } = await serve()
  await publish(url, 'no', 'topic=other')
  await publish(url, 'yes\nor so', 'topic=a/1&topic=b&type=t&id=one')
  const { stdout } = await subscribe(url, '--json', '--from', 'earliest', '--topic', 'a/{x}', '--count', '1').ended
  expect(JSON.parse(stdout)).toEqual({
    topic: 'a/1',
    topics: ['a/1', 'b'],
    id: 'one',
    type: 't',
    data: 'yes\nor so',
    time: expect.any(Number)
  })
})

it('prints the bytes of the stream with --raw', async () => {
  const { url } = await serve()
  await publish(url, 'hello', 'id=one&type=t')
  const { stdout } = await subscribe(url, '--raw', '--from', 'earliest', '--count', '1').ended
  expect(stdout).toMatch(/^:\n\n?(id: \S+\n\n)?event: t\nid: one\ndata: hello\n\n$/)
})

it('exits with 0 on Ctrl-C', async () => {
  const { url } = await serve()
  await publish(url, 'hello')
  const command = await subscribe(url, '--last', '1').until(({ lines }) => lines.length === 1)
  command.signal('SIGINT')
  expect(await command.ended).toEqual({ code: 0, stdout: 'hello\n', stderr: '' })
})

it('exits silently when its output is closed, as with head', async () => {
  const { url } = await serve()
  await publish(url, 'hello')
  const command = await subscribe(url, '--last', '1').until(({ lines }) => lines.length === 1)
  command.stopReading()
  await publish(url, 'unread')
  await publish(url, 'unread')
  expect(await command.ended).toMatchObject({ code: 0, stderr: '' })
})

it('resumes after a disconnect with the updates published meanwhile, in order and once, and reports this', async () => {
  const { hub, url, at } = await serve()
  const proxy = await cuttableProxy(at.port)
  onTestFinished(() => proxy.close())
  const command = subscribe(proxy.url, '--count', '30')
  for (let round = 0; round < 3; round++) {
    await expect.poll(() => hub.status.subscribers).toBe(1)
    for (let number = 0; number < 5; number++) await publish(url, `${round}-${number} connected`)
    await command.until(({ lines }) => lines.length >= round * 10 + 5, 'what came while connected')
    proxy.cut()
    for (let number = 0; number < 5; number++) await publish(url, `${round}-${number} cut`)
    proxy.mend()
  }
  const { code, stdout, stderr } = await command.ended
  const expected = [0, 1, 2].flatMap((round) =>
    ['connected', 'cut'].flatMap((state) => [0, 1, 2, 3, 4].map((number) => `${round}-${number} ${state}`))
  )
  expect({ code, lines: stdout.trim().split('\n') }).toEqual({ code: 0, lines: expected })
  // After a short pause, the proxy may still refuse connections.
  const lost = /^tidings: the (?:server closed the stream|stream was lost: .+); reconnecting in \d\.\d s$/
  const refused = /^tidings: \S+ cannot be reached: .+; reconnecting in \d\.\d s$/
  const lines = stderr.trim().split('\n')
  const reported = lines.filter((line) => !refused.test(line)).map((line) => line.replace(lost, 'lost'))
  expect(reported).toEqual(Array(3).fill(['lost', 'tidings: reconnected']).flat())
})

it('loses nothing when it is disconnected before its first event', async () => {
  const { url, at } = await serve()
  const proxy = await cuttableProxy(at.port)
  onTestFinished(() => proxy.close())
  const command = subscribe(proxy.url, '--raw', '--count', '1')
  await command.until(({ stdout }) => stdout.endsWith('\n\n'), 'the place at which the stream begins')
  proxy.cut()
  await publish(url, 'published while away')
  proxy.mend()
  expect((await command.ended).stdout).toMatch(/data: published while away\n\n$/)
})

it('reports a gap', async () => {
  const log = new MemoryLog({ retention: [{ match: '*', entries: 2 }] })
  const { url } = await serve({ log })
  const ids = []
  for (const data of ['a', 'b', 'c', 'd', 'e']) ids.push(String((await publish(url, data)).headers['event-id']))
  const { code, stdout, stderr } = await subscribe(url, '--from', String(ids[0]), '--count', '2').ended
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'd\ne\n' })
  expect(stderr).toMatch(
    /^tidings: gap \(trimmed\) after #\S+-1: some updates since then are no longer in history; .+ #\S+\n$/
  )
})

it("exits with 1 and the server's error when a retry is useless", async () => {
  const { url } = await serve({}, { publisherKey: 'a key of this test', subscriberKey: 'a key of this test' })
  expect(await subscribe(url).ended).toEqual({
    code: 1,
    stdout: '',
    stderr: 'tidings: This request requires a token. (401)\n'
  })
  expect(await subscribe(url, '--token', 'x.y.z').ended).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('(401)')
  })
})

it('reconnects to a busy server after Retry-After, and obeys retry', async () => {
  const requests: { readonly at: number; readonly url: string }[] = []
  const server = createServer((request, response) => {
    requests.push({ at: performance.now(), url: request.url ?? '' })
    if (requests.length === 1) response.writeHead(503, { 'Retry-After': '1' }).end('Busy.\n')
    else
      response.writeHead(200, { 'Content-Type': 'text/event-stream' }).end('retry: 700\nid: ä\ndata: {"data":"x"}\n\n')
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const command = subscribe(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, '--count', '3', '--last', '9')
  expect(await command.ended).toMatchObject({
    code: 0,
    stdout: 'x\nx\nx\n',
    stderr: expect.stringContaining('Busy. (503)')
  })
  const waits = requests.map(({ at }, index) => at - (requests[index - 1]?.at ?? at))
  // Both are minimum delays.
  expect(waits[1]).toBeGreaterThanOrEqual(990)
  expect(waits[2]).toBeGreaterThanOrEqual(690)
  expect(waits[3]).toBeGreaterThanOrEqual(690)
  expect(requests.map(({ url }) => new URL(url, 'http://x').searchParams.get('last'))).toEqual(['9', '9', null, null])
  expect(new URL(requests[3]?.url ?? '', 'http://x').searchParams.get('last_event_id')).toBe('ä')
})

it('rejects a response that is not an event stream', async () => {
  const server = createServer((_, response) => response.setHeader('Content-Type', 'text/html').end('<p>Welcome'))
  server.listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const stderr = `tidings: ${url}/ answers, but not with an event stream\n`
  expect(await subscribe(url).ended).toEqual({ code: 1, stdout: '', stderr })
})

it('exits with 2 on a usage error', async () => {
  expect((await tidings(['subscribe', '--json', '--raw'])).code).toBe(2)
  expect((await tidings(['subscribe', '--last', 'few'])).code).toBe(2)
})

it('prints no events of the hub, except gaps', async () => {
  const events = ['open', 'changed', 'refused', 'later'].map((name) => `event: tidings:${name}\ndata: {}\n\n`)
  const server = createServer((_, response) => {
    response
      .writeHead(200, { 'Content-Type': 'text/event-stream' })
      .end(`${events.join('')}id: 1\ndata: {"data":"x"}\n\n`)
  })
  server.listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const { stdout, code } = await subscribe(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, '--count', '1')
    .ended
  expect([stdout, code]).toEqual(['x\n', 0])
})
