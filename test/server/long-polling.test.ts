// A long-polling client of the real server: it receives everything, in order, across restarts and behind a proxy that buffers
// responses until they are complete.
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { ask, post } from '../support/http/http.ts'
import { freePort } from '../support/servers/free-port.ts'
import { startServer } from '../support/servers/server.ts'

interface Page {
  readonly updates: readonly { readonly data: string }[]
  readonly lastEventId: string
  readonly gap: unknown
}

/** Polls until it has so many updates; a request that fails is repeated. */
async function poll(url: () => string, count: number): Promise<string[]> {
  const seen: string[] = []
  for (let after = 'earliest'; seen.length < count; ) {
    const query = `topic=a&wait=1s&limit=7&after=${encodeURIComponent(after)}`
    const answer = await ask(`${url()}/updates?${query}`).catch(() => undefined)
    if (answer?.status !== 200) continue
    const page = answer.json() as Page
    expect(page.gap).toBeNull()
    seen.push(...page.updates.map(({ data }) => data))
    after = page.lastEventId
  }
  return seen
}

const numbers = (count: number) => Array.from({ length: count }, (_, at) => String(at))

it('survives restarts and kills of the server', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidings-polling-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  // Of its own: a request to the server that is gone must not reach another one.
  const port = await freePort()
  const start = async () => {
    const server = await startServer({ port, args: ['--data', folder, '--log-level', 'error'] })
    onTestFinished(() => server.kill('SIGKILL'))
    return server
  }
  let server = await start()
  const polling = poll(() => server.url, 40)
  for (const data of numbers(40)) {
    if (Number(data) % 10 === 9) {
      await server.kill(data === '19' ? 'SIGKILL' : 'SIGTERM')
      server = await start()
    }
    expect((await post(`${server.url}/publish?topic=a`, data)).status).toBe(200)
  }
  expect(await polling).toEqual(numbers(40))
})

it('receives updates behind a proxy that buffers, where a stream shows nothing', async () => {
  const server = await startServer({ args: ['--log-level', 'error'] })
  onTestFinished(() => server.kill('SIGKILL'))
  const proxy = createServer(async (request, response) => {
    const answer = await ask(`${server.url}${request.url}`).catch(() => undefined)
    if (answer) response.writeHead(answer.status, { 'Content-Type': answer.headers['content-type'] }).end(answer.text)
    else response.destroy()
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    proxy.closeAllConnections()
    proxy.close()
  })
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  let hasStreamed = false
  void fetch(`${url}/subscribe?topic=a&last=1`).then(
    () => {
      hasStreamed = true
    },
    () => {}
  )
  const polling = poll(() => url, 25)
  for (const data of numbers(25)) await post(`${server.url}/publish?topic=a`, data)
  expect(await polling).toEqual(numbers(25))
  expect(hasStreamed).toBe(false)
})

it('releases clients that wait when the server stops', async () => {
  const server = await startServer({ args: ['--log-level', 'error'] })
  onTestFinished(() => server.kill('SIGKILL'))
  const agent = new Agent({ keepAlive: true })
  onTestFinished(() => agent.destroy())
  const waiting = Array.from({ length: 20 }, () => ask(`${server.url}/updates?wait=60s`))
  const debug = async () =>
    ((await ask(`${server.url}/debug`, { headers: { Accept: 'application/json' } })).json() as { polls: number }).polls
  await expect.poll(debug).toBe(20)
  const stopped = server.kill('SIGTERM')
  for (const answer of await Promise.all(waiting)) expect(answer).toMatchObject({ status: 200 })
  await stopped
})
