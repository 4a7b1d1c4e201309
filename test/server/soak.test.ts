// Two servers on one Redis with everything at once: clients that come and go or do not read, publishers, retention, ends, deletions,
// revocations, and a Redis that is killed. Nothing is lost, nothing stays open, and memory does not grow. It takes twenty seconds;
// `npm run test:soak` has 2,000 clients for half an hour (TEST_SOAK_MINUTES sets another time).
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { ask } from '../support/http/http.ts'
import { audience, bearer, keys, token } from '../support/http/mercure.ts'
import { randomFrom, seed } from '../support/random.ts'
import { describeWith, redis } from '../support/requirements.ts'
import { redisForTest } from '../support/servers/redis.ts'
import { startServer } from '../support/servers/server.ts'
import { Soak } from '../support/soak/load.ts'

const isLong = process.env.TEST_SOAK !== undefined
const minutes = Number(process.env.TEST_SOAK_MINUTES ?? (isLong ? 30 : 1 / 3))
const clients = isLong ? 2_000 : 200

const keyed = [
  '--publisher-key',
  keys.publish,
  '--subscriber-key',
  keys.subscribe,
  '--anonymous',
  '--audience',
  audience
]
const rules = JSON.stringify([
  { match: 'flood', entries: 3_000 },
  { match: 'jobs/{id}', age: '5m' },
  { match: '*', entries: 20_000, age: '10m' }
])

interface Figures {
  readonly rss: number
  readonly heap: number
  readonly streams: number
  readonly descriptors: number
}

async function figuresOf(url: string): Promise<Figures> {
  const { text } = await ask(`${url}/metrics`, { headers: bearer(await token('1.0', { subscribe: ['/metrics'] })) })
  const value = (name: string) => Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1])
  return {
    rss: Math.round(value('process_resident_memory_bytes') / 2 ** 20),
    heap: Math.round(value('nodejs_heap_size_used_bytes') / 2 ** 20),
    streams: value('tidings_subscribers_live') + value('tidings_subscribers_behind'),
    descriptors: value('process_open_fds')
  }
}

describeWith(await redis(), 'a soak', (program) => {
  it(`of ${clients} clients loses nothing and leaves nothing open (seed ${seed})`, {
    timeout: minutes * 60_000 + 180_000
  }, async () => {
    console.log(`soak: ${minutes.toFixed(1)} minutes, seed ${seed}`)
    const redis = await redisForTest(program, '--appendonly', 'yes', '--appendfsync', 'always')
    const flags = [
      '--store',
      redis.url,
      '--retention',
      rules,
      '--idempotent',
      '5m',
      '--allow-delete',
      '--slow-timeout',
      '8s'
    ]
    const args = [...keyed, ...flags, '--max-age', '3m', '--log-level', 'error', '--subscriptions']
    const servers = [await startServer({ args }), await startServer({ args })]
    for (const server of servers) onTestFinished(() => server.kill('SIGKILL'))
    const urls = servers.map(({ url }) => url)
    const all = () => Promise.all(urls.map(figuresOf))
    const idle = await all()
    const soak = new Soak({ urls, clients, rooms: 50, random: randomFrom(seed) })
    onTestFinished(() => soak.close())
    await soak.start()
    await expect.poll(() => soak.open, { timeout: 60_000 }).toBeGreaterThan(clients * 0.9)
    const startedAt = performance.now()
    const report = async () => {
      const minute = (performance.now() - startedAt) / 60_000
      const figures = await all()
      const text = figures.map(({ rss, heap, streams }) => `${rss} MiB resident, ${heap} MiB heap, ${streams} streams`)
      console.log(
        `soak: minute ${minute.toFixed(1)}: ${text.join('; ')}; ${soak.published} published, ${soak.findings.received} received`
      )
      return figures
    }
    // At a sixth, a half, and the end. Redis is killed after each of the first two.
    const early = await after(minutes / 6, report)
    await redis.kill()
    await redis.restart()
    const middle = await after(minutes / 3, report)
    await redis.kill()
    await redis.restart()
    const late = await after(minutes / 2, report)
    await soak.stop()
    console.log(`soak: ${JSON.stringify({ ...soak.done, repeated: soak.repeated, gaps: soak.findings.gaps })}`)
    expect(soak.findings.faults).toEqual([])
    expect(soak.findings.received).toBeGreaterThan(soak.published)
    expect(Math.min(...Object.values(soak.done))).toBeGreaterThan(0)
    // Memory of the middle and of the end, in which the load is the same; the young generation alone varies by 32 MiB.
    for (const [at, { rss }] of late.entries()) {
      expect(rss).toBeLessThan(Math.max(early[at]?.rss ?? 0, middle[at]?.rss ?? 0) * 1.2 + 40)
    }
    soak.close()
    await expect.poll(async () => (await all()).map(({ streams }) => streams)).toEqual([0, 0])
    // As before it, apart from connections of the last requests.
    const excess = async () => (await all()).map(({ descriptors }, at) => descriptors - (idle[at]?.descriptors ?? 0))
    await expect.poll(async () => Math.max(...(await excess()))).toBeLessThan(10)
  })
})

/** Waits for so many minutes, and reports then. */
async function after<Result>(minutes: number, report: () => Promise<Result>): Promise<Result> {
  await sleep(minutes * 60_000)
  return report()
}
