// The recommended nginx configuration, in Debian's nginx, with the real server.
import { readFileSync } from 'node:fs'
import { expect, it, onTestFinished } from 'vitest'
import { ask, post } from '../support/http/http.ts'
import { listen } from '../support/http/sse-client.ts'
import { describeWith, nginx } from '../support/requirements.ts'
import { freePort } from '../support/servers/free-port.ts'
import { startNginx } from '../support/servers/nginx.ts'
import { startServer } from '../support/servers/server.ts'

describeWith(await nginx(), 'behind nginx with the configuration of deploy/proxies', (program) => {
  async function start(...args: string[]) {
    const server = await startServer({ args: ['--trusted-proxies', '127.0.0.1', ...args] })
    onTestFinished(() => server.kill('SIGKILL'))
    const port = await freePort()
    const recommended = readFileSync('deploy/proxies/nginx.conf', 'utf8')
    const adapted = recommended
      .replace('127.0.0.1:5000', `127.0.0.1:${server.port}`)
      .replace('listen 80;', `listen 127.0.0.1:${port};`)
    expect(adapted).not.toMatch(/:5000;|listen 80;/)
    await startNginx(program, adapted, port)
    return { server, url: `http://127.0.0.1:${port}` }
  }

  it('delivers the first byte and each event immediately, and a client resumes', async () => {
    const { url } = await start()
    const client = await listen(`${url}/subscribe`)
    await client.until(({ raw }) => raw.startsWith(':\n'))
    for (const data of ['one', 'two']) {
      await post(`${url}/publish`, data)
      await client.until(({ data: seen }) => seen.at(-1) === data)
    }
    client.close()
    await post(`${url}/publish`, 'three')
    const again = await listen(`${url}/subscribe`, { 'Last-Event-ID': client.events.at(-1)?.id ?? '' })
    expect(await again.received(1)).toEqual(['three'])
  })

  it('the server sees client addresses, and removes disconnected clients', async () => {
    const { server, url } = await start()
    const client = await listen(`${url}/subscribe`, { 'X-Forwarded-For': '203.0.113.9' })
    const seen = async () =>
      (await ask(`${server.url}/debug`, { headers: { Accept: 'application/json' } })).json() as {
        subscriptions: { address: string }[]
      }
    // The client's own header value precedes the one that nginx adds.
    expect((await seen()).subscriptions.map(({ address }) => address)).toEqual(['203.0.113.9'])
    client.close()
    await expect.poll(async () => (await seen()).subscriptions).toEqual([])
  })

  it('carries hundreds of streams, each with every event', async () => {
    const { url } = await start()
    const clients = await Promise.all(Array.from({ length: 300 }, () => listen(`${url}/subscribe`)))
    await post(`${url}/publish`, 'to all')
    for (const client of clients) expect(await client.received(1)).toEqual(['to all'])
  })
})
