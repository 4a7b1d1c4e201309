// `tidings bench`: its report on a real server, and its detection of faults.
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { serve } from '../support/http/http.ts'
import { begin, tidings } from '../support/servers/cli.ts'
import { cuttableProxy } from '../support/servers/cuttable-proxy.ts'
import { freePort } from '../support/servers/free-port.ts'
import { startServer } from '../support/servers/server.ts'

const small = ['--subscribers', '20', '--seconds', '1']

/** The table, by its first column. */
function read(stdout: string): Record<string, string> {
  return Object.fromEntries(stdout.split('\n').map((line) => line.split(/ {2,}(.*)/s).slice(0, 2)))
}

it('measures a server: published updates, missing updates, and latency', async () => {
  const server = await startServer()
  onTestFinished(() => server.kill('SIGKILL'))
  const { code, stdout, stderr } = await tidings(['bench', server.url, ...small, '--rate', '100', '--topics', '4'])
  const table = read(stdout)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(table).toMatchObject({ missing: '0', duplicated: '0', reconnects: '0' })
  expect(table.load).toBe('20 subscribers, 4 topics, 64 bytes')
  expect(table.connects).toMatch(/^20 in \S+ ms, \S+\/s$/)
  expect(table.latency).toMatch(/^p50 \S+ ms {2}p90 \S+ ms {2}p99 \S+ ms {2}max \S+ ms$/)
  // Each update has one topic, and a quarter of the subscribers follow it.
  const [published, delivered] = [table.publishes, table.deliveries].map((cell) => Number.parseInt(cell ?? '', 10))
  expect(published).toBeGreaterThan(50)
  // On a busy machine the second is a little longer, so the rate counts and not the number.
  const [, perSecond] = /, (\d+)\/s, target 100\/s$/.exec(table.publishes ?? '') ?? []
  expect(Number(perSecond)).toBeLessThanOrEqual(101)
  expect(delivered).toBe((published as number) * 5)
})

it('publishes at full speed with a rate of 0', async () => {
  const server = await startServer()
  onTestFinished(() => server.kill('SIGKILL'))
  const { code, stdout } = await tidings(['bench', server.url, ...small, '--rate', '0', '--in-flight', '4'])
  expect(code).toBe(0)
  expect(read(stdout)).toMatchObject({
    missing: '0',
    duplicated: '0',
    publishes: expect.stringContaining('4 concurrent requests')
  })
})

it('reconnects after a disconnect, and reports nothing missing or duplicated', async () => {
  const { hub, at } = await serve()
  const proxy = await cuttableProxy(at.port)
  onTestFinished(() => proxy.close())
  const command = begin(['bench', proxy.url, '--subscribers', '5', '--seconds', '2', '--rate', '50'])
  await expect.poll(() => hub.status.head).toBeGreaterThan(10)
  proxy.cut()
  proxy.mend()
  const { code, stdout } = await command.ended
  expect(read(stdout)).toMatchObject({ missing: '0', duplicated: '0' })
  expect(Number(read(stdout).reconnects)).toBeGreaterThanOrEqual(5)
  expect(code).toBe(0)
})

it('detects that a server loses and repeats updates, and exits with 1', async () => {
  const streams = new Set<ServerResponse>()
  let published = 0
  const server = createServer((request, response) => {
    if (request.method === 'GET') {
      streams.add(response)
      response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(':\n')
      return
    }
    let data = ''
    request.on('data', (chunk: Buffer) => {
      data += chunk.toString()
    })
    request.on('end', () => {
      published++
      const copies = published === 3 ? 0 : published === 5 ? 2 : 1
      for (const stream of streams) stream.write(`data: ${data}\n\n`.repeat(copies))
      response.end('{"ids":["a"]}')
    })
  }).listen(0, '127.0.0.1')
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  await new Promise((resolve) => server.once('listening', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { code, stdout } = await tidings(['bench', url, '--subscribers', '2', '--rate', '20', '--seconds', '500ms'])
  expect(read(stdout)).toMatchObject({ missing: '2', duplicated: '2' })
  expect(code).toBe(1)
})

it('reports why a server is unreachable', async () => {
  const { url } = await serve({}, { publisherKey: 'a key of this test', anonymous: true })
  const refused = await tidings(['bench', url, ...small])
  expect(refused).toMatchObject({ code: 1, stderr: 'tidings: This request requires a token. (401)\n' })
  const away = await tidings(['bench', `http://127.0.0.1:${await freePort()}`, ...small])
  expect(away).toMatchObject({ code: 1, stderr: expect.stringContaining('nothing listens there') })
})
