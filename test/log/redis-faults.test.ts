// What goes wrong with Redis, for real: it is killed, stopped, emptied, full, or loses its newest entries.
import { expect, it, onTestFinished } from 'vitest'
import { type Entry, RedisLog, type TidingsError } from '../../dist/index.js'
import { dataOf, keptIn, many, readAll, update } from '../support/log-folder.ts'
import { newPrefix, openShared, redisForTest } from '../support/redis.ts'
import { describeWith, redis } from '../support/requirements.ts'

async function followed(log: RedisLog): Promise<Entry[]> {
  const seen: Entry[] = []
  await log.follow((entries) => void seen.push(...entries))
  return seen
}

const patient = { timeout: 10_000 }

describeWith(await redis(), 'RedisLog, when something goes wrong', (program) => {
  const withDisk = () => redisForTest(program, '--appendonly', 'yes', '--appendfsync', 'always')

  it('misses nothing when Redis is killed and comes back with what it has on disk', async () => {
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
      await expect.poll(() => answered.length, patient).toBeGreaterThan(goal)
      await server.kill()
      await server.restart()
    }
    await expect.poll(() => answered.length, patient).toBeGreaterThan(600)
    isOver = true
    await publishing
    const { entries } = await readAll(other)
    await expect.poll(() => seen.map((all) => all.length), patient).toEqual([entries.length, entries.length])
    expect(seen).toEqual([entries, entries])
    expect(entries.map(({ offset }) => offset)).toEqual(entries.map((_, at) => at + 1))
    expect(entries).toEqual(expect.arrayContaining(answered))
    expect(new Set(dataOf(entries)).size).toBe(entries.length)
    // Only an append that was under way when Redis was killed may be in it without an answer.
    expect(entries.length - answered.length).toBeLessThanOrEqual(2)
  }, 30_000)

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

  it('fails an append in time when Redis hangs; then it is in the log once or not at all', async () => {
    const server = await redisForTest(program)
    const log = await openShared(server, { commandTimeout: 700 })
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
    expect(performance.now() - began).toBeLessThan(2_000)
    server.signal('SIGCONT')
    await log.append([update('after')])
    const data = await keptIn(log)
    expect([
      ['before', 'after'],
      ['before', 'sent', 'after']
    ]).toContainEqual(data)
    await expect.poll(() => dataOf(seen), patient).toEqual(data)
  })

  it('says that it cannot be reached, in time, and tells who watches at most once a second', async () => {
    const server = await redisForTest(program)
    const told: TidingsError[] = []
    const log = await openShared(server, { commandTimeout: 1_200, failed: (error) => void told.push(error) })
    await followed(log)
    await server.kill()
    // Until the connection is found to be gone, an append may still have been sent; a read finds out.
    await expect(log.newest({ admits: () => true }, 1)).rejects.toMatchObject({ code: 'log_unavailable' })
    await expect(log.append([update('x')])).rejects.toMatchObject({ code: 'log_unavailable' })
    expect(told.length).toBeLessThanOrEqual(4)
    expect(told[0]).toMatchObject({ code: 'log_unavailable' })
  })

  it('is full when Redis is: nothing half-written, and goes on when there is room', async () => {
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

  it('goes on when Redis has forgotten its scripts', async () => {
    const server = await redisForTest(program)
    const log = await openShared(server)
    await server.ask('SCRIPT', 'FLUSH')
    expect((await log.append([update('1')]))[0]?.offset).toBe(1)
  })

  it.each(['stopped', 'killed'])('lets go at once when Redis is %s', async (how) => {
    const server = await redisForTest(program)
    const log = await openShared(server)
    await followed(log)
    await log.append([update('1')])
    if (how === 'killed') await server.kill()
    else server.signal('SIGSTOP')
    const append = expect(log.append([update('2')])).rejects.toHaveProperty('code')
    const began = performance.now()
    await log.close()
    expect(performance.now() - began).toBeLessThan(1_000)
    await append
  })

  it('says why it cannot be opened, and never the password', async () => {
    const server = await redisForTest(program, '--requirepass', 'sesame-1')
    const address = (password: string) => server.url.replace('redis://', `redis://:${password}@`)
    const open = (url: string) => RedisLog.open({ url, prefix: newPrefix(), commandTimeout: 300 })
    const log = await open(`${address('sesame-1')}/2`)
    onTestFinished(() => log.close())
    expect((await log.append([update('1')]))[0]?.offset).toBe(1)
    for (const url of [address('wrong-2'), `${address('wrong-2')}/x`, 'http://:wrong-2@localhost', 'wrong-2']) {
      const error = (await open(url).catch((reason: unknown) => reason)) as Error
      expect(error).toBeInstanceOf(Error)
      expect(`${error.message}${error.stack}${JSON.stringify(error)}${String(error.cause)}`).not.toContain('wrong-2')
    }
  })

  it('does not wait for a password to become right', async () => {
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
