// Shutdown and stream rotation: streams end spread over time, each with its own retry time, and no acknowledged update is lost.
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ask, post } from '../support/http/http.ts'
import { allOf, ResumingClient } from '../support/http/resuming-client.ts'
import { listen } from '../support/http/sse-client.ts'
import { newFolder } from '../support/log/log-folder.ts'
import { freePort } from '../support/servers/free-port.ts'
import { startServer } from '../support/servers/server.ts'

async function start(options: { port?: number; args?: string[]; env?: Record<string, string> } = {}) {
  const server = await startServer(options)
  onTestFinished(() => server.kill('SIGKILL'))
  return server
}

const draining = (timeout: string) => ({ env: { TIDINGS_DRAIN_TIMEOUT: timeout } })

describe('SIGTERM', () => {
  it('ends streams one after the other, each with its own retry time', async () => {
    const { url, kill } = await start(draining('2s'))
    const streams = await Promise.all(Array.from({ length: 50 }, () => listen(`${url}/subscribe`)))
    const since = performance.now()
    const ends = streams.map(async (stream) => {
      await stream.until(({ ended }) => ended)
      return performance.now() - since
    })
    const stopped = kill('SIGTERM')
    const times = await Promise.all(ends)
    await stopped
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(500)
    const retries = streams.map(({ raw }) => Number(/retry: (\d+)\n\n$/.exec(raw)?.[1]))
    expect(Math.max(...retries)).toBeLessThanOrEqual(3_000)
    expect(new Set(retries).size).toBeGreaterThan(20)
  })

  it('accepts no new connections, and reports healthy but not ready', async () => {
    const ops = `127.0.0.1:${await freePort()}`
    const { url, kill } = await start({ args: ['--ops-listen', ops], ...draining('1m') })
    await Promise.all(Array.from({ length: 4 }, () => listen(`${url}/subscribe`)))
    expect((await ask(`http://${ops}/readyz`)).status).toBe(200)
    const stopped = kill('SIGTERM')
    await expect
      .poll(() =>
        ask(url).then(
          () => 'answers',
          () => 'refuses'
        )
      )
      .toBe('refuses')
    expect(await ask(`http://${ops}/readyz`)).toMatchObject({ status: 503, headers: { 'retry-after': '1' } })
    expect((await ask(`http://${ops}/healthz`)).status).toBe(200)
    await kill('SIGTERM')
    await stopped
  })

  it('ends all streams at once on a second signal', async () => {
    const { url, kill } = await start(draining('1m'))
    await Promise.all(Array.from({ length: 10 }, () => listen(`${url}/subscribe`)))
    const stopped = kill('SIGTERM')
    await expect
      .poll(() =>
        ask(url).then(
          () => 'answers',
          () => 'refuses'
        )
      )
      .toBe('refuses')
    await kill('SIGTERM')
    await stopped
  })

  it('loses nothing for 2,000 clients that resume across a restart during publishing', async () => {
    const [port, folder] = [await freePort(), newFolder()]
    const options = { port, args: ['--data', folder], ...draining('2s') }
    const url = `http://127.0.0.1:${port}`
    const before = await start(options)
    const clients = Array.from({ length: 2_000 }, () => new ResumingClient(`${url}/subscribe`))
    onTestFinished(() => {
      for (const client of clients) client.close()
    })
    await allOf(clients, ({ isOpen }) => isOpen)
    const acknowledged: string[] = []
    let isDone = false
    const publishing = (async () => {
      for (let number = 0; !isDone; number++) {
        const answer = await post(`${url}/publish`, String(number)).catch(() => undefined)
        if (answer?.status === 200) acknowledged.push(String(number))
        // Each update is 2,000 deliveries, which this process has to read.
        await sleep(50)
      }
    })()
    await expect.poll(() => acknowledged.length).toBeGreaterThan(20)
    await before.kill('SIGTERM')
    await start(options)
    await allOf(clients, ({ isOpen }) => isOpen)
    isDone = true
    await publishing
    const newest = acknowledged.at(-1) as string
    await allOf(clients, ({ data }) => data.includes(newest))
    const all = acknowledged.join()
    expect(clients.filter(({ data }) => acknowledgedIn(data, acknowledged) !== all)).toEqual([])
    expect(clients.every(({ reconnects }) => reconnects > 0)).toBe(true)
  })
})

describe('a stream that reaches its maximum age', () => {
  it('is closed with reason rotated, and its client reconnects', async () => {
    const { url } = await start({ args: ['--max-age', '500ms'] })
    const stream = await listen(`${url}/subscribe`)
    await stream.until(({ ended }) => ended)
    expect(stream.raw).toMatch(/retry: \d+\n\n$/)
    const { text } = await ask(`${url}/debug`, { headers: { Accept: 'application/json' } })
    expect(text).toContain('"reason":"rotated"')
  })
})

/** Acknowledged updates, in the order in which a client saw them; unacknowledged ones may exist as well. */
function acknowledgedIn(data: readonly string[], acknowledged: readonly string[]): string {
  const wanted = new Set(acknowledged)
  return data.filter((one) => wanted.has(one)).join()
}
