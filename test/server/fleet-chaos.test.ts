// Three servers on one Redis with operator mistakes: clocks that differ by days, and a Redis that evicts keys. Connected streams
// receive every update, also superseded ones; when Redis evicts history, every client receives a gap event.
import { expect, it, onTestFinished } from 'vitest'
import { post } from '../support/http/http.ts'
import { ResumingClient } from '../support/http/resuming-client.ts'
import { type Random, randomFrom, seed } from '../support/random.ts'
import { describeWith, redis } from '../support/requirements.ts'
import { type RedisServer, redisForTest } from '../support/servers/redis.ts'
import { type ServerProcess, startServer } from '../support/servers/server.ts'

const pollOptions = { interval: 50 }
const day = 86_400_000
const rules = [
  { match: 'price/{symbol}', last: 1 },
  { match: 'news', age: '7d', entries: 5 }
]

interface Published {
  readonly id: string
  readonly data: string
}

/** A server whose clock is off by the given milliseconds. */
async function startWithClock(redis: RedisServer, offset: number): Promise<ServerProcess> {
  const clock = `const now = Date.now; Date.now = () => now() + ${offset}`
  const server = await startServer({
    args: ['--store', redis.url, '--log-level', 'error', '--retention', JSON.stringify(rules)],
    env: { NODE_OPTIONS: `--import "data:text/javascript,${encodeURIComponent(clock)}"` }
  })
  onTestFinished(() => server.kill('SIGKILL'))
  return server
}

async function startFleet(redis: RedisServer) {
  const servers = await Promise.all([0, 8 * day, -8 * day].map((offset) => startWithClock(redis, offset)))
  const clients = Array.from({ length: 9 }, (_, at) => {
    return new ResumingClient(`${servers[at % 3]?.url}/subscribe?last_event_id=earliest`)
  })
  onTestFinished(() => {
    for (const client of clients) client.close()
  })
  await expect.poll(() => clients.filter(({ isOpen }) => isOpen).length, pollOptions).toBe(clients.length)
  return { servers, clients }
}

/** Publishes a batch to a random server; returns the acknowledged updates. */
async function publishSome(servers: readonly ServerProcess[], random: Random, name: string): Promise<Published[]> {
  const updates = Array.from({ length: random.between(1, 8) }, (_, at) => {
    const topic = random.chance(0.2) ? 'news' : `price/${random.between(1, 3)}`
    return { topic, data: `${name}.${at}` }
  })
  const server = servers[random.between(0, servers.length - 1)]
  const answer = await post(`${server?.url}/publish`, updates.map((update) => JSON.stringify(update)).join('\n'), {
    'Content-Type': 'application/x-ndjson',
    Accept: 'application/json'
  })
  expect(answer.status).toBe(200)
  const { ids } = answer.json() as { ids: string[] }
  return ids.map((id, at) => ({ id, data: updates[at]?.data ?? '' }))
}

const offsetOf = (id: string) => Number.parseInt(id.slice(id.indexOf('-') + 1), 36)
const epochOf = (id: string) => id.slice(1, id.indexOf('-'))

describeWith(await redis(), 'a fleet with operator mistakes', (program) => {
  it('delivers every update to connected clients with `last`, `entries` and `age`, with clocks that differ by days', async () => {
    console.log(`chaos: seed ${seed}`)
    const random = randomFrom(seed)
    const { servers, clients } = await startFleet(await redisForTest(program))
    const published: Published[] = []
    for (let round = 0; round < 60; round++) {
      const batches = [1, 2, 3].map((at) => publishSome(servers, random, `${round}.${at}`))
      published.push(...(await Promise.all(batches)).flat())
    }
    const expected = published.sort((a, b) => offsetOf(a.id) - offsetOf(b.id)).map(({ data }) => data)
    for (const client of clients) {
      await expect.poll(() => client.data.length, pollOptions).toBe(expected.length)
      expect(client.data).toEqual(expected)
      expect([client.reconnects, client.history.filter((one) => 'gap' in one)]).toEqual([0, []])
    }
  })

  it('sends a gap event to every client when Redis evicts history, and loses nothing within an epoch', async () => {
    const redis = await redisForTest(program)
    const { servers, clients } = await startFleet(redis)
    const used = Number(/used_memory:(\d+)/.exec(String(await redis.ask('INFO', 'memory')))?.[1])
    await redis.ask('CONFIG', 'SET', 'maxmemory', String(used + 2 ** 20))
    await redis.ask('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru')
    const epochs = new Set<string>()
    let newest = ''
    for (let number = 0; epochs.size < 4; number++) {
      expect(number, 'evictions are due').toBeLessThan(20_000)
      const body = `${number} ${'x'.repeat(4_000)}`
      const answer = await post(`${servers[number % 3]?.url}/publish?topic=plain`, body)
      if (answer.status !== 200) continue
      newest = String(answer.headers['event-id'])
      epochs.add(epochOf(newest))
    }
    for (const client of clients) {
      await expect.poll(() => client.history.some((one) => 'id' in one && one.id === newest), pollOptions).toBe(true)
      let before = ''
      let isTold = false
      for (const one of client.history) {
        if ('gap' in one) isTold = true
        else {
          const isNext = epochOf(one.id) === epochOf(before) && offsetOf(one.id) === offsetOf(before) + 1
          expect(before === '' || isNext || isTold, `${before} then ${one.id}`).toBe(true)
          before = one.id
          isTold = false
        }
      }
    }
  })
})
