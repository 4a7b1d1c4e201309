// Servers of a fleet during faults: Redis hangs or is full, or a server was suspended. Streams stay open, rejections have a
// Retry-After, and no client misses an update without a gap event.
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { ask, post } from '../support/http/http.ts'
import { ResumingClient } from '../support/http/resuming-client.ts'
import { listen } from '../support/http/sse-client.ts'
import { isSoak } from '../support/random.ts'
import { describeWith, redis } from '../support/requirements.ts'
import { redisForTest } from '../support/servers/redis.ts'
import { startCluster } from '../support/servers/redis-topologies.ts'
import { startServer } from '../support/servers/server.ts'

const pause = isSoak ? 30_000 : 8_000
const pollOptions = { interval: 100 }

async function start(log: string, ...args: string[]) {
  const server = await startServer({ args: ['--store', log, '--log-level', 'silent', ...args] })
  onTestFinished(() => server.kill('SIGKILL'))
  return server
}

function follow(url: string): ResumingClient {
  const client = new ResumingClient(`${url}/subscribe?last_event_id=earliest`)
  onTestFinished(() => client.close())
  return client
}

/** Publishes sequentially, and records each response. */
function publisher(url: string, name: string) {
  const acknowledged: string[] = []
  const refused: { status: number; retryAfter: string | undefined }[] = []
  let isOver = false
  const publishing = (async () => {
    for (let number = 0; !isOver; number++) {
      const answer = await post(`${url}/publish`, `${name}-${number}`).catch(() => undefined)
      // The test has ended, and the server has stopped.
      if (!answer) return
      const { status, headers } = answer
      if (status === 200) acknowledged.push(`${name}-${number}`)
      else refused.push({ status, retryAfter: headers['retry-after'] })
      await sleep(20)
    }
  })()
  const stop = () => {
    isOver = true
    return publishing
  }
  return { acknowledged, refused, stop }
}

