// Redis with several servers: a master with a replica and Sentinel, or a cluster.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, vi } from 'vitest'
import { freePort } from './free-port.ts'
import { type RedisServer, redisForTest, startRedis } from './redis.ts'

const pollOptions = { interval: 50 }
/** For `vi.waitFor`, which also works in a hook. */
const waitOptions = { timeout: 60_000, interval: 50 }

export interface SentinelSetup {
  readonly url: string
  readonly master: RedisServer
  readonly replica: RedisServer
}

/** A master, an up-to-date replica, and a sentinel that starts a failover half a second after the master is gone. */
export async function startSentinelSetup(program: string): Promise<SentinelSetup> {
  const master = await redisForTest(program, '--repl-diskless-sync-delay', '0')
  const replica = await redisForTest(program, '--replicaof', '127.0.0.1', String(master.port))
  await expect
    .poll(async () => String(await replica.ask('INFO', 'replication')), pollOptions)
    .toContain('link_status:up')
  const file = join(master.folder, 'sentinel.conf')
  writeFileSync(
    file,
    [
      `sentinel monitor mymaster 127.0.0.1 ${master.port} 1`,
      'sentinel down-after-milliseconds mymaster 500',
      'sentinel failover-timeout mymaster 2000'
    ].join('\n')
  )
  const sentinel = await redisForTest(program, { file }, '--sentinel')
  await expect.poll(() => sentinel.ask('SENTINEL', 'REPLICAS', 'mymaster'), pollOptions).toHaveLength(1)
  // Nothing listens at the first address, so the client must try the second.
  return { url: `redis+sentinel://127.0.0.1:${await freePort()},127.0.0.1:${sentinel.port}/mymaster`, master, replica }
}

export interface Cluster {
  readonly url: string
  readonly nodes: readonly RedisServer[]
  /** The node that serves a key, and the slot of the key. */
  owner(key: string): Promise<{ node: RedisServer; slot: string }>
  stop(): Promise<void>
}

/** Three masters that share the slots. */
export async function startCluster(program: string): Promise<Cluster> {
  const nodes = await Promise.all([1, 2, 3].map(() => startNode(program)))
  const stop = async () => void (await Promise.all(nodes.map((node) => node.stop())))
  try {
    await formCluster(nodes)
  } catch (error) {
    await stop()
    throw error
  }
  const [first] = nodes as [RedisServer]
  const closedPort = await freePort()
  // Wait until the connections used above are closed; otherwise the leak check of a test reports them.
  const opened = () => process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP'))
  await vi.waitFor(() => expect(opened()).toEqual([]), waitOptions)
  const owner = async (key: string) => {
    const slot = Number(await first.ask('CLUSTER', 'KEYSLOT', key))
    const [, , [, port]] = ((await first.ask('CLUSTER', 'SLOTS')) as [number, number, [string, number]][]).find(
      ([from, to]) => from <= slot && slot <= to
    ) as [number, number, [string, number]]
    return { node: nodes.find((one) => one.port === port) as RedisServer, slot: String(slot) }
  }
  return { url: `redis+cluster://127.0.0.1:${closedPort},127.0.0.1:${first.port}`, nodes, owner, stop }
}

async function formCluster(nodes: readonly RedisServer[]): Promise<void> {
  const bounds = [0, 5461, 10923, 16384]
  for (const [at, node] of nodes.entries())
    await node.ask('CLUSTER', 'ADDSLOTSRANGE', String(bounds[at]), String((bounds[at + 1] as number) - 1))
  const [first, ...others] = nodes as [RedisServer, ...RedisServer[]]
  for (const node of others) await meet(first, node)
  for (const node of nodes) {
    const isComplete = async () => expect(await infoOf(node)).toMatch(/cluster_state:ok[\s\S]*known_nodes:3/)
    await vi.waitFor(isComplete, waitOptions)
  }
}

export async function startNode(program: string): Promise<RedisServer> {
  const bus = String(await freePort())
  return startRedis(program, '--cluster-enabled', 'yes', '--cluster-port', bus, '--cluster-node-timeout', '2000')
}

/** Introduces one cluster node to another. */
export async function meet(node: RedisServer, other: RedisServer): Promise<void> {
  const [, bus] = (await other.ask('CONFIG', 'GET', 'cluster-port')) as [string, string]
  await node.ask('CLUSTER', 'MEET', '127.0.0.1', String(other.port), bus)
}

export async function infoOf(node: RedisServer): Promise<string> {
  return String(await node.ask('CLUSTER', 'INFO'))
}

/** Moves a slot with all of its keys while the cluster is in use. */
export async function moveSlot(slot: string, from: RedisServer, to: RedisServer): Promise<void> {
  const [source, target] = [String(await from.ask('CLUSTER', 'MYID')), String(await to.ask('CLUSTER', 'MYID'))]
  await to.ask('CLUSTER', 'SETSLOT', slot, 'IMPORTING', source)
  await from.ask('CLUSTER', 'SETSLOT', slot, 'MIGRATING', target)
  for (;;) {
    const keys = (await from.ask('CLUSTER', 'GETKEYSINSLOT', slot, '3')) as string[]
    if (keys.length === 0) break
    await from.ask('MIGRATE', '127.0.0.1', String(to.port), '', '0', '5000', 'KEYS', ...keys)
  }
  for (const node of [to, from]) await node.ask('CLUSTER', 'SETSLOT', slot, 'NODE', target)
}
