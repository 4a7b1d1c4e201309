// Finds the server to connect to: the configured one, the master that sentinels name, or the node of a cluster that serves the
// log's keys. It keeps no connection.
import { ErrorReply } from 'redis'
import type { Host, Login, RedisAddress } from './address.ts'
import { askOnce, type ConnectOptions } from './dial.ts'

type Send = (args: string[]) => Promise<unknown>

/** How long one of several servers may take to say where the log is, in milliseconds. */
const maxTimeoutMs = 1_000

/** How Redis refuses a command that belongs to another server, or cannot be served yet. It was not done. */
const redirect = /^(MOVED|ASK|TRYAGAIN|CLUSTERDOWN|READONLY|MASTERDOWN|LOADING|UNBLOCKED)\b/

/** Whether a command may be sent again, to another server or later. */
export function isRedirect(error: unknown): boolean {
  return error instanceof ErrorReply && redirect.test(error.message)
}

/** How Redis refuses a login, or a database that does not exist. */
const refusal = /^(WRONGPASS|NOAUTH|NOPERM|ERR (AUTH|invalid password|DB index|Client sent AUTH))/

/** Whether Redis refused the login or the database. */
export function isRefusal(error: unknown): boolean {
  return error instanceof ErrorReply && refusal.test(error.message)
}

export class RedisDiscovery {
  readonly connectOptions: ConnectOptions
  readonly #address: RedisAddress
  readonly #key: string
  readonly #timeoutMs: number
  /** The servers to ask, best first. */
  #hosts: readonly Host[]

  /** @param key any key of the log: all of them are on one node */
  constructor(address: RedisAddress, key: string, timeout: number) {
    const { login, tls, database, kind } = address
    this.#address = address
    this.#key = key
    this.#timeoutMs = Math.min(maxTimeoutMs, timeout / 2)
    this.#hosts = address.hosts
    this.connectOptions = { login, tls, ...(kind !== 'cluster' && { database }) }
  }

  /** The server to connect to. @throws Error with the reason why none is known */
  async find(signal: AbortSignal): Promise<Host> {
    const { kind, hosts } = this.#address
    if (kind === 'one') return hosts[0] as Host
    let reason: unknown = new Error('no address of a sentinel or cluster node is known')
    for (const host of [...this.#hosts]) {
      try {
        return kind === 'sentinel' ? await this.#askSentinel(host, signal) : await this.#askNode(host, signal)
      } catch (error) {
        reason = error
        if (signal.aborted) break
        this.#putLast(host)
      }
    }
    throw reason
  }

  /** Checks the server that was connected to. @throws Error with the reason why it cannot be used */
  async check(send: Send): Promise<void> {
    if (this.#address.kind !== 'sentinel') {
      // A server may accept connections and answer nothing.
      await send(['PING'])
      return
    }
    const [role] = (await send(['ROLE'])) as [string]
    if (role !== 'master')
      throw new Error('the server that the sentinels named is not the master, or not yet; it is asked again')
  }

  /** That server failed: the one that named it may be wrong, so others are asked next. */
  failed(error: unknown): void {
    const [, host, port] = /^MOVED \d+ (.+):(\d+)$/.exec(error instanceof ErrorReply ? error.message : '') ?? []
    const [first] = this.#hosts
    if (host && host !== '?') this.#hosts = different([{ host, port: Number(port) }, ...this.#hosts])
    else if (first) this.#putLast(first)
  }

  /** The message of an error as part of a sentence, without the password. */
  reasonOf(error: unknown): string {
    const { message = '', code = '' } = error as { message?: string; code?: string }
    const { login, sentinelLogin } = this.#address
    let text = message || code || 'the connection was cut'
    for (const { password } of [login, sentinelLogin]) if (password) text = text.replaceAll(password, '***')
    return text.replace(/\.$/, '')
  }

  async #askSentinel(host: Host, signal: AbortSignal): Promise<Host> {
    const login: Login = this.#address.sentinelLogin
    const options = { login, tls: this.#address.tls }
    const answer = await askOnce(host, options, this.#timeoutMs, signal, (send) =>
      send(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', this.#address.master])
    )
    if (!Array.isArray(answer)) throw new Error('the sentinels know no master with the name in the URL; check the name')
    const [found, port] = answer as [string, string]
    return { host: found, port: Number(port) }
  }

  async #askNode(host: Host, signal: AbortSignal): Promise<Host> {
    const [slot, ranges] = await askOnce(host, this.connectOptions, this.#timeoutMs, signal, async (send) => {
      return [Number(await send(['CLUSTER', 'KEYSLOT', this.#key])), await send(['CLUSTER', 'SLOTS'])] as const
    })
    const nodes = (ranges as SlotRange[]).map(([from, to, ...served]) => ({ from, to, served }))
    const range = nodes.find(({ from, to }) => from <= slot && slot <= to)
    // A node that does not know its own name has the host that was asked.
    const hostOf = ([name, port]: ClusterNode) => ({ host: name && name !== '?' ? name : host.host, port })
    this.#hosts = different([host, ...nodes.flatMap(({ served }) => served.map(hostOf)), ...this.#address.hosts])
    const [master] = range?.served ?? []
    if (!master) throw new Error('no server of the cluster serves the hash slot of this log; check the cluster')
    return hostOf(master)
  }

  #putLast(host: Host): void {
    this.#hosts = different([...this.#hosts.filter((one) => nameOf(one) !== nameOf(host)), host])
  }
}

function different(hosts: readonly Host[]): Host[] {
  const names = hosts.map(nameOf)
  return hosts.filter((host, at) => names.indexOf(nameOf(host)) === at)
}

const nameOf = ({ host, port }: Host) => `${host} ${port}`

type ClusterNode = readonly [host: string | null, port: number, ...rest: unknown[]]
type SlotRange = readonly [from: number, to: number, ...nodes: ClusterNode[]]
