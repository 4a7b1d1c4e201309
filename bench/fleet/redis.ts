// Starts a Redis for the benchmark, and reads its statistics.
import { execFileSync } from 'node:child_process'
import { createClient } from 'redis'
import { freePort } from '../support/port.ts'
import { said, start, stop } from '../support/process.ts'

/** Counters of Redis since its start. */
export interface Counters {
  /** Scripts that append. */
  appends: number
  /** Bytes that Redis has written to its clients. */
  bytesOut: number
  /** Memory in use, in bytes. */
  memory: number
}

export interface Redis {
  url: string
  pid: number
  counters(): Promise<Counters>
  stop(): Promise<void>
}

/** The version as Redis prints it; undefined when Redis is not installed. */
export function redisVersion(): string | undefined {
  try {
    return /v=(\S+)/.exec(execFileSync('redis-server', ['--version'], { encoding: 'latin1' }))?.[1]
  } catch {
    return undefined
  }
}

/** Runs in a folder of its own; `keeps` are its persistence options. Its file is never rewritten, since that would affect single rounds. */
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
  // The command that needs the connection reports its errors.
  client.on('error', () => {})
  await client.connect()
  const info = await client.info('all')
  client.destroy()
  // Redis counts commands, not scripts. A server runs one script before each XREAD of its follower. The others append, except the
  // few that read history or do maintenance, so this count is never too low.
  const appends = field(info, /cmdstat_eval(?:sha)?:calls=(\d+)/g) - field(info, /cmdstat_xread:calls=(\d+)/g)
  const [bytesOut, memory] = [field(info, /total_net_output_bytes:(\d+)/g), field(info, /used_memory:(\d+)/g)]
  return { appends, bytesOut, memory }
}

function field(info: string, pattern: RegExp): number {
  return [...info.matchAll(pattern)].reduce((sum, [, digits]) => sum + Number(digits), 0)
}
