// Opens connections to Redis with the package's client, which is told to do nothing by itself. It knows no log, and not where
// Redis is.
import { isIP } from 'node:net'
import { createClient } from 'redis'
import type { Host, Login, Tls } from './redis-address.ts'

export type Client = ReturnType<typeof clientFor>

/** How a server is spoken to. */
export interface Manner {
  readonly login: Login
  readonly tls: Tls | undefined
  readonly database?: number
}

/** A client that is yet to connect, and is let go of as soon as it has where it is not wanted any more. */
export function makeClient(host: Host, manner: Manner, timeout: number, isWanted: () => boolean) {
  const client = clientFor(host, manner, timeout)
  // Who is let go of while dialling has no socket yet that the package would close.
  client.on('connect', () => {
    if (!isWanted()) destroy(client)
  })
  return client
}

function clientFor({ host, port }: Host, { login, tls, database }: Manner, timeout: number) {
  const common = { host, port, connectTimeout: timeout, reconnectStrategy: false as const }
  // A name is asked for by name; for an address there is no such thing [RFC 6066, 3].
  const name = tls?.servername ?? (isIP(host) === 0 ? host : undefined)
  return createClient({
    ...login,
    ...(database !== undefined && { database }),
    socket: tls ? { ...common, ...tls, tls: true, ...(name !== undefined && { servername: name }) } : common,
    RESP: 2,
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: 'disabled'
  })
}

export function destroy(client: Client): void {
  try {
    client.destroy()
  } catch {
    // It was gone already.
  }
}

/** Asks on a connection that lasts no longer, and waits for no more than so many milliseconds. */
export async function askOnce<Answer>(
  host: Host,
  manner: Manner,
  timeout: number,
  signal: AbortSignal,
  ask: (send: (args: string[]) => Promise<unknown>) => Promise<Answer>
): Promise<Answer> {
  let isOver = false
  const client = makeClient(host, manner, timeout, () => !isOver)
  client.on('error', () => {})
  let stop = () => {}
  const late = new Promise<never>((_, reject) => {
    stop = () => reject(new Error('it did not answer'))
  })
  late.catch(() => {})
  const timer = setTimeout(stop, timeout)
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
