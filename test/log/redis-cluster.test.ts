// The log in a Redis cluster: the contract on any node, resharding and failover while it is in use.
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { testBusContract } from '../support/log/bus-contract.ts'
import { testLogContract } from '../support/log/log-contract.ts'
import { keptIn, update } from '../support/log/log-folder.ts'
import { Publishers } from '../support/log/log-publishers.ts'
import { describeWith, redis } from '../support/requirements.ts'
import { newPrefix, openKept, openShared, type RedisServer } from '../support/servers/redis.ts'
import { type Cluster, infoOf, meet, moveSlot, startCluster, startNode } from '../support/servers/redis-topologies.ts'

describeWith(await redis(), 'RedisLog in a cluster', (program) => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await startCluster(program)
  })
  afterAll(() => cluster.stop())

  describe('satisfies the log contract', () => testLogContract((kept) => openKept(cluster.url, kept)))

  const openTwo = async () => {
    const prefix = newPrefix()
    const logs = [await openShared(cluster, { prefix }), await openShared(cluster, { prefix })] as const
    return { logs, ...(await cluster.owner(`{${prefix}:log}`)) }
  }

  describe('satisfies the contract of a bus', () => testBusContract(async () => (await openTwo()).logs))

  it('loses and duplicates nothing when its slot is migrated while two nodes publish', async () => {
    const { logs, node, slot } = await openTwo()
    const publishers = await Publishers.begin(logs)
    await publishers.more()
    let from = node
    for (const to of cluster.nodes.filter((one) => one !== node)) {
      await moveSlot(slot, from, to)
      await publishers.more()
      from = to
    }
    await publishers.finish()
    expect(publishers.epochs).toHaveLength(1)
    await publishers.expectOneHistory()
    expect(publishers.refusals.filter((code) => code !== 'log_unavailable')).toEqual([])
  })

  it('continues after a failover, both manual and after the master is killed', async () => {
    const { logs, node } = await openTwo()
    const replica = await replicaOf(program, node)
    const publishers = await Publishers.begin(logs)
    await publishers.more()
    await replica.ask('CLUSTER', 'FAILOVER')
    await expect.poll(async () => (await replica.ask('ROLE')) as unknown[]).toContain('master')
    await publishers.more()
    expect(publishers.epochs).toHaveLength(1)
    await expect.poll(async () => String(await node.ask('INFO', 'replication'))).toContain('link_status:up')
    await replica.kill()
    await publishers.more()
    await publishers.finish()
    expect(publishers.epochs.length).toBeLessThanOrEqual(2)
    await publishers.expectOneHistory()
  })

  it('reports log_unavailable while its slot has no master, and continues when it has one', async () => {
    const prefix = newPrefix()
    const log = await openShared(cluster, { prefix, commandTimeout: 1_500 })
    await log.append([update('before')])
    const { node, slot } = await cluster.owner(`{${prefix}:log}`)
    await node.ask('CLUSTER', 'DELSLOTS', slot)
    // An attempt that is in flight when the time is up may have been done, as far as the log knows, and has another code.
    const refusal = () => log.append([update('meanwhile')]).catch((error: unknown) => error)
    await expect.poll(refusal).toMatchObject({ code: 'log_unavailable', status: 503 })
    await node.ask('CLUSTER', 'ADDSLOTS', slot)
    await expect.poll(() => infoOf(node)).toContain('cluster_state:ok')
    await expect
      .poll(() =>
        log.append([update('after')], { keys: [{ key: 'after', fingerprint: 'same' }], ttlMs: 3_600_000 }).then(
          () => true,
          () => false
        )
      )
      .toBe(true)
    expect(await keptIn(log)).toEqual(['before', 'after'])
  })
})

async function replicaOf(program: string, master: RedisServer): Promise<RedisServer> {
  const replica = await startNode(program)
  onTestFinished(() => replica.stop())
  await meet(master, replica)
  const id = String(await master.ask('CLUSTER', 'MYID'))
  const follow = () => replica.ask('CLUSTER', 'REPLICATE', id).then(String, String)
  await expect.poll(follow).toBe('OK')
  await expect.poll(async () => String(await replica.ask('INFO', 'replication'))).toContain('link_status:up')
  return replica
}
