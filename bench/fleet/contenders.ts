// The contenders of the fleet benchmark: one server with a log of its own, or several on one Redis.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Server } from '../contenders/contender.ts'
import { startNode } from '../contenders/program.ts'
import { type Redis, startRedis } from './redis.ts'

export interface Fleet {
  readonly servers: readonly Server[]
  readonly redis: Redis | undefined
}

export interface Contender {
  readonly name: string
  readonly nodes: number
  /** The persistence options of Redis, if the contender uses it. */
  readonly redis?: readonly string[]
  /** Otherwise, where its server stores the log, in a folder of its own. */
  args?(folder: string): string[]
}

/** The same bound for all, so that the data in Redis does not grow with the speed, and removal is measured too. */
export const kept = 100_000
const retention = JSON.stringify([{ match: '*', entries: kept }])

const inMemory = ['--appendonly', 'no']
const onDisk = (when: string) => ['--appendonly', 'yes', '--appendfsync', when]

export const contenders: readonly Contender[] = [
  { name: 'memory', nodes: 1 },
  { name: 'data', nodes: 1, args: (folder) => ['--data', join(folder, 'log')] },
  { name: 'redis-1', nodes: 1, redis: inMemory },
  { name: 'redis-2', nodes: 2, redis: inMemory },
  { name: 'redis-3', nodes: 3, redis: inMemory },
  { name: 'redis-1-everysec', nodes: 1, redis: onDisk('everysec') },
  { name: 'redis-1-always', nodes: 1, redis: onDisk('always') }
]

const program = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))

/** Starts a contender, calls a function with it, and stops it in every case. */
export async function withFleet<Result>(
  { nodes, redis: keeps, args = () => [] }: Contender,
  folder: string,
  work: (fleet: Fleet) => Promise<Result>
): Promise<Result> {
  const redis = keeps && (await startRedis(folder, keeps))
  const servers: Server[] = []
  try {
    const store = redis ? ['--store', redis.url] : args(folder)
    for (let node = 0; node < nodes; node++) {
      servers.push(await startNode(program, 'serve', '--port', '0', '--retention', retention, ...store))
    }
    return await work({ servers, redis })
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
    await redis?.stop()
  }
}
