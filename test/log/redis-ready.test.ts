// The readiness of the log in Redis: while Redis is slow, hangs or is down, and after it recovers.
import { expect, it, onTestFinished } from 'vitest'
import { createHub } from '../../dist/index.js'
import { keptIn, update } from '../support/log/log-folder.ts'
import { describeWith, redis } from '../support/requirements.ts'
import { openShared, redisForTest } from '../support/servers/redis.ts'

describeWith(await redis(), 'RedisLog.isReady', (program) => {
  it('rejects an append within the timeout when Redis is slow, and continues afterwards', async () => {
    const server = await redisForTest(program)
    const log = await openShared(server, { commandTimeout: 1_500 })
    await server.ask('CLIENT', 'PAUSE', '3000', 'ALL')
    const [sent, behind] = [log.append([update('sent')]), Promise.resolve().then(() => log.append([update('behind')]))]
    await expect(sent).rejects.toMatchObject({ code: 'append_timeout', status: 504 })
    await behind.catch(() => {})
    await expect.poll(() => log.isReady).toBe(false)
    await expect.poll(() => log.isReady).toBe(true)
    await log.append([update('after')])
    const data = await keptIn(log)
    expect(data.at(-1)).toBe('after')
    expect(new Set(data).size).toBe(data.length)
  })

  it('detects within the command timeout that an idle Redis hangs, and detects that it recovered', async () => {
    const server = await redisForTest(program)
    const log = await openShared(server, { commandTimeout: 1_500 })
    await log.follow(() => {})
    expect(log.isReady).toBe(true)
    server.signal('SIGSTOP')
    await expect.poll(() => log.isReady).toBe(false)
    server.signal('SIGCONT')
    await expect.poll(() => log.isReady).toBe(true)
    await server.kill()
    await expect.poll(() => log.isReady).toBe(false)
    await server.restart()
    await expect.poll(() => log.isReady).toBe(true)
    await log.close()
    expect(log.isReady).toBe(false)
  })

  it('follows as soon as Redis is back, when Redis was down when following began', async () => {
    const server = await redisForTest(program, '--appendonly', 'yes', '--appendfsync', 'always')
    const log = await openShared(server, { commandTimeout: 3_000 })
    const hub = createHub({ log })
    onTestFinished(() => hub.close())
    await server.kill()
    await expect(hub.publish({ topics: ['t'], data: 'lost' })).rejects.toMatchObject({ status: 503 })
    await server.restart()
    const publish = () =>
      hub.publish({ topics: ['t'], data: 'kept' }).then(
        () => 'published',
        (error: Error) => error.message
      )
    await expect.poll(publish).toBe('published')
    await expect.poll(() => hub.status.head).toBeGreaterThan(0)
  })
})