describeWith(await redis(), 'a fleet with faults', (program) => {
  it(`keeps streams and is not ready while Redis hangs for ${pause / 1_000} s, and recovers by itself`, {
    timeout: pause + 300_000
  }, async () => {
    const redis = await redisForTest(program)
    const servers = [await start(redis.url, '--heartbeat', '1s'), await start(redis.url, '--heartbeat', '1s')]
    const [url = '', other = ''] = servers.map((server) => server.url)
    const clients = [follow(url), follow(other)]
    // Of the publishes at one process, one is in flight when Redis hangs, and the others wait behind it.
    const publishers = [...['a', 'b', 'd'].map((name) => publisher(url, name)), publisher(other, 'c')]
    await expect.poll(() => clients.map(({ data }) => data.length > 5), pollOptions).toEqual([true, true])
    redis.signal('SIGSTOP')
    const heartbeats = clients.map((client) => client.heartbeats)
    const deadline = performance.now() + pause
    const readiness = async () => Promise.all([url, other].map(async (at) => (await ask(`${at}/readyz`)).status))
    await expect.poll(readiness, { timeout: pause, interval: 100 }).toEqual([503, 503])
    expect(await ask(`${url}/readyz`)).toMatchObject({ status: 503, text: 'the log cannot be reached\n' })
    expect((await ask(`${url}/healthz`)).status).toBe(200)
    expect((await ask(`${url}/metrics`)).text).toContain('tidings_log_ready 0')
    expect((await ask(`${url}/debug`, { headers: { Accept: 'application/json' } })).json()).toMatchObject({
      isReady: false
    })
    await sleep(deadline - performance.now())
    for (const [at, client] of clients.entries())
      expect(client.heartbeats - (heartbeats[at] as number)).toBeGreaterThanOrEqual(pause / 2_000)
    redis.signal('SIGCONT')
    await expect.poll(readiness, pollOptions).toEqual([200, 200])
    const before = publishers.map(({ acknowledged }) => acknowledged.length)
    await expect
      .poll(
        () => publishers.map(({ acknowledged }, at) => acknowledged.length > (before[at] as number) + 5),
        pollOptions
      )
      .toEqual(publishers.map(() => true))
    await Promise.all(publishers.map(({ stop }) => stop()))
    const refused = publishers.flatMap((one) => one.refused)
    expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([503, 504]))
    expect(new Set(refused.map(({ retryAfter }) => retryAfter))).toEqual(new Set(['1']))
    const acknowledged = publishers.flatMap((one) => one.acknowledged)
    const lacking = () => clients.map(({ data }) => acknowledged.filter((one) => !data.includes(one)))
    await expect.poll(lacking, pollOptions).toEqual([[], []])
    expect(clients.map(({ reconnects }) => reconnects)).toEqual([0, 0])
    expect(clients[0]?.data).toEqual(clients[1]?.data)
    expect(new Set(clients[0]?.data).size, 'entries are unique').toBe(clients[0]?.data.length)
  })

  it('responds 507 while Redis is full, stores nothing partially, and recovers when there is space', async () => {
    const redis = await redisForTest(program)
    const { url } = await start(redis.url)
    const client = follow(url)
    const used = Number(/used_memory:(\d+)/.exec(String(await redis.ask('INFO', 'memory')))?.[1])
    await redis.ask('CONFIG', 'SET', 'maxmemory', String(used + 4 * 2 ** 20))
    const acknowledged: string[] = []
    const fill = async () => {
      const data = `${acknowledged.length}-${'x'.repeat(200_000)}`
      const { status } = await post(`${url}/publish`, data)
      if (status === 200) acknowledged.push(data)
      return status
    }
    await expect.poll(fill, { ...pollOptions, interval: 1 }).toBe(507)
    expect((await ask(`${url}/readyz`)).status, 'history stays readable').toBe(200)
    await redis.ask('CONFIG', 'SET', 'maxmemory', '0')
    expect(await fill()).toBe(200)
    await expect.poll(() => client.data.length, pollOptions).toBe(acknowledged.length)
    expect(client.data).toEqual(acknowledged)
  })

  it('delivers to clients of a resumed server what other clients received, and a gap for what Redis has removed', async () => {
    const redis = await redisForTest(program)
    const rules = ['--retention', '[{"match":"*","entries":100}]']
    const [awake, asleep] = [await start(redis.url, ...rules), await start(redis.url, ...rules)]
    const clients = Array.from({ length: 5 }, () => follow(asleep.url))
    const publish = async (from: number, to: number) => {
      const lines = Array.from({ length: to - from }, (_, at) =>
        JSON.stringify({ topic: 't', data: String(from + at) })
      )
      const type = { 'Content-Type': 'application/x-ndjson' }
      expect((await post(`${awake.url}/publish`, lines.join('\n'), type)).status).toBe(200)
    }
    await publish(0, 10)
    await expect.poll(() => clients.map(({ data }) => data.length), pollOptions).toEqual(clients.map(() => 10))
    const publishAsleep = async (from: number, to: number) => {
      asleep.signal('SIGSTOP')
      for (let next = from; next < to; next += 1_000) await publish(next, next + 1_000)
      asleep.signal('SIGCONT')
      await publish(to, to + 1)
      await expect
        .poll(() => clients.map(({ data }) => data.at(-1)), pollOptions)
        .toEqual(clients.map(() => String(to)))
    }
    // Redis keeps entries for a server that is slightly behind, also beyond the retention rules.
    await publishAsleep(10, 2_010)
    expect(clients.map(({ data }) => data.length)).toEqual(clients.map(() => 2_011))
    await publishAsleep(2_011, 55_011)
    for (const { data, history } of clients) {
      const skips = data.flatMap((one, at) => (at > 0 && Number(one) !== Number(data[at - 1]) + 1 ? [one] : []))
      const gaps = history.filter((one) => 'gap' in one)
      expect({ skips: skips.length, gaps }).toEqual({ skips: 1, gaps: [{ gap: 'trimmed' }] })
    }
  })

  it('works with a Redis cluster', async () => {
    const cluster = await startCluster(program)
    onTestFinished(() => cluster.stop())
    const servers = [
      await start(cluster.url, '--store-prefix', 'app:one'),
      await start(cluster.url, '--store-prefix', 'app:one')
    ]
    const client = await listen(`${servers[1]?.url}/subscribe`)
    expect((await post(`${servers[0]?.url}/publish`, 'hello')).status).toBe(200)
    expect(await client.received(1)).toEqual(['hello'])
    const { node } = await cluster.owner('{app:one:log}')
    expect(await node.ask('EXISTS', '{app:one:log}:meta')).toBe(1)
  })
})
