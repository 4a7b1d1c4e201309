// Retention in Redis has two steps: an entry is hidden from readers at once, and deleted after every follower has read it.
import { expect, it, onTestFinished, vi } from 'vitest'
import { dataOf, everything, followed, many, readAll, update } from '../support/log/log-folder.ts'
import { describeWith, redis } from '../support/requirements.ts'
import { newPrefix, openShared, redisForTest } from '../support/servers/redis.ts'

const lastOne = [{ match: '*', last: 1 }]
const day = 86_400_000

describeWith(await redis(), 'retention in RedisLog', (program) => {
  it('delivers entries superseded within their batch to followers on every node, with two calls per batch', async () => {
    const server = await redisForTest(program)
    const prefix = newPrefix()
    const one = await openShared(server, { prefix, retention: lastOne })
    const other = await openShared(server, { prefix, retention: lastOne })
    const seen = [await followed(one), await followed(other)]
    await server.ask('CONFIG', 'RESETSTAT')
    for (let batch = 0; batch < 200; batch++) await one.append(many(2))
    await expect.poll(() => seen.map(({ length }) => length)).toEqual([400, 400])
    expect(seen[1]?.map(({ offset }) => offset)).toEqual(Array.from({ length: 400 }, (_, at) => at + 1))
    const stats = String(await server.ask('INFO', 'commandstats'))
    // One append per batch, and at most two reads per follower.
    expect(Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1])).toBeLessThan(1_100)
    expect(dataOf((await readAll(other)).entries)).toEqual(['2'])
  })

  it('deletes removed entries after all followers have read them', async () => {
    const server = await redisForTest(program)
    const prefix = newPrefix()
    const log = await openShared(server, { prefix, retention: lastOne })
    await followed(log)
    await log.append(many(1_000))
    const stored = () => server.ask('XLEN', `{${prefix}:log}:${log.epoch}:entries`)
    await expect.poll(stored).toBe(1)
    expect(await server.ask('EXISTS', `{${prefix}:log}:${log.epoch}:removed`)).toBe(0)
  })

  it('waits for a follower that is behind, but not for one that is silent for ten seconds', async () => {
    const server = await redisForTest(program)
    const prefix = newPrefix()
    const log = await openShared(server, { prefix, retention: lastOne })
    await followed(log)
    const [{ epoch }] = [log]
    const followers = `{${prefix}:log}:${epoch}:followers`
    const [seconds] = (await server.ask('TIME')) as [string]
    await server.ask('HSET', followers, 'behind', `5 ${Number(seconds) * 1_000}`)
    await log.append(many(100))
    const stored = () => server.ask('XLEN', `{${prefix}:log}:${epoch}:entries`)
    await expect.poll(stored).toBe(95)
    await expect.poll(stored).toBe(1)
    expect(await server.ask('HEXISTS', followers, 'behind')).toBe(0)
  })

  it('does not wait for a follower that was closed', async () => {
    const server = await redisForTest(program)
    const prefix = newPrefix()
    const [log, other] = [await openShared(server, { prefix }), await openShared(server, { prefix })]
    await followed(log)
    await followed(other)
    const count = () => server.ask('HLEN', `{${prefix}:log}:${other.epoch}:followers`)
    await expect.poll(count).toBe(2)
    await log.close()
    expect(await count()).toBe(1)
  })

  it('uses the clock of Redis: a node whose clock is eight days ahead removes nothing and sets no future time', async () => {
    const server = await redisForTest(program)
    const prefix = newPrefix()
    const retention = [{ match: '*', age: '7d' }]
    const log = await openShared(server, { prefix, retention })
    await log.append(many(20))
    const real = Date.now()
    vi.useFakeTimers({ toFake: ['Date'], now: real + 8 * day })
    onTestFinished(() => void vi.useRealTimers())
    const ahead = await openShared(server, { prefix, retention })
    const [entry] = await ahead.append([update('21')])
    expect(Math.abs((entry?.time ?? 0) - real)).toBeLessThan(day)
    expect((await readAll(log)).entries).toHaveLength(21)
    expect((await log.read(0, everything, { entries: 1, bytes: 1 })).lost).toBe(false)
  })
})
