import { expect, it, onTestFinished } from 'vitest'
import { type Entry, RedisLog, type TidingsError } from '../../dist/index.js'
import { dataOf, followed, keptIn, many, readAll, update } from '../support/log/log-folder.ts'
import { describeWith, redis } from '../support/requirements.ts'
import { newPrefix, openShared, redisForTest } from '../support/servers/redis.ts'

describeWith(await redis(), 'RedisLog when Redis fails', (program) => {
  const withDisk = () => redisForTest(program, '--appendonly', 'yes', '--appendfsync', 'always')

  it('loses nothing when Redis is killed and restarts from disk', async () => {
    const server = await withDisk()
    const prefix = newPrefix()
    const [one, other] = [await openShared(server, { prefix }), await openShared(server, { prefix })]
    const seen = [await followed(one), await followed(other)]
    const answered: Entry[] = []
    let isOver = false
    const publishing = (async () => {
      for (let number = 1; !isOver; number++) {
        await one.append([update(String(number))]).then(
          (entries) => void answered.push(...entries),
          () => {}
        )
      }
    })()
    for (const goal of [200, 400]) {
      await expect.poll(() => answered.length).toBeGreaterThan(goal)
      await server.kill()
      await server.restart()
    }
    await expect.poll(() => answered.length).toBeGreaterThan(600)
    isOver = true
    await publishing
    const { entries } = await readAll(other)
    await expect.poll(() => seen.map((all) => all.length)).toEqual([entries.length, entries.length])
    expect(seen).toEqual([entries, entries])
    expect(entries.map(({ offset }) => offset)).toEqual(entries.map((_, at) => at + 1))
    expect(entries).toEqual(expect.arrayContaining(answered))
    expect(new Set(dataOf(entries)).size).toBe(entries.length)
    // Only an append in progress when Redis was killed may be stored without a reply.
    expect(entries.length - answered.length).toBeLessThanOrEqual(2)
  })

  it('rejects an append within the timeout when Redis hangs; the log then has it once or not at all', async () => {
    const server = await redisForTest(program)
    const log = await openShared(server, { commandTimeout: 1_500 })
    const seen = await followed(log)
    await log.append([update('before')])
    server.signal('SIGSTOP')
    const began = performance.now()
    const sent = log.append([update('sent')]).catch((error: unknown) => error)
    await new Promise(setImmediate)
    const waited = log.append([update('waited')]).catch((error: unknown) => error)
    expect(await sent).toMatchObject({ code: 'append_timeout', status: 504 })
    expect(await waited).toMatchObject({ code: 'log_unavailable', status: 503 })
    await expect(log.read(0, { admits: () => true }, { entries: 1, bytes: 1 })).rejects.toMatchObject({
      code: 'log_unavailable'
    })
    expect(performance.now() - began).toBeLessThan(4_500)
    server.signal('SIGCONT')
    await expect.poll(() => log.isReady).toBe(true)
    await log.append([update('after')])
    const data = await keptIn(log)
    expect([
      ['before', 'after'],
      ['before', 'sent', 'after']
    ]).toContainEqual(data)
    await expect.poll(() => dataOf(seen)).toEqual(data)
  })

  it('reports log_unavailable within the timeout, and notifies the observer at most once a second', async () => {
    const server = await redisForTest(program)
    const errors: TidingsError[] = []
    const log = await openShared(server, { commandTimeout: 2_000, failed: (error) => void errors.push(error) })
    await followed(log)
    const began = performance.now()
    await server.kill()
    // Until the log detects the disconnect, an append may have been sent; a read detects it.
    await expect(log.newest({ admits: () => true }, 1)).rejects.toMatchObject({ code: 'log_unavailable' })
    await expect(log.append([update('x')])).rejects.toMatchObject({ code: 'log_unavailable' })
    expect(errors.length).toBeLessThanOrEqual(1 + Math.floor((performance.now() - began) / 1_000))
    expect(errors[0]).toMatchObject({ code: 'log_unavailable' })
  })

  it('rejects with storage_full when Redis is full, stores nothing partially, and continues when there is space', async () => {
    const server = await redisForTest(program)
    const log = await openShared(server)
    const used = Number(/used_memory:(\d+)/.exec(String(await server.ask('INFO', 'memory')))?.[1])
    await server.ask('CONFIG', 'SET', 'maxmemory', String(used + 4 * 2 ** 20))
    const batch = many(3).map((one) => ({ ...one, data: one.data.repeat(50_000) }))
    let batches = 0
    const fill = async () => {
      for (;;) {
        await log.append(batch)
        batches++
      }
    }
    await expect(fill()).rejects.toMatchObject({ code: 'storage_full', status: 507 })
    expect(log.head).toBe(3 * batches)
    expect((await keptIn(log)).length).toBe(3 * batches)
    await server.ask('CONFIG', 'SET', 'maxmemory', '0')
    expect((await log.append([update('more')]))[0]?.offset).toBe(3 * batches + 1)
  })

  it('continues after SCRIPT FLUSH', async () => {
    const server = await redisForTest(program)
    const log = await openShared(server)
    await server.ask('SCRIPT', 'FLUSH')
    expect((await log.append([update('1')]))[0]?.offset).toBe(1)
  })

  it.each(['stopped', 'killed'])('closes without delay when Redis is %s', async (how) => {
    const server = await redisForTest(program)
    const log = await openShared(server)
    await followed(log)
    await log.append([update('1')])
    if (how === 'killed') await server.kill()
    else server.signal('SIGSTOP')
    const append = expect(log.append([update('2')])).rejects.toHaveProperty('code')
    const began = performance.now()
    await log.close()
    expect(performance.now() - began).toBeLessThan(4_000)
    await append
  })

  it('states why it cannot open, and never prints the password', async () => {
    const server = await redisForTest(program, '--requirepass', 'sesame-1')
    const address = (password: string) => server.url.replace('redis://', `redis://:${password}@`)
    const open = (url: string) => RedisLog.open({ url, prefix: newPrefix() })
    const log = await open(`${address('sesame-1')}/2`)
    onTestFinished(() => log.close())
    expect((await log.append([update('1')]))[0]?.offset).toBe(1)
    for (const url of [address('wrong-2'), `${address('wrong-2')}/x`, 'http://:wrong-2@localhost', 'wrong-2']) {
      const error = (await open(url).catch((reason: unknown) => reason)) as Error
      expect(error).toBeInstanceOf(Error)
      expect(`${error.message}${error.stack}${JSON.stringify(error)}${String(error.cause)}`).not.toContain('wrong-2')
    }
  })

  it('does not retry with a wrong password', async () => {
    const server = await redisForTest(program, '--requirepass', 'sesame-1')
    const address = server.url.replace('redis://', 'redis://:wrong-2@')
    for (const [url, why] of [
      [address, 'WRONGPASS'],
      [server.url, 'NOAUTH'],
      [`${server.url.replace('redis://', 'redis://:sesame-1@')}/99`, 'DB index']
    ] as const) {
      const opened = RedisLog.open({ url, prefix: newPrefix(), commandTimeout: 60_000 })
      await expect(opened).rejects.toMatchObject({
        code: 'log_unavailable',
        message: expect.stringMatching(new RegExp(`${why}.*[^.]\\.$`))
      })
    }
  })
})
