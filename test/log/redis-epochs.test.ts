// The log in Redis starts a new epoch when Redis restarts without data, with older data, or with different data.
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { dataOf, followed, keptIn, many, only, update } from '../support/log/log-folder.ts'
import { describeWith, redis } from '../support/requirements.ts'
import { newPrefix, openShared, redisForTest } from '../support/servers/redis.ts'

const joined = (name: string) => {
  const announcement = update('came', { topics: [`who/${name}`], private: true })
  return { update: announcement, member: { topic: `who/${name}`, node: 'n', record: '', end: announcement } }
}

describeWith(await redis(), 'RedisLog when Redis has lost data', (program) => {
  it('starts a new epoch when Redis restarts empty, and followers continue in it', async () => {
    const server = await redisForTest(program)
    const prefix = newPrefix()
    const [one, other] = [await openShared(server, { prefix }), await openShared(server, { prefix })]
    const seen = await followed(other)
    const [before] = await one.append([update('before')])
    await expect.poll(() => dataOf(seen)).toEqual(['before'])
    await server.kill()
    await server.restart()
    const [after] = await one.append([update('after')])
    expect(after).toMatchObject({ offset: 1, epoch: one.epoch })
    expect(one.epoch).not.toBe(before?.epoch)
    await expect.poll(() => dataOf(seen)).toEqual(['before', 'after'])
    expect([other.epoch, other.head, other.first]).toEqual([one.epoch, 1, 1])
    expect(await other.locate(before?.id ?? '')).toBeUndefined()
  })

  it('starts a new epoch when Redis is flushed during use', async () => {
    const server = await redisForTest(program)
    const log = await openShared(server)
    const seen = await followed(log)
    const [before] = await log.append(many(3))
    await expect.poll(() => seen.length).toBe(3)
    await server.ask('FLUSHALL')
    await log.append([update('after')])
    await expect.poll(() => dataOf(seen)).toEqual(['1', '2', '3', 'after'])
    expect([log.head, seen[3]?.offset]).toEqual([1, 1])
    expect(seen[3]?.epoch).not.toBe(before?.epoch)
  })

  it('reuses no offset when Redis lost its newest entries, and deletes the remaining ones', async () => {
    const server = await redisForTest(program)
    const prefix = newPrefix()
    const log = await openShared(server, { prefix, retention: [{ match: '*', entries: 100 }] })
    const [before] = await log.append(many(5))
    // The state of a replica that has not received the last two entries.
    await server.ask('HSET', `{${prefix}:log}:meta`, 'head', '3')
    const [after] = await log.append([update('after')])
    expect(after?.epoch).not.toBe(before?.epoch)
    expect(await keptIn(log)).toEqual(['after'])
    await expect.poll(() => server.ask('KEYS', `*${before?.epoch}*`)).toEqual([])
  })

  it('starts a new epoch when Redis has different entries at offsets that were already delivered', async () => {
    const server = await redisForTest(program)
    const prefix = newPrefix()
    const [one, other] = [await openShared(server, { prefix }), await openShared(server, { prefix })]
    const seen = await followed(one)
    const [before] = await other.append(many(3))
    await expect.poll(() => seen.length).toBe(3)
    // The state of a promoted replica that lacks the third entry, and received another one from a node that did not know it.
    const stream = `{${prefix}:log}:${before?.epoch}:entries`
    const [[, fields]] = (await server.ask('XRANGE', stream, '2-0', '2-0')) as [[string, string[]]]
    await server.ask('DEL', stream)
    await server.ask('XADD', stream, '3-0', ...fields)
    await server.ask('CLIENT', 'KILL', 'TYPE', 'normal')
    await expect.poll(() => one.epoch).not.toBe(before?.epoch)
    await one.append([update('after')])
    await expect.poll(() => dataOf(seen)).toEqual(['1', '2', '3', 'after'])
    expect(await keptIn(other)).toEqual(['after'])
  })

  it('acknowledges nothing in an epoch that it is about to leave', async () => {
    const server = await redisForTest(program)
    const log = await openShared(server)
    const seen = await followed(log)
    const [before] = await log.append(many(3))
    await expect.poll(() => seen.length).toBe(3)
    const stream = (await server.ask('KEYS', '*:entries')) as string[]
    const [[, fields]] = (await server.ask('XRANGE', stream[0] as string, '2-0', '2-0')) as [[string, string[]]]
    await server.ask('DEL', stream[0] as string)
    await server.ask('XADD', stream[0] as string, '3-0', ...fields)
    const acknowledged: string[] = []
    await server.ask('CLIENT', 'KILL', 'TYPE', 'normal')
    // Some of them wait for the connection that will detect the change.
    for (let number = 0; number < 100; number++) {
      const data = `after-${number}`
      log.append([update(data)]).then(
        () => acknowledged.push(data),
        () => {}
      )
      await sleep(2)
    }
    await expect.poll(() => log.epoch).not.toBe(before?.epoch)
    await log.append([update('last')])
    expect(acknowledged.length).toBeGreaterThan(0)
    expect(await keptIn(log)).toEqual([...acknowledged, 'last'])
  })

  it('starts a new epoch when Redis evicted any of its keys, and never reads around the missing data', async () => {
    const server = await redisForTest(program)
    for (const key of ['entries', 'topics', 'ids', 'rules', 'removed', 'traces', 'marks', 'roster', 'meta']) {
      const prefix = newPrefix()
      const retention = [
        { match: 'k', last: 1 },
        { match: 't', entries: 5 }
      ]
      const log = await openShared(server, { prefix, retention })
      await log.roster.announce([joined('ann')])
      // A follower that has not read yet prevents the deletion of removed entries.
      const [seconds] = (await server.ask('TIME')) as [string]
      await server.ask('HSET', `{${prefix}:log}:${log.epoch}:followers`, 'behind', `0 ${seconds}000`)
      await log.append([...many(10, { id: 'i' }), ...many(2, { topics: ['k'] }), update('kept')])
      const { epoch } = log
      const evicted = key === 'meta' ? 'meta' : `${epoch}:${key}`
      expect([key, await server.ask('DEL', `{${prefix}:log}:${evicted}`)]).toEqual([key, 1])
      const read = await log.read(0, only('t'), { entries: 100, bytes: 2 ** 20 })
      expect([key, read.entries, read.epoch === epoch]).toEqual([key, [], false])
      expect((await log.append([update('after')]))[0]).toMatchObject({ offset: 1, epoch: log.epoch })
    }
  })

  it('warns about a maxmemory policy that evicts keys', async () => {
    const server = await redisForTest(program)
    const advice: string[] = []
    const open = () => openShared(server, { warn: (message) => void advice.push(message) })
    await open()
    await server.ask('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru')
    await open()
    await server.ask('CONFIG', 'SET', 'maxmemory-policy', 'volatile-ttl')
    await open()
    expect(advice).toEqual([
      expect.stringMatching(/allkeys-lru.*history.*noeviction/),
      expect.stringMatching(/volatile-ttl.*idempotency keys.*noeviction/)
    ])
  })

  it('starts a new epoch after a script failed half-way, and accepts appends again', async () => {
    const server = await redisForTest(program)
    const prefix = newPrefix()
    const log = await openShared(server, { prefix })
    await log.append(many(3))
    const { epoch } = log
    // A key of another type makes the script fail after it has written an entry.
    const ids = `{${prefix}:log}:${epoch}:ids`
    await server.ask('SET', ids, 'of another type')
    await server.ask('HINCRBY', `{${prefix}:log}:meta`, 'keys', '1')
    await expect(log.append([update('4', { id: 'x' })])).rejects.toMatchObject({ code: 'append_timeout' })
    await server.ask('DEL', ids)
    expect((await log.append([update('after')]))[0]).toMatchObject({ offset: 1 })
    expect(log.epoch).not.toBe(epoch)
    expect(await keptIn(log)).toEqual(['after'])
  })

  it('rejects a log with a newer format, and the error states the action', async () => {
    const server = await redisForTest(program)
    const prefix = newPrefix()
    await openShared(server, { prefix })
    await server.ask('HSET', `{${prefix}:log}:meta`, 'format', '99')
    await expect(openShared(server, { prefix })).rejects.toThrow(/format 99.*newer.*upgrade/)
  })

  it('keeps its epoch when only the connection was lost', async () => {
    const server = await redisForTest(program)
    const log = await openShared(server)
    const seen = await followed(log)
    const odd = { topics: ['ü', 'b'], type: 'x', id: 'mine', retry: 5, private: true }
    const [before] = await log.append([...many(3), update('data\n\u{1f4e3}', odd)])
    await expect.poll(() => seen.length).toBe(4)
    for (const after of ['a', 'b']) {
      await server.ask('CLIENT', 'KILL', 'TYPE', 'normal')
      await expect
        .poll(() =>
          log.append([update(after)]).then(
            () => true,
            () => false
          )
        )
        .toBe(true)
    }
    await expect.poll(() => seen.at(-1)?.update.data).toBe('b')
    expect([log.epoch, log.head]).toEqual([before?.epoch, 6])
  })
})
