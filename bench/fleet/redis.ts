// A Redis of the benchmark's own, and what that says of the work it has done; it knows no server that uses it.
import { execFileSync } from 'node:child_process'
import { createClient } from 'redis'
import { freePort } from '../support/port.ts'
import { said, start, stop } from '../support/process.ts'

/** What Redis has counted since it began. */
export interface Counters {
  /** Scripts that append. */
  appends: number
  /** Bytes that it has written to its clients. */
  bytesOut: number
  /** Bytes of memory that it has in use now. */
  memory: number
}

export interface Redis {
  url: string
  pid: number
  counters(): Promise<Counters>
  stop(): Promise<void>
}

/** As it calls itself; undefined where there is none. */
export function redisVersion(): string | undefined {
  try {
    return /v=(\S+)/.exec(execFileSync('redis-server', ['--version'], { encoding: 'latin1' }))?.[1]
  } catch {
    return undefined
  }
}

/** In a folder of its own; `keeps` is what it is told of its disk. Its file is not rewritten, which would fall into one round and not into another. */
export async function startRedis(folder: string, keeps: readonly string[]): Promise<Redis> {
  const port = await freePort()
  const place = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder]
  const disk = ['--save', '', ...keeps, '--auto-aof-rewrite-percentage', '0']
  const started = start('redis-server', [...place, ...disk])
  await said(started, /Ready to accept connections/)
  return {
    url: `redis://127.0.0.1:${port}`,
    pid: started.pid,
    counters: () => counters(port),
    stop: () => stop(started)
  }
}

async function counters(port: number): Promise<Counters> {
  const client = createClient({ socket: { port, host: '127.0.0.1', reconnectStrategy: false }, RESP: 2 })
  // What is wrong with the connection is told by the command that needs it.
  client.on('error', () => {})
  await client.connect()
  const info = await client.info('all')
  client.destroy()
  // Redis counts by command, and not by script. A server runs one script before each XREAD of its follower; the rest
  // append, but for the few that read history or keep house: so this is never too few.
  const appends = field(info, /cmdstat_eval(?:sha)?:calls=(\d+)/g) - field(info, /cmdstat_xread:calls=(\d+)/g)
  const [bytesOut, memory] = [field(info, /total_net_output_bytes:(\d+)/g), field(info, /used_memory:(\d+)/g)]
  return { appends, bytesOut, memory }
}

function field(info: string, pattern: RegExp): number {
  return [...info.matchAll(pattern)].reduce((sum, [, digits]) => sum + Number(digits), 0)
}
