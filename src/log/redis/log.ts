// The log that many nodes share: history in Redis, which assigns the offsets. An append is answered when Redis has it, and
// delivered on every node.
import { setTimeout as sleep } from 'node:timers/promises'
import { OptionError, TidingsError } from '../../errors.ts'
import type { Update } from '../../update.ts'
import { AppendQueue, asAppend, type Outcome, type PendingAppend, settle } from '../group-commit.ts'
import type { Appended, DedupOptions, Entry, Filter, Log, Page, PageLimit } from '../log.ts'
import { parseId } from '../log.ts'
import { type RetentionRule, RetentionRules } from '../retention/rules.ts'
import type { Announcement, Member } from '../roster.ts'
import { throttle } from '../seldom.ts'
import { checkName, parseAddress } from './address.ts'
import { type ConnectionOptions, OutcomeUnknownError, RedisConnection } from './connection.ts'
import { RedisDiscovery } from './discovery.ts'
import { evictionAdvice } from './eviction.ts'
import { RedisFollower } from './follower.ts'
import { encodeGroup, readOutcomes } from './group.ts'
import { RedisMaintenance } from './maintenance.ts'
import type { RedisLogOptions } from './options.ts'
import { RedisReader } from './reader.ts'
import { RedisStore } from './store.ts'

/** How long `close` waits for an append in progress, and for acknowledged entries to be delivered. */
const closeTimeoutMs = 500

/** A history in Redis. */
export class RedisLog implements Log {
  readonly #connection: RedisConnection
  readonly #store: RedisStore
  readonly #maintenance: RedisMaintenance
  readonly #reader: RedisReader
  readonly #follower: RedisFollower
  readonly #warn: (message: string) => void
  readonly #waiting = new AppendQueue()
  #isWorking = false
  #work = Promise.resolve()
  readonly #reads = new Set<Promise<unknown>>()
  #closed: Promise<void> | undefined

  /**
   * Opens the log in Redis, or begins one.
   * @throws TidingsError `log_unavailable` when Redis cannot be reached; RangeError for an address or a bound that is none.
   */
  static async open(options: RedisLogOptions): Promise<RedisLog> {
    const log = new RedisLog(options)
    try {
      await log.#begin(options.retention ?? [])
      return log
    } catch (error) {
      await log.close()
      throw error
    }
  }

  private constructor({ prefix = 'tidings', name = 'log', now, ...options }: RedisLogOptions) {
    const { url, retention = [], covers, failed = () => {}, warn = () => {}, commandTimeout = 5_000 } = options
    if (!(commandTimeout > 0))
      throw new OptionError('commandTimeout', `expected a number greater than 0, got ${commandTimeout}`)
    const rules = new RetentionRules(retention, covers)
    checkName('prefix', prefix)
    checkName('name', name)
    const base = `{${prefix}:${name}}`
    const discovery = new RedisDiscovery(parseAddress(url), base, commandTimeout)
    const onConnected: ConnectionOptions['onConnected'] = (send) => this.#store.detectFork(send)
    const connection = { discovery, timeoutMs: commandTimeout, failed: throttle(failed), onConnected }
    const connect = () => new RedisConnection(connection)
    this.#connection = connect()
    this.#store = new RedisStore(base, this.#connection, now)
    this.#maintenance = new RedisMaintenance(this.#store, rules)
    this.#reader = new RedisReader(this.#store)
    this.#follower = new RedisFollower(this.#store, connect)
    this.#warn = warn
  }

  get epoch(): string {
    return this.#store.state.epoch
  }

  get head(): number {
    return this.#store.state.head
  }

  get first(): number {
    return this.#store.state.first
  }

  get removals(): number {
    return this.#store.state.removals
  }

  /** Redis is asked every second, so that this is known also when nobody appends. */
  get isReady(): boolean {
    return this.#connection.isReady && this.#follower.isReady
  }

  async append(updates: readonly Update[], dedup?: DedupOptions): Promise<Appended[]> {
    this.#mustBeOpen()
    return updates.length === 0 ? [] : this.#gather({ updates, dedup })
  }

  /** What is in doubt is told as `append` does; it may be repeated all the same. */
  async announce(announcements: readonly Announcement[]): Promise<void> {
    this.#mustBeOpen()
    if (announcements.length > 0) await this.#gather(asAppend(announcements))
  }

  members(): AsyncIterable<readonly Member[]> {
    return this.#reader.members()
  }

