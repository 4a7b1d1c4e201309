// One server or several, on a log of their own or on a Redis that they share; it knows no measurement.
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
  /** What Redis is told of its disk, where there is one. */
  readonly redis?: readonly string[]
  /** Where its servers keep the log otherwise, in a folder that is theirs. */
  args?(folder: string): string[]
}

/** So that what Redis holds does not grow with the speed of what is measured, and removing is part of it; the same for all. */
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

/** Does something with a contender that has just begun, and is ended after it, whatever happens. */
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
