// The log that many nodes share: history in Redis, which assigns the offsets. An append is answered when Redis has it, and
// delivered on every node.
import { setTimeout as sleep } from 'node:timers/promises'
import { TidingsError } from '../../errors.ts'
import type { Update } from '../../update.ts'
import type { Bus } from '../bus.ts'
import type { Deletion } from '../deletion.ts'
import { GroupCommit, type Outcome, type PendingAppend } from '../group-commit.ts'
import { parseId } from '../ids.ts'
import type { Appended, DedupOptions, Entry, Filter, Log, Page, PageLimit } from '../log.ts'
import type { RetentionRule } from '../retention/rules.ts'
import type { Roster } from '../roster.ts'
import type { RedisEngine } from './engine.ts'
import type { RedisLogOptions } from './options.ts'

/** How long `close` waits for an append in progress, and for acknowledged entries to be delivered. */
const closeTimeoutMs = 2_000

export class RedisLog implements Log {
  readonly roster: Roster
  readonly bus: Bus
  readonly #engine: RedisEngine
  readonly #commits = new GroupCommit((group) => this.#commit(group))
  readonly #reads = new Set<Promise<unknown>>()
  #closed: Promise<void> | undefined

  /**
   * Opens the log in Redis, or begins one.
   * @throws TidingsError `log_unavailable` when Redis cannot be reached, or OptionError
   */
  static async open(options: RedisLogOptions): Promise<RedisLog> {
    const { RedisEngine } = await import('./engine.ts')
    const engine = new RedisEngine(options)
    const log = new RedisLog(engine)
    try {
      await engine.begin(options)
      return log
    } catch (error) {
      await log.close()
      throw error
    }
  }

  private constructor(engine: RedisEngine) {
    this.#engine = engine
    this.bus = engine.inbox
    this.roster = {
      announce: async (announcements) => {
        this.#mustBeOpen()
        if (announcements.length > 0) await this.#commits.announce(announcements)
      },
      members: () => engine.reader.members(),
      renew: async (node, leaseMs) => {
        const { nodes } = await engine.store.run('maintain', { verb: 'renew', node, lease: Math.ceil(leaseMs) })
        return nodes as string[]
      }
    }
  }

  get epoch(): string {
    return this.#engine.store.state.epoch
  }

  get head(): number {
    return this.#engine.store.state.head
  }

  get first(): number {
    return this.#engine.store.state.first
  }

  get removals(): number {
    return this.#engine.store.state.removals
  }

  /** Redis is asked every second, so this is known also when nothing is appended. */
  get isReady(): boolean {
    return this.#engine.connection.isReady && this.#engine.follower.isReady
  }

  async append(updates: readonly Update[], dedup?: DedupOptions): Promise<Appended[]> {
    this.#mustBeOpen()
    return updates.length === 0 ? [] : this.#commits.append(updates, dedup)
  }

  async follow(deliver: (entries: readonly Entry[]) => void): Promise<void> {
    this.#mustBeOpen()
    await this.#engine.follower.add(deliver)
  }

  async read(after: number, filter: Filter, limit: PageLimit, removalsSeen?: number): Promise<Page> {
    return this.#track(this.#engine.reader.read(after, filter, limit, removalsSeen))
  }

  async newest(filter: Filter, count: number): Promise<number> {
    return this.#track(this.#engine.reader.newest(filter, count))
  }

  locate(id: string): Promise<number | undefined> {
    return this.#track(this.#locate(id))
  }

  get hasEnds(): boolean {
    return this.#engine.store.state.ends > 0
  }

  async ends(topics: readonly string[]): Promise<readonly (Entry | undefined)[]> {
    return this.#track(this.#engine.reader.ends(topics))
  }

  async delete(deletion: Deletion, announcement: Update): Promise<Entry> {
    this.#mustBeOpen()
    return this.#commits.delete(deletion, announcement)
  }

  /** Sets the retention rules for all nodes. */
  async retain(rules: readonly RetentionRule[]): Promise<void> {
    this.#mustBeOpen()
    await this.#engine.maintenance.retain(rules)
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #locate(id: string): Promise<number | undefined> {
    const ours = parseId(id)
    if (!ours) return this.#engine.reader.locate(id)
    const isKnown = () => ours.epoch === this.epoch && ours.offset <= this.head
    // Another node may have made it a moment ago.
    if (!isKnown()) await this.#engine.refresh()
    return isKnown() ? ours.offset : undefined
  }

  /** Reads are answered until nothing more is delivered: a follower may read what it was just given. */
  async #close(): Promise<void> {
    const { maintenance, follower, connection } = this.#engine
    maintenance.close()
    const enough = new AbortController()
    const timeout = sleep(closeTimeoutMs, undefined, { signal: enough.signal }).catch(() => {})
    await Promise.race([this.#commits.idle.then(() => follower.caughtUp()), timeout])
    await Promise.race([Promise.all([follower.close(), Promise.allSettled(this.#reads)]), timeout])
    enough.abort()
    connection.close()
    await this.#commits.idle
  }

  #track<Answer>(read: Promise<Answer>): Promise<Answer> {
    this.#reads.add(read)
    const done = () => this.#reads.delete(read)
    read.then(done, done)
    return read
  }

  #mustBeOpen(): void {
    if (this.#closed !== undefined) throw new TidingsError('closed')
  }

  async #commit(group: readonly PendingAppend[]): Promise<readonly Outcome[]> {
    try {
      return await this.#engine.append(group)
    } catch (error) {
      const { code, detail } = error as Partial<TidingsError>
      // Appends that waited behind one that failed have waited long enough, and were not sent.
      if (code !== 'storage_full') this.#commits.rejectPending(new TidingsError('log_unavailable', detail))
      throw error
    }
  }
}
