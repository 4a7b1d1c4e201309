// Finds out which server to dial: the one that was named, the one that sentinels say is the master, or the one that serves the
// log's keys in a cluster. It keeps no connection, and sends nothing that changes anything.
import { ErrorReply } from 'redis'
import type { Host, Login, RedisAddress } from './redis-address.ts'
import { askOnce, type Manner } from './redis-dial.ts'

type Send = (args: string[]) => Promise<unknown>

/** How long one that is asked where to go may take, in milliseconds, where there are others. */
const mostPatience = 1_000

/** What Redis answers with where the command is for another server, or for later. Then it was not done. */
const elsewhere = /^(MOVED|ASK|TRYAGAIN|CLUSTERDOWN|READONLY|MASTERDOWN|LOADING|UNBLOCKED)\b/

/** Whether Redis refused a command, as a whole, because it cannot serve it, or not yet. */
export function isElsewhere(error: unknown): boolean {
  return error instanceof ErrorReply && elsewhere.test(error.message)
}

/** What Redis answers with to who may not come in, or asks for a database that there is not. */
const refusal = /^(WRONGPASS|NOAUTH|NOPERM|ERR (AUTH|invalid password|DB index|Client sent AUTH))/

/** Whether Redis would not have this user. */
export function isRefusal(error: unknown): boolean {
  return error instanceof ErrorReply && refusal.test(error.message)
}

export class RedisFinder {
  readonly manner: Manner
  readonly #address: RedisAddress
  readonly #key: string
  readonly #patience: number
  /** Whom to ask, best first. */
  #hosts: readonly Host[]

  /** `key` is one of the log's; all of them are in one place. */
  constructor(address: RedisAddress, key: string, timeout: number) {
    const { login, tls, database, kind } = address
    this.#address = address
    this.#key = key
    this.#patience = Math.min(mostPatience, timeout / 2)
    this.#hosts = address.hosts
    this.manner = { login, tls, ...(kind !== 'cluster' && { database }) }
  }

  /** Which server to dial. @throws Error that says why nobody knows */
  async find(signal: AbortSignal): Promise<Host> {
    const { kind, hosts } = this.#address
    if (kind === 'one') return hosts[0] as Host
    let reason: unknown = new Error('there is nobody to ask')
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

  /** Looks whether the server that was dialled is one to stay with. @throws Error that says why it is not */
  async greet(send: Send): Promise<void> {
    if (this.#address.kind !== 'sentinel') {
      // Without it a server that takes connections and says nothing would pass for one that is there.
      await send(['PING'])
      return
    }
    const [role] = (await send(['ROLE'])) as [string]
    if (role !== 'master') throw new Error('the server that the sentinels named is not the master, or not yet')
  }

  /** That server did not do: who named it may not know better, so others are asked next. */
  wasWrong(error: unknown): void {
    const [, host, port] = /^MOVED \d+ (.+):(\d+)$/.exec(error instanceof ErrorReply ? error.message : '') ?? []
    const [first] = this.#hosts
    if (host && host !== '?') this.#hosts = different([{ host, port: Number(port) }, ...this.#hosts])
    else if (first) this.#putLast(first)
  }

  /** What an error says, to be read within a sentence, without what nobody is to read. */
  reasonOf(error: unknown): string {
    const { message = '', code = '' } = error as { message?: string; code?: string }
    const { login, sentinelLogin } = this.#address
    let text = message || code || 'the connection was cut'
    for (const { password } of [login, sentinelLogin]) if (password) text = text.replaceAll(password, '***')
    return text.replace(/\.$/, '')
  }

  async #askSentinel(host: Host, signal: AbortSignal): Promise<Host> {
    const login: Login = this.#address.sentinelLogin
    const manner = { login, tls: this.#address.tls }
    const answer = await askOnce(host, manner, this.#patience, signal, (send) =>
      send(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', this.#address.master])
    )
    if (!Array.isArray(answer)) throw new Error('the sentinels know no master of this name')
    const [found, port] = answer as [string, string]
    return { host: found, port: Number(port) }
  }

  async #askNode(host: Host, signal: AbortSignal): Promise<Host> {
    const [slot, ranges] = await askOnce(host, this.manner, this.#patience, signal, async (send) => {
      return [Number(await send(['CLUSTER', 'KEYSLOT', this.#key])), await send(['CLUSTER', 'SLOTS'])] as const
    })
    const nodes = (ranges as SlotRange[]).map(([from, to, ...served]) => ({ from, to, served }))
    const range = nodes.find(({ from, to }) => from <= slot && slot <= to)
    // A node that does not know its own name is where it was asked.
    const hostOf = ([name, port]: ClusterNode) => ({ host: name && name !== '?' ? name : host.host, port })
    this.#hosts = different([host, ...nodes.flatMap(({ served }) => served.map(hostOf)), ...this.#address.hosts])
    const [master] = range?.served ?? []
    if (!master) throw new Error('no server of the cluster serves this log')
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
