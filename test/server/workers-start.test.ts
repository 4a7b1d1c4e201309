// `--workers`: starts that fail in one line, every kind of address, and histories in Redis.
import { request } from 'node:http'
import { createServer } from 'node:net'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ask, post } from '../support/http/http.ts'
import { http2Ask, http2Session } from '../support/http/http2.ts'
import { listen } from '../support/http/sse-client.ts'
import { newFolder } from '../support/log/log-folder.ts'
import { describeWith, redis } from '../support/requirements.ts'
import { tidings } from '../support/servers/cli.ts'
import { freePort } from '../support/servers/free-port.ts'
import { redisForTest } from '../support/servers/redis.ts'
import { beginWorkers, killWorker, linesOf, listenOnBoth, startWorkers, timesOf } from '../support/servers/workers.ts'

const certificate = (name: string) => new URL(`../support/auth/for-tests-only.${name}.pem`, import.meta.url).pathname

describe('a start that fails is one line and exit code 1', () => {
  const start = (...args: string[]) => tidings(['serve', '--workers', '2', '--port', '0', ...args])

  it('with a port in use', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void other.close())
    await new Promise((resolve) => other.once('listening', resolve))
    const { port } = other.address() as { port: number }
    const line = `tidings: 127.0.0.1:${port} is already in use; choose another port, or port 0 for any free one\n`
    expect(await start('--port', String(port))).toEqual({ code: 1, stdout: '', stderr: line })
  })

  it.each([
    [['--tls-cert', '/dev/null', '--tls-key', '/dev/null'], /^tidings: --tls-cert: .*\n$/],
    [['--store', '/dev/null/log'], /^tidings: \S+ cannot hold a log \(E[A-Z]+\).*\n$/],
    [['--store', 'redis://127.0.0.1:1'], /^tidings: The log cannot be reached.*\n$/],
    [['--workers', '0'], /^tidings: --workers: expected a number from 1 to 999, or auto, got "0"\n$/],
    [['--workers', 'many'], /^tidings: --workers: expected a number from 1 to 999, or auto, got "many"\n$/]
  ])('with %j', async (args, line) => {
    expect(await start(...args)).toEqual({ code: 1, stdout: '', stderr: expect.stringMatching(line) })
  })
})

describe('the number of workers', () => {
  it.each([
    ['1', 0],
    ['auto', availableParallelism() === 1 ? 0 : availableParallelism()]
  ])('%s starts the right number of processes', async (workers, processes) => {
    const server = await beginWorkers(['--workers', workers])
    expect(timesOf(server, 'a worker has started')).toBe(processes)
  })
})

describe('addresses', () => {
  it('are several, a Unix socket, and one for operators, all served by both workers', async () => {
    const [socket, port, ops] = [join(newFolder(), 'hub.sock'), await freePort(), `127.0.0.1:${await freePort()}`]
    const listens = ['--listen', `127.0.0.1:0,127.0.0.1:${port},unix:${socket}`, '--ops-listen', ops]
    const server = await startWorkers(...listens)
    const streams = [
      ...(await listenOnBoth(server)),
      ...(await listenOnBoth({ ...server, url: `http://127.0.0.1:${port}` }))
    ]
    await publishThrough(socket, 'through the socket')
    for (const stream of streams) expect(await stream.received(1)).toEqual(['through the socket'])
    expect((await ask(`http://${ops}/readyz`)).status).toBe(200)
    expect((await ask(`http://${ops}/metrics`)).text).toContain('tidings_subscribers_live 4')
    expect((await ask(`${server.url}/metrics`)).status).toBe(404)
    for (const worker of [1, 2]) await killWorker(server, worker)
    await publishThrough(socket, 'again')
    expect((await ask(`http://${ops}/readyz`)).status).toBe(200)
  })

  it('speak TLS with HTTP/2', async () => {
    const { url } = await startWorkers('--tls-cert', certificate('cert'), '--tls-key', certificate('key'))
    const stream = await http2Ask(http2Session(url), '/subscribe')
    await http2Ask(http2Session(url), '/publish', { method: 'POST', body: 'over HTTP/2', 'content-type': 'text/plain' })
    await expect.poll(() => stream.text()).toContain('data: over HTTP/2')
  })
})

describeWith(await redis(), 'a history in Redis', (program) => {
  it('makes every worker a node', async () => {
    const server = await startWorkers('--store', (await redisForTest(program)).url)
    const streams = await listenOnBoth(server)
    const published = [...Array(6).keys()].map(String)
    for (const text of published) await post(`${server.url}/publish`, text)
    for (const stream of streams) expect(await stream.received(6)).toEqual(published)
    await killWorker(server, 2)
    const again = await listen(`${server.url}/subscribe`, { 'Last-Event-ID': streams[1].events[2]?.id as string })
    expect(await again.received(3)).toEqual(['3', '4', '5'])
    expect(linesOf(server).filter(({ msg }) => msg === 'failed')).toEqual([])
  })
})

async function publishThrough(socketPath: string, data: string): Promise<void> {
  const status = await new Promise((resolve, reject) => {
    const options = { socketPath, method: 'POST', path: '/publish', headers: { Host: 'localhost' } }
    const publishing = request(options, (response) => resolve(response.resume().statusCode))
    publishing.on('error', reject).end(data)
  })
  expect(status).toBe(200)
}
