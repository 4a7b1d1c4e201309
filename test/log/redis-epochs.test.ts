// When the log in Redis begins anew: because Redis comes back with nothing, with less, or with something else than it had.
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { dataOf, followed, keptIn, many, update } from '../support/log-folder.ts'
import { newPrefix, openShared, redisForTest } from '../support/redis.ts'
import { describeWith, redis } from '../support/requirements.ts'

const patient = { timeout: 10_000 }

describeWith(await redis(), 'RedisLog, when Redis has lost something', (program) => {
  it('begins another epoch when Redis comes back with nothing, and followers go on in it', async () => {
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
    await expect.poll(() => dataOf(seen), patient).toEqual(['before', 'after'])
    expect([other.epoch, other.head, other.first]).toEqual([one.epoch, 1, 1])
    expect(await other.locate(before?.id ?? '')).toBeUndefined()
  })

  it('begins another epoch when Redis is emptied under its eyes', async () => {
    const server = await redisForTest(program)
    const log = await openShared(server)
    const seen = await followed(log)
    const [before] = await log.append(many(3))
    await server.ask('FLUSHALL')
    await log.append([update('after')])
    await expect.poll(() => dataOf(seen), patient).toEqual(['1', '2', '3', 'after'])
    expect([log.head, seen[3]?.offset]).toEqual([1, 1])
    expect(seen[3]?.epoch).not.toBe(before?.epoch)
  })

  it('gives no offset again when Redis lost its newest entries, and clears away what is left', async () => {
    const server = await redisForTest(program)
    const prefix = newPrefix()
    const log = await openShared(server, { prefix, retention: [{ match: '*', entries: 100 }] })
    const [before] = await log.append(many(5))
    // As a replica would have it that had not heard of the last two.
    await server.ask('HSET', `{${prefix}:log}:meta`, 'head', '3')
    const [after] = await log.append([update('after')])
    expect(after?.epoch).not.toBe(before?.epoch)
    expect(await keptIn(log)).toEqual(['after'])
    await expect.poll(() => server.ask('KEYS', `*${before?.epoch}*`)).toEqual([])
  })

  it('begins another epoch when Redis comes back with other entries in the place of those that were delivered', async () => {
    const server = await redisForTest(program)
    const prefix = newPrefix()
    const [one, other] = [await openShared(server, { prefix }), await openShared(server, { prefix })]
    const seen = await followed(one)
    const [before] = await other.append(many(3))
    await expect.poll(() => seen.length).toBe(3)
    // As a replica would have it that took over without the third, and was given another by a node that did not know it.
    const stream = `{${prefix}:log}:${before?.epoch}:entries`
    const [[, fields]] = (await server.ask('XRANGE', stream, '2-0', '2-0')) as [[string, string[]]]
    await server.ask('DEL', stream)
    await server.ask('XADD', stream, '3-0', ...fields)
    await server.ask('CLIENT', 'KILL', 'TYPE', 'normal')
    await expect.poll(() => one.epoch, patient).not.toBe(before?.epoch)
    await one.append([update('after')])
    await expect.poll(() => dataOf(seen), patient).toEqual(['1', '2', '3', 'after'])
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
    // Some of them wait for the connection that is to find out.
    for (let number = 0; number < 100; number++) {
      const data = `after-${number}`
      log.append([update(data)]).then(
        () => acknowledged.push(data),
        () => {}
      )
      await sleep(2)
    }
    await expect.poll(() => log.epoch, patient).not.toBe(before?.epoch)
    await log.append([update('last')])
    expect(acknowledged.length).toBeGreaterThan(0)
    expect(await keptIn(log)).toEqual([...acknowledged, 'last'])
  })

  it('stays in its epoch when only the connection was lost', async () => {
    const server = await redisForTest(program)
    const log = await openShared(server)
    const seen = await followed(log)
    const odd = { topics: ['ü', 'b'], type: 'x', id: 'mine', retry: 5, private: true }
    const [before] = await log.append([...many(3), update('data\n\u{1f4e3}', odd)])
    await expect.poll(() => seen.length).toBe(4)
    for (const after of ['a', 'b']) {
      await server.ask('CLIENT', 'KILL', 'TYPE', 'normal')
      await expect
        .poll(
          () =>
            log.append([update(after)]).then(
              () => true,
              () => false
            ),
          patient
        )
        .toBe(true)
    }
    await expect.poll(() => seen.at(-1)?.update.data, patient).toBe('b')
    expect([log.epoch, log.head]).toEqual([before?.epoch, 6])
  })
})
