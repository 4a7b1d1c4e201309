// Deduplication beyond the contract: bounds, persistence, several nodes, and a Redis that hangs.
import { open as openLmdb } from 'lmdb'
import { describe, expect, it } from 'vitest'
import { createHub, type DedupOptions, type Entry, MemoryLog } from '../../dist/index.js'
import { keptIn, many, newFolder, openLog, update } from '../support/log/log-folder.ts'
import { describeWith, redis } from '../support/requirements.ts'
import { newPrefix, openShared, redisForTest } from '../support/servers/redis.ts'

const dedup = (keys: readonly string[], ttlMs = 60_000): DedupOptions => ({
  keys: keys.map((key) => ({ key, fingerprint: 'same' })),
  ttlMs
})

describe('MemoryLog', () => {
  it('remembers a million keys, and evicts the oldest first', async () => {
    const log = new MemoryLog({ entries: 10 })
    const size = 10_000
    for (let from = 0; from < 1_000_000; from += size) {
      const keys = Array.from({ length: size }, (_, at) => `k${from + at}`)
      await log.append(many(size), dedup(keys, 3_600_000))
    }
    const offsetOf = async (key: string) => (await log.append([update('x')], dedup([key])))[0]?.offset
    expect(await offsetOf('k0')).toBe(1)
    expect(await offsetOf('new')).toBe(1_000_001)
    expect(await offsetOf('k1')).toBe(2)
    expect(await offsetOf('k999999')).toBe(1_000_000)
    expect(await offsetOf('k0')).toBe(1_000_002)
  })

  it('uses its own clock, also when that is set back', async () => {
    let now = 1_000_000
    const log = new MemoryLog({ now: () => now })
    const append = async () => (await log.append([update('x')], dedup(['k'], 1_000)))[0]?.offset
    expect(await append()).toBe(1)
    now += 999
    expect(await append()).toBe(1)
    now -= 500_000
    expect(await append()).toBe(1)
    now += 500_001
    expect(await append()).toBe(2)
    expect(await append()).toBe(2)
  })
})

describe('LmdbLog', () => {
  it('still recognizes a key after it is reopened', async () => {
    const path = newFolder()
    const before = await openLog({ path })
    const [first] = await before.append([update('a')], dedup(['k']))
    await before.close()
    const after = await openLog({ path })
    expect(await after.append([update('a')], dedup(['k']))).toEqual([{ ...first, repeated: true }])
    const other = after.append([update('b')], { keys: [{ key: 'k', fingerprint: 'other' }], ttlMs: 60_000 })
    await expect(other).rejects.toMatchObject({ code: 'key_reused' })
    expect(await keptIn(after)).toEqual(['a'])
  })

  it('removes only expired keys from disk', async () => {
    const path = newFolder()
    let now = 1_000_000
    const log = await openLog({ path, now: () => now })
    await log.append(
      many(1_000),
      dedup(
        Array.from({ length: 1_000 }, (_, at) => `old${at}`),
        1_000
      )
    )
    now += 500
    await log.append([update('x'), update('y')], dedup(['old1', 'young'], 1_000))
    now += 501
    // A key that is used again has a new expiry, and must not be removed with the old one.
    await log.append([update('z')], dedup(['old7'], 1_000))
    for (let commit = 0; commit < 10; commit++) await log.append([update('more')])
    await log.close()
    const root = openLmdb({ path, maxDbs: 10, noSubdir: false })
    const keysOf = (name: string) => root.openDB({ name, encoding: 'msgpack' }).getCount()
    expect([keysOf('once'), root.openDB({ name: 'once-until', dupSort: true }).getCount()]).toEqual([2, 2])
    await root.close()
    const again = await openLog({ path, now: () => now })
    const offsets = (await again.append(many(2), dedup(['young', 'old7']))).map(({ offset }) => offset)
    expect(offsets).toEqual([1_001, 1_002])
  })
})

describeWith(await redis(), 'RedisLog', (program) => {
  it('recognizes on one node a key that another node appended', async () => {
    const server = await redisForTest(program)
    const prefix = newPrefix()
    const [one, other] = [await openShared(server, { prefix }), await openShared(server, { prefix })]
    const both = await Promise.all([one, other].map((log) => log.append([update('a')], dedup(['k']))))
    expect(both.flat().filter(({ repeated }) => repeated).length).toBe(1)
    expect(await other.append([update('a')], dedup(['k']))).toMatchObject([{ offset: 1, repeated: true }])
    expect(await keptIn(one)).toEqual(['a'])
  })

  it('appends an update once when Redis hangs and the append is retried', async () => {
    const server = await redisForTest(program)
    const log = await openShared(server, { commandTimeout: 1_500 })
    const seen: Entry[] = []
    await log.follow((entries) => void seen.push(...entries))
    await log.append([update('before')])
    server.signal('SIGSTOP')
    const hub = createHub({ log, idempotent: 60_000 })
    const publish = () => hub.publish(update('sent', { id: 'mine' }))
    await expect(publish()).rejects.toMatchObject({ code: 'append_timeout', status: 504 })
    server.signal('SIGCONT')
    await expect.poll(() => log.isReady).toBe(true)
    const { offset } = await publish()
    expect(await publish()).toMatchObject({ id: 'mine', offset, repeated: true })
    await log.append([update('after')])
    expect(await keptIn(log)).toEqual(['before', 'sent', 'after'])
    await expect.poll(() => seen.map(({ update: { data } }) => data)).toEqual(await keptIn(log))
  })

  it('loses keys together with their entries, so that a repetition of a lost update is appended', async () => {
    const server = await redisForTest(program)
    const prefix = newPrefix()
    const log = await openShared(server, { prefix })
    await log.append([update('1'), update('2')], dedup(['one', 'two']))
    // The state of a replica that has not received the last entry.
    await server.ask('HSET', `{${prefix}:log}:meta`, 'head', '1')
    const [again] = await log.append([update('2')], dedup(['two']))
    expect(again).toMatchObject({ offset: 1, epoch: log.epoch })
    expect(again).not.toHaveProperty('repeated')
    await expect.poll(() => server.ask('KEYS', '*:o:one')).toEqual([])
  })

  it('rejects with storage_full when Redis is full, and uses no key', async () => {
    const server = await redisForTest(program)
    const log = await openShared(server)
    await server.ask('CONFIG', 'SET', 'maxmemory', '1')
    await expect(log.append([update('a')], dedup(['k']))).rejects.toMatchObject({ code: 'storage_full' })
    await server.ask('CONFIG', 'SET', 'maxmemory', '0')
    expect((await log.append([update('a')], dedup(['k'])))[0]).not.toHaveProperty('repeated')
    expect(log.head).toBe(1)
  })

  it.each([0, -1, 0.5, 1e30, Infinity])('appends the whole batch with a key TTL of %d ms', async (ms) => {
    const server = await redisForTest(program)
    const log = await openShared(server)
    await log.append([update('a'), update('b')], dedup(['k', 'l'], ms))
    expect(await keptIn(log)).toEqual(['a', 'b'])
  })
})
