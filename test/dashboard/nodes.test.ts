// The dashboard of several nodes: worker processes, and servers on one Redis. Every node answers for all of them.
import { expect, it, onTestFinished, describe as suite } from 'vitest'
import { describe, endedOf, read, rowOf, samplesOf, watchOverview } from '../support/dashboard/dashboard.ts'
import { ask, post } from '../support/http/http.ts'
import { listen } from '../support/http/sse-client.ts'
import { describeWith, redis } from '../support/requirements.ts'
import { startInProcess } from '../support/servers/in-process.ts'
import { redisForTest } from '../support/servers/redis.ts'
import { type ServerProcess, startServer } from '../support/servers/server.ts'
import { askBoth, listenOnBoth, startWorkers } from '../support/servers/workers.ts'

suite('two worker processes', () => {
  it('are one table, one overview and one flight recorder', async () => {
    const server = await startWorkers()
    const { url } = server
    const [one, two] = await listenOnBoth(server, '/subscribe?topic=both')
    await post(`${url}/publish?topic=both`, 'x')
    await Promise.all([one.received(1), two.received(1)])
    const lists = await askBoth(() => read(url, 'streams', '?sort=address&order=asc'))
    for (const { total, rows, missing } of lists) {
      expect({ total, missing }).toEqual({ total: 2, missing: [] })
      expect(rows.map(({ id }) => id)).toEqual(lists[0]?.rows.map(({ id }) => id))
      expect(new Set(rows.map(({ node }) => node)).size).toBe(2)
    }
    const firstPage = await read(url, 'streams', '?sort=address&order=asc&limit=1')
    const secondPage = await read(url, 'streams', '?sort=address&order=asc&limit=1&offset=1')
    expect([...firstPage.rows, ...secondPage.rows].map(({ id }) => id)).toEqual(lists[0]?.rows.map(({ id }) => id))
    for (const { nodes, total } of await askBoth(() => read(url, 'overview'))) {
      expect(nodes.map(({ name }) => name).sort()).toEqual(['worker 1', 'worker 2'])
      expect(total).toMatchObject({ subscribers: 2, live: 2 })
    }
    for (const { receivers } of await askBoth(() => read(url, 'inspect', '?topic=both'))) {
      expect(receivers).toMatchObject({ streams: 2, audiences: 2 })
    }
    const { checks } = await read(url, 'health')
    expect(checks.filter(({ name, state }) => name === 'log' && state === 'ok')).toHaveLength(2)
    await closeThroughEach(server)
  })

  it('are one stream of samples, which also has the streams that ended on each', async () => {
    const server = await startWorkers()
    const watcher = await watchOverview(server.url)
    await watcher.until((client) => samplesOf(client).length >= 1)
    const streams = await listenOnBoth(server, '/subscribe?topic=both')
    for (const stream of streams) stream.close()
    const ended = () => endedOf(watcher).filter(({ topics }) => topics.includes('both'))
    await watcher.until(() => new Set(ended().map(({ node }) => node)).size === 2)
    expect(samplesOf(watcher).at(-1)?.nodes).toHaveLength(2)
  })
})

/** Every stream can be closed through any worker. */
async function closeThroughEach({ url }: Pick<ServerProcess, 'url'>): Promise<void> {
  for (const { id } of (await read(url, 'streams')).rows) {
    expect((await ask(`${url}/dashboard/api/streams/${id}`, { method: 'DELETE' })).status).toBe(204)
    for (const { stream } of await askBoth(() => describe(url, id))) expect(stream.closed?.reason).toBe('operator')
  }
  expect((await read(url, 'closed')).rows.filter(({ topics }) => topics.includes('both'))).toHaveLength(2)
}

describeWith(await redis(), 'two servers on one Redis', (program) => {
  let address = ''
  const start = async () => {
    const server = await startInProcess({ args: ['--store', address, '--log-level', 'error'] })
    onTestFinished(() => server.stop())
    return server.url
  }

  it('are one table, and each answers for both', async () => {
    address = (await redisForTest(program)).url
    const urls = [await start(), await start()]
    for (let number = 0; number < 6; number++) {
      const stream = await listen(`${urls[number % 2]}/subscribe?topic=t${number}`)
      await post(`${urls[0]}/publish?topic=t${number}`, 'x')
      await stream.received(1)
    }
    for (const url of urls) {
      const { total, matched, rows } = await read(url, 'streams', '?sort=topics&order=asc&limit=2&offset=3')
      expect({ total, matched, topics: rows.flatMap(({ topics }) => topics) }).toEqual({
        total: 6,
        matched: 6,
        topics: ['t3', 't4']
      })
      expect((await read(url, 'streams', '?filter=t5')).rows.map(({ topics }) => topics)).toContainEqual(['t5'])
      expect((await read(url, 'overview')).total.subscribers).toBe(6)
    }
    const { id } = await rowOf(urls[0] as string, 't1')
    expect((await ask(`${urls[0]}/dashboard/api/streams/${id}`, { method: 'DELETE' })).status).toBe(204)
    expect((await describe(urls[0] as string, id)).stream.closed?.reason).toBe('operator')
    const { checks } = await read(urls[1] as string, 'health')
    expect(checks.filter(({ name, state }) => name === 'redis' && state === 'ok')).toHaveLength(2)
  })

  it('leaves out a server that has ended', async () => {
    const redis = await redisForTest(program)
    address = redis.url
    const [one, two] = [await start(), await startInProcess({ args: ['--store', address, '--log-level', 'error'] })]
    await expect.poll(async () => (await read(one, 'overview')).nodes.length).toBe(2)
    await two.stop()
    expect(await read(one, 'streams')).toMatchObject({ total: 0, missing: [] })
    expect((await read(one, 'overview')).nodes).toHaveLength(1)
  })

  it('names a server that does not answer in time, and answers about the others', async () => {
    address = (await redisForTest(program)).url
    const one = await start()
    const two = await startServer({ args: ['--store', address, '--log-level', 'error'] })
    onTestFinished(() => two.kill('SIGKILL'))
    await listen(`${one}/subscribe?topic=a`)
    await expect.poll(async () => (await read(one, 'overview')).nodes.length).toBe(2)
    const name = (await read(one, 'overview')).nodes.find(({ name }) => name.endsWith(`:${two.port}`))?.name
    process.kill(two.pid, 'SIGSTOP')
    expect(await read(one, 'streams')).toMatchObject({ total: 1, missing: [name] })
    process.kill(two.pid, 'SIGCONT')
    await expect.poll(async () => (await read(one, 'streams')).missing).toEqual([])
  })

  it('answers about itself while Redis is away, and says so', async () => {
    const redis = await redisForTest(program)
    address = redis.url
    const url = await start()
    await listen(`${url}/subscribe?topic=a`)
    await redis.kill()
    await expect.poll(async () => (await ask(`${url}/readyz`)).status).toBe(503)
    expect((await read(url, 'streams')).total).toBe(1)
    const { checks } = await read(url, 'health')
    expect(checks.find(({ name }) => name === 'redis')).toMatchObject({ state: 'failing' })
  })
})
