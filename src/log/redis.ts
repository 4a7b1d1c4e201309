// The log that many nodes share: history in Redis, which gives the offsets. An append is answered when Redis has it, and
// delivered on every node. It knows no subscriber, and no topic's syntax.
import { setTimeout as sleep } from 'node:timers/promises'
import { TidingsError } from '../errors.ts'
import type { Update } from '../update.ts'
import { type Append, asAppend, Gathering, type Outcome, tell } from './gathering.ts'
import type { Appended, Entry, Filter, Log, Once, Page, PageLimit } from './log.ts'
import { parseId } from './log.ts'
import { checkName, parseAddress } from './redis-address.ts'
import { RedisFinder } from './redis-finder.ts'
import { RedisFollower } from './redis-follower.ts'
import { readOutcomes, writeGroup } from './redis-group.ts'
import { RedisKeeper } from './redis-keeper.ts'
import { type LinkOptions, RedisLink, Unanswered } from './redis-link.ts'
import type { RedisLogOptions } from './redis-options.ts'
import { RedisReader } from './redis-reader.ts'
import { RedisStore } from './redis-store.ts'
import { Retention, type RetentionRule } from './retention.ts'
import type { Announcement, Member } from './roster.ts'
import { seldom } from './seldom.ts'

/** How long `close` waits for an append that is under way, and for what was answered to be delivered. */
const farewell = 500

/** A history in Redis. */
export class RedisLog implements Log {
  readonly #link: RedisLink
  readonly #store: RedisStore
  readonly #keeper: RedisKeeper
  readonly #reader: RedisReader
  readonly #follower: RedisFollower
  readonly #now: () => number
  readonly #waiting = new Gathering()
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

  private constructor({ prefix = 'tidings', name = 'log', now = Date.now, ...options }: RedisLogOptions) {
    const { url, retention = [], covers, failed = () => {}, commandTimeout = 5_000 } = options
    if (!(commandTimeout > 0)) throw new RangeError(`commandTimeout must be greater than 0, not ${commandTimeout}`)
    const rules = new Retention(retention, covers)
    checkName('prefix', prefix)
    checkName('name', name)
    const base = `{${prefix}:${name}}`
    const finder = new RedisFinder(parseAddress(url), base, commandTimeout)
    const begun: LinkOptions['begun'] = (send) => this.#store.recognize(send)
    const link = { finder, timeout: commandTimeout, failed: seldom(failed), begun }
    const dial = () => new RedisLink(link)
    this.#now = now
    this.#link = dial()
    this.#store = new RedisStore(base, this.#link, (epoch) => {
      this.#keeper.sweep(epoch).catch(() => {})
    })
    this.#keeper = new RedisKeeper(this.#store, this.#link, rules, now)
    this.#reader = new RedisReader(this.#store)
    this.#follower = new RedisFollower(this.#store, dial)
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
    return this.#link.isReady && this.#follower.isWell
  }

  async append(updates: readonly Update[], once?: Once): Promise<Appended[]> {
    this.#mustBeOpen()
    return updates.length === 0 ? [] : this.#gather({ updates, once })
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
    const { rest } = await this.#store.ask('keep', ['renew', node, String(Math.ceil(lease))])
    return rest[0] as string[]
  }

  async follow(deliver: (entries: readonly Entry[]) => void): Promise<void> {
    this.#mustBeOpen()
    this.#follower.add(deliver)
  }

  async read(after: number, filter: Filter, limit: PageLimit, since?: number): Promise<Page> {
    return this.#underWay(this.#reader.read(after, filter, limit, since))
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
    if (!isKnown()) await this.#store.ask('look', ['state'])
    return isKnown() ? ours.offset : undefined
  }

  /** Keeps what other rules say from now on, on all nodes. */
  async retain(rules: readonly RetentionRule[]): Promise<void> {
    this.#mustBeOpen()
    await this.#keeper.retain(rules)
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  /** Whoever was told of an entry may read it: reads are answered until nothing is delivered any more. */
  async #close(): Promise<void> {
    this.#keeper.close()
    const enough = new AbortController()
    const patience = sleep(farewell, undefined, { signal: enough.signal }).catch(() => {})
    await Promise.race([this.#work.then(() => this.#follower.caughtUp()), patience])
    this.#follower.close()
    await Promise.race([Promise.allSettled(this.#reads), patience])
    enough.abort()
    this.#link.close()
    await this.#work
  }

  #underWay<Answer>(read: Promise<Answer>): Promise<Answer> {
    this.#reads.add(read)
    const over = () => this.#reads.delete(read)
    read.then(over, over)
    return read
  }

  async #begin(retention: readonly RetentionRule[]): Promise<void> {
    await this.#store.ask('look', ['state'])
    await this.#keeper.retain(retention)
  }

  #mustBeOpen(): void {
    if (this.#closed !== undefined) throw new TidingsError('closed')
  }

  #gather(append: Omit<Append, 'resolve' | 'reject'>): Promise<Appended[]> {
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
  async #commitGroup(group: Append[]): Promise<void> {
    try {
      tell(group, await this.#keep(group))
    } catch (error) {
      const isUnanswered = error instanceof Unanswered
      for (const { reject } of group) reject(isUnanswered ? new TidingsError('append_timeout', error.message) : error)
      if (!isFull(error)) this.#giveUp(error)
    }
  }

  /** Who waited behind an append that failed has waited long enough: nothing of theirs was sent. */
  #giveUp(error: unknown): void {
    const reason = error instanceof Unanswered ? error.message : undefined
    while (!this.#waiting.isEmpty) {
      for (const { reject } of this.#waiting.take()) reject(new TidingsError('log_unavailable', reason))
    }
  }

  async #keep(group: readonly Append[]): Promise<Outcome[]> {
    for (;;) {
      const written = writeGroup(group, (update) => this.#keeper.ruleOf(update))
      const { state, rest } = await this.#store.write([...this.#keeper.rules, String(this.#now()), ...written])
      const [outcome, time, unfinished, outcomes] = rest
      if (outcome === 'kept') {
        if (unfinished === 1 || state.counting > 0) this.#keeper.tidyLater()
        return readOutcomes(group, state, Number(time), outcomes as string[])
      }
      this.#keeper.adopt(state.rules)
    }
  }
}

function isFull(error: unknown): boolean {
  return error instanceof TidingsError && error.code === 'storage_full'
}
