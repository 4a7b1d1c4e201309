// A Redis server for one test, with its own port and folder, which can be killed, stopped, and restarted.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RedisClient } from 'redis'
import { onTestFinished } from 'vitest'
import { RedisLog, type RedisLogOptions } from '../../../dist/index.js'
import { type Kept, retentionOf } from '../log/log-contract.ts'
import { freePort } from './free-port.ts'

export interface RedisServer {
  readonly url: string
  readonly port: number
  /** The data folder. */
  readonly folder: string
  /** Sends a command, as text. */
  ask(...command: string[]): Promise<unknown>
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void
  /** Kills it with SIGKILL. */
  kill(): Promise<void>
  /** Starts it again with its data on disk, if any. */
  restart(...options: string[]): Promise<void>
  stop(): Promise<void>
}

/** Command line options; the configuration file of a sentinel, if any, comes first. */
type Options = readonly (string | { readonly file: string })[]

export async function startRedis(program: string, ...given: Options): Promise<RedisServer> {
  const options = given.filter((option): option is string => typeof option === 'string')
  const files = given.flatMap((option) => (typeof option === 'string' ? [] : [option.file]))
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'tidings-redis-'))
  const place = [...files, '--port', String(port), '--bind', '127.0.0.1', '--dir', folder]
  if (files.length === 0) place.push('--save', '')
  let child = spawn(program, [...place, ...options])
  const kill = async () => {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await new Promise((ended) => child.once('exit', ended))
  }
  await ready(child)
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    folder,
    ask: (...command) => ask(port, command),
    signal: (signal) => void child.kill(signal),
    kill,
    restart: async (...others) => {
      child = spawn(program, [...place, ...options, ...others])
      await ready(child)
    },
    stop: async () => {
      await kill()
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

/** A Redis server that stops when the test ends. */
export async function redisForTest(program: string, ...options: Options): Promise<RedisServer> {
  const server = await startRedis(program, ...options)
  onTestFinished(() => server.stop())
  return server
}

let logs = 0

/** A log with a new prefix, or a given one, which is closed when the test ends. */
export async function openShared(
  server: Pick<RedisServer, 'url'>,
  options: Partial<RedisLogOptions> = {}
): Promise<RedisLog> {
  const log = await RedisLog.open({ url: server.url, prefix: newPrefix(), ...options })
  onTestFinished(() => log.close())
  return log
}

/** A log with a new prefix, as the contract suite needs it. */
export const openKept = (url: string, kept: Kept): Promise<RedisLog> =>
  RedisLog.open({ url, prefix: newPrefix(), retention: retentionOf(kept) })

export const newPrefix = () => `test${++logs}`

// `createClient` makes a class with hundreds of commands for each address, which takes a tenth of a second; this makes one.
const protocol = { RESP: 2 } as const
const clientFor = RedisClient.factory(protocol)

async function ask(port: number, command: string[]): Promise<unknown> {
  const options = { ...protocol, socket: { port, host: '127.0.0.1', reconnectStrategy: false as const } }
  const client = clientFor(options)
  client.on('error', () => {})
  await client.connect()
  try {
    return await client.sendCommand(command)
  } finally {
    client.destroy()
  }
}

/** Resolves when the server accepts commands. */
function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = ''
    child.stdout?.on('data', (text: Buffer) => {
      output += text
      if (/Ready to accept connections|Sentinel ID is/.test(output)) resolve()
    })
    child.once('exit', () => reject(new Error(`Redis ended: ${output}`)))
  })
}