  async renew(node: string, lease: number): Promise<readonly string[]> {
    const { nodes } = await this.#store.run('maintain', { verb: 'renew', node, lease: Math.ceil(lease) })
    return nodes as string[]
  }

  async follow(deliver: (entries: readonly Entry[]) => void): Promise<void> {
    this.#mustBeOpen()
    await this.#follower.add(deliver)
  }

  async read(after: number, filter: Filter, limit: PageLimit, removalsSeen?: number): Promise<Page> {
    return this.#underWay(this.#reader.read(after, filter, limit, removalsSeen))
  }

  async newest(filter: Filter, count: number): Promise<number> {
    return this.#underWay(this.#reader.newest(filter, count))
  }

  locate(id: string): Promise<number | undefined> {
    return this.#underWay(this.#locate(id))
  }

  async #locate(id: string): Promise<number | undefined> {
    const ours = parseId(id)
    if (!ours) return this.#reader.locate(id)
    const isKnown = () => ours.epoch === this.epoch && ours.offset <= this.head
    // Another node may have made it a moment ago.
    if (!isKnown()) await this.#store.run('query', { verb: 'state' })
    return isKnown() ? ours.offset : undefined
  }

  /** Keeps what other rules say from now on, on all nodes. */
  async retain(rules: readonly RetentionRule[]): Promise<void> {
    this.#mustBeOpen()
    await this.#maintenance.retain(rules)
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  /** Reads are answered until nothing more is delivered: a follower may read what it was just given. */
  async #close(): Promise<void> {
    this.#maintenance.close()
    const enough = new AbortController()
    const timeout = sleep(closeTimeoutMs, undefined, { signal: enough.signal }).catch(() => {})
    await Promise.race([this.#work.then(() => this.#follower.caughtUp()), timeout])
    await Promise.race([Promise.all([this.#follower.close(), Promise.allSettled(this.#reads)]), timeout])
    enough.abort()
    this.#connection.close()
    await this.#work
  }

  #underWay<Answer>(read: Promise<Answer>): Promise<Answer> {
    this.#reads.add(read)
    const over = () => this.#reads.delete(read)
    read.then(over, over)
    return read
  }

  async #begin(retention: readonly RetentionRule[]): Promise<void> {
    await this.#store.run('query', { verb: 'state' })
    await this.#maintenance.retain(retention)
    const advice = await evictionAdvice(this.#connection)
    if (advice !== undefined) this.#warn(advice)
  }

  #mustBeOpen(): void {
    if (this.#closed !== undefined) throw new TidingsError('closed')
  }

  #gather(append: Omit<PendingAppend, 'resolve' | 'reject'>): Promise<Appended[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.add({ ...append, resolve, reject })
      if (this.#isWorking) return
      this.#isWorking = true
      this.#work = this.#commitAll()
    })
  }

  /** While one script is on its way, the next group gathers. */
  async #commitAll(): Promise<void> {
    // What is appended in this very tick belongs to the first group.
    await undefined
    while (!this.#waiting.isEmpty) await this.#commitGroup(this.#waiting.take())
    this.#isWorking = false
  }

  /** Never rejects: who appended is told. */
  async #commitGroup(group: PendingAppend[]): Promise<void> {
    try {
      settle(group, await this.#keep(group))
    } catch (error) {
      const isOutcomeUnknownError = error instanceof OutcomeUnknownError
      for (const { reject } of group)
        reject(isOutcomeUnknownError ? new TidingsError('append_timeout', error.message) : error)
      if (!isFull(error)) this.#giveUp(error)
    }
  }

  /** Who waited behind an append that failed has waited long enough: nothing of theirs was sent. */
  #giveUp(error: unknown): void {
    const reason = error instanceof OutcomeUnknownError ? error.message : undefined
    while (!this.#waiting.isEmpty) {
      for (const { reject } of this.#waiting.take()) reject(new TidingsError('log_unavailable', reason))
    }
  }

  async #keep(group: readonly PendingAppend[]): Promise<Outcome[]> {
    for (;;) {
      const { args, payloads } = encodeGroup(group, (update) => this.#maintenance.ruleOf(update))
      const reply = await this.#store.append({ ...this.#maintenance.rules, ...args }, payloads)
      if (reply.outcome === 'appended') {
        if (reply.unfinished === 1 || reply.counting > 0) this.#maintenance.runLater()
        return readOutcomes(group, reply)
      }
      this.#maintenance.adopt(reply.rules)
    }
  }
}

function isFull(error: unknown): boolean {
  return error instanceof TidingsError && error.code === 'storage_full'
}
