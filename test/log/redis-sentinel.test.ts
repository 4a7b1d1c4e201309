// The log in a Redis with Sentinel: the master is killed, and a replica is promoted.
import { expect, it } from 'vitest'
import type { RedisLog } from '../../dist/index.js'
import { dataOf, followed, many, readAll, update } from '../support/log/log-folder.ts'
import { Publishers } from '../support/log/log-publishers.ts'
import { describeWith, redis } from '../support/requirements.ts'
import { newPrefix, openShared } from '../support/servers/redis.ts'
import { type SentinelSetup, startSentinelSetup } from '../support/servers/redis-topologies.ts'

describeWith(await redis(), 'RedisLog with Sentinel', (program) => {
  const openTwo = async ({ url }: SentinelSetup) => {
    const prefix = newPrefix()
    return [await openShared({ url }, { prefix }), await openShared({ url }, { prefix })] as [RedisLog, RedisLog]
  }

  it('continues in the same epoch when an up-to-date replica is promoted', async () => {
    const watched = await startSentinelSetup(program)
    const [one, other] = await openTwo(watched)
    const seen = await followed(other)
    const [before] = await one.append(many(3))
    await caughtUp(watched)
    await watched.master.kill()
    await expect.poll(() => one.append([update('after')]).then(dataOf, () => [])).toEqual(['after'])
    expect([one.epoch, one.head]).toEqual([before?.epoch, 4])
    await expect.poll(() => dataOf(seen)).toEqual(['1', '2', '3', 'after'])
  })

  it('starts a new epoch when the promoted replica lacks acknowledged entries', async () => {
    const watched = await startSentinelSetup(program)
    const [one, other] = await openTwo(watched)
    const seen = await followed(other)
    const [before] = await one.append(many(3))
    await caughtUp(watched)
    await watched.replica.ask('REPLICAOF', '127.0.0.1', '1')
    await one.append([update('lost')])
    await expect.poll(() => seen).toHaveLength(4)
    await watched.master.kill()
    await expect.poll(() => one.append([update('after')]).then(dataOf, () => [])).toEqual(['after'])
    expect(one.epoch).not.toBe(before?.epoch)
    await expect.poll(() => dataOf(seen)).toEqual(['1', '2', '3', 'lost', 'after'])
    expect(dataOf((await readAll(other)).entries)).toEqual(['after'])
    expect(other.epoch).toBe(one.epoch)
  })

  it('keeps one history, or starts a new epoch, when the master is killed while two nodes publish', async () => {
    const watched = await startSentinelSetup(program)
    const logs = await openTwo(watched)
    const publishers = await Publishers.begin(logs)
    await publishers.more()
    await watched.master.kill()
    await publishers.more()
    await publishers.finish()
    expect(publishers.epochs.length).toBeLessThanOrEqual(2)
    console.log(`fail-over under fire: ${publishers.epochs.length === 1 ? 'the same epoch' : 'another epoch'}`)
    await publishers.expectOneHistory()
    expect(logs[1].epoch).toBe(logs[0].epoch)
  })
})

async function caughtUp({ master, replica }: SentinelSetup): Promise<void> {
  const offset = async () => /master_repl_offset:(\d+)/.exec(String(await master.ask('INFO', 'replication')))?.[1]
  const behind = async () => /slave_repl_offset:(\d+)/.exec(String(await replica.ask('INFO', 'replication')))?.[1]
  await expect.poll(async () => (await offset()) === (await behind())).toBe(true)
}
