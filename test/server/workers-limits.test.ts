// `--workers 2`: limits count the streams and the requests of all workers together.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ask, post } from '../support/http/http.ts'
import { bearer, keyed, token } from '../support/http/mercure.ts'
import { listen } from '../support/http/sse-client.ts'
import { newFolder } from '../support/log/log-folder.ts'
import { askBoth, killWorker, listenOnBoth, startWorkers, timesOf, workerOf } from '../support/servers/workers.ts'

const subjectOf = async (sub: string) => bearer(await token('1.0', { subscribe: ['*'], claims: { sub } }))

describe('a limit of streams', () => {
  it.each([
    ['--max-connections', 503],
    ['--max-connections-per-address', 429],
    ['--max-connections-per-subject', 429]
  ])('%s holds for both workers, and no longer counts the streams of one that was killed', async (option, status) => {
    const server = await startWorkers(...keyed, option, '3')
    const headers = await subjectOf('ann')
    const streams = [...Array(3)].map(() => listen(`${server.url}/subscribe`, headers))
    const workers = await Promise.all(streams.map(async (stream) => workerOf(server, await stream)))
    expect(new Set(workers)).toEqual(new Set([1, 2]))
    const refused = async () => (await ask(`${server.url}/subscribe`, { method: 'HEAD', headers })).status
    expect(await askBoth(refused)).toEqual([status, status, status, status])
    await killWorker(server, 1)
    const free = workers.filter((worker) => worker === 1).length
    const again = [...Array(free)].map(() => listen(`${server.url}/subscribe`, headers))
    for (const stream of again) expect((await stream).status).toBe(200)
    expect(await askBoth(refused)).toEqual([status, status, status, status])
    const [ended] = await Promise.all(again)
    ended?.close()
    await expect.poll(async () => (await listen(`${server.url}/subscribe`, headers)).status).toBe(200)
  })

  it('counts streams that began before it, when a reload sets it', async () => {
    const file = join(newFolder(), 'tidings.yaml')
    writeFileSync(file, 'heartbeat: 10s\n')
    const server = await startWorkers('--config', file)
    const streams = await listenOnBoth(server)
    writeFileSync(file, 'maxConnections: 2\n')
    process.kill(server.pid, 'SIGHUP')
    await expect.poll(() => timesOf(server, 'reloaded')).toBe(1)
    const open = async () => (await ask(`${server.url}/subscribe`, { method: 'HEAD' })).status
    expect(await askBoth(open)).toEqual([503, 503, 503, 503])
    streams[0].close()
    await expect.poll(async () => (await listen(`${server.url}/subscribe`)).status).toBe(200)
    expect(await askBoth(open)).toEqual([503, 503, 503, 503])
  })

  it('forgets a stream whose worker was killed while it waited for its turn', async () => {
    const server = await startWorkers('--connect-rate', '2', '--max-connections', '4')
    // One is refused when the other four count, and three of those wait for their turn.
    const streams = [...Array(5)].map(() => listen(`${server.url}/subscribe`))
    await Promise.any(streams.map(async (stream) => expect((await stream).status).toBe(503)))
    const both = Promise.all([killWorker(server, 1), killWorker(server, 2)])
    await Promise.allSettled(streams)
    await both
    for (let count = 0; count < 4; count++) {
      await expect.poll(async () => (await listen(`${server.url}/subscribe`)).status).toBe(200)
    }
    expect((await ask(`${server.url}/subscribe`, { method: 'HEAD' })).status).toBe(503)
  })
})

describe('a rate', () => {
  it('of publishes holds for both workers', async () => {
    const { url } = await startWorkers('--publish-rate', '5')
    const since = performance.now()
    const answers = await Promise.all([...Array(20)].map(() => post(`${url}/publish`, 'x')))
    const seconds = (performance.now() - since) / 1_000
    const accepted = answers.filter(({ status }) => status === 200).length
    expect(accepted).toBeGreaterThanOrEqual(5)
    // Two rates would accept ten at once.
    expect(accepted).toBeLessThanOrEqual(5 + 5 * seconds)
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 429]))
  })

  it('of new streams holds for both workers', async () => {
    const server = await startWorkers('--connect-rate', '20')
    const since = performance.now()
    await Promise.all([...Array(22)].map(() => listen(`${server.url}/subscribe`)))
    expect(performance.now() - since).toBeGreaterThan(1_000)
    await listenOnBoth(server)
  })
})
