// Opens connections to Redis with the `redis` package, whose own reconnecting and queueing are switched off.
import { isIP } from 'node:net'
import { RedisClient } from 'redis'
import type { Host, Login, Tls } from './address.ts'

export type Client = ReturnType<typeof clientFor>

/** Options of every connection. */
export interface ConnectOptions {
  readonly login: Login
  readonly tls: Tls | undefined
  readonly database?: number
}

/** One class for all connections: `createClient` would make a class with all commands for each, which blocks for tens of milliseconds. */
const newClient = RedisClient.factory({ RESP: 2 })

/** A client that is yet to connect. It is destroyed when it has connected and is no longer wanted. */
export function makeClient(host: Host, options: ConnectOptions, timeoutMs: number, isWanted: () => boolean) {
  const client = clientFor(host, options, timeoutMs)
  // A client that is destroyed while it connects has no socket yet that the package would close.
  client.on('connect', () => {
    if (!isWanted()) destroy(client)
  })
  return client
}

function clientFor({ host, port }: Host, { login, tls, database }: ConnectOptions, timeoutMs: number) {
  const common = { host, port, connectTimeout: timeoutMs, reconnectStrategy: false as const }
  // SNI carries a host name, never an address [RFC 6066, 3].
  const name = tls?.servername ?? (isIP(host) === 0 ? host : undefined)
  // The factory has the type of its answers from its own options, and the protocol to ask for from these.
  const clientOptions = {
    ...login,
    RESP: 2 as const,
    ...(database !== undefined && { database }),
    socket: tls ? { ...common, ...tls, tls: true as const, ...(name !== undefined && { servername: name }) } : common,
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: 'disabled' as const
  }
  return newClient(clientOptions)
}

export function destroy(client: Client): void {
  try {
    client.destroy()
  } catch {
    // It was closed already.
  }
}

/** Asks on a connection of its own, which is closed afterwards. */
export async function askOnce<Answer>(
  host: Host,
  options: ConnectOptions,
  timeoutMs: number,
  signal: AbortSignal,
  ask: (send: (args: string[]) => Promise<unknown>) => Promise<Answer>
): Promise<Answer> {
  let isOver = false
  const client = makeClient(host, options, timeoutMs, () => !isOver)
  client.on('error', () => {})
  let stop = () => {}
  const late = new Promise<never>((_, reject) => {
    stop = () => reject(new Error('it did not answer'))
  })
  late.catch(() => {})
  const timer = setTimeout(stop, timeoutMs)
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  try {
    const answer = client.connect().then(() => ask((args) => client.sendCommand(args)))
    answer.catch(() => {})
    return await Promise.race([answer, late])
  } finally {
    isOver = true
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
    destroy(client)
  }
}
