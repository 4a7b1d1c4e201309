// The log in memory: history that ends with the process.
import { OptionError, TidingsError } from '../../errors.ts'
import type { Update } from '../../update.ts'
import { appendDeduplicated } from '../dedup/append.ts'
import { MemoryDedupStore } from '../dedup/memory-store.ts'
import { checkDeletion, type Deletion, maxDeletions } from '../deletion.ts'
import { formatId, newEpoch, parseId } from '../ids.ts'
import type { Appended, DedupOptions, Entry, Filter, Log, Page, PageLimit } from '../log.ts'
import type { RemovalIndex } from '../retention/removal-index.ts'
import type { RetentionRule } from '../retention/rules.ts'
import { type Announcement, Leases, type Member, type Roster } from '../roster.ts'
import { sizeOf } from '../size.ts'
import { TimeSlice } from '../time-slice.ts'
import { RetainedEntries } from './retained-entries.ts'

export interface MemoryLogOptions {
  /** Entries kept at most, whatever `retention` says. Default: 100,000 of those that no rule covers. */
  entries?: number
  /** Bytes kept at most: text, and a constant for each entry. Default: 64 MiB of what no rule covers. */
  bytes?: number
  /** How long an entry is kept, in milliseconds. Default: without end. */
  age?: number
  /**
   * Which topics keep what, within `entries`, `bytes` and `age` when they are given. A rule replaces the default bounds for the
   * topics that it covers: without a bound of its own, it keeps everything. Default: no rules.
   */
  retention?: readonly RetentionRule[]
  /** A clock in milliseconds since 1970. Default: `Date.now`. */
  now?: () => number
}

/** What is kept of topics that no rule covers. */
const defaults = { entries: 100_000, bytes: 64 * 2 ** 20 }
/** Entries that one page considers at most. */
const scanLimit = 4_096

/** A history in memory. An append is kept when it returns, for as long as the process lives. */
export class MemoryLog implements Log {
  readonly epoch = newEpoch()
  readonly roster: Roster = {
    announce: async (announcements) => this.#announce(announcements),
    members: () => this.#listMembers(),
    renew: async (node, leaseMs) => this.#leases.renew(node, leaseMs)
  }
  readonly #now: () => number
  readonly #entries: RetainedEntries
  /** The rule for topics that no other rule covers. */
  readonly #defaultRule: RetentionRule
  readonly #dedup = new MemoryDedupStore()
  #newestTime = 0
  readonly #members = new Map<string, Member>()
  readonly #leases = new Leases()
  readonly #followers = new Set<(entries: readonly Entry[]) => void>()
  readonly #undelivered: Entry[][] = []
  #isDelivering = false
  #isClosed = false

  /** @throws OptionError */
  constructor({ entries, bytes, age, retention = [], now = Date.now }: MemoryLogOptions = {}) {
    for (const [name, value] of Object.entries({ entries, bytes, age })) {
      if (value !== undefined && !(value > 0))
        throw new OptionError(name, `expected a number greater than 0, got ${value}`)
    }
    this.#defaultRule = { match: '*', entries: entries ?? defaults.entries, bytes: bytes ?? defaults.bytes }
    this.#entries = new RetainedEntries([...retention, this.#defaultRule], {
      ...(entries !== undefined && { entries }),
      ...(bytes !== undefined && { bytes }),
      ...(age !== undefined && { age })
    })
    this.#now = now
  }

  get head(): number {
    return this.#entries.last
  }

  get bytes(): number {
    return this.#entries.bytes
  }

  get first(): number {
    this.#trim()
    return this.#entries.first
  }

  get removals(): number {
    this.#trim()
    return this.#entries.removals
  }

  /** @internal For copies in other processes. */
  get removalIndex(): Pick<RemovalIndex, 'since'> {
    return this.#entries.removalIndex
  }

  get isReady(): boolean {
    return !this.#isClosed
  }

  async append(updates: readonly Update[], dedup?: DedupOptions): Promise<Appended[]> {
    if (this.#isClosed) throw new TidingsError('closed')
    const fresh: Entry[] = []
    this.#dedup.expire(Math.max(this.#newestTime, this.#now()))
    const answer = appendDeduplicated(this.epoch, updates, dedup, this.#dedup, (update) => {
      const entry = this.#appendEntry(update)
      fresh.push(entry)
      return entry
    })
    this.#commit(fresh)
    return answer
  }

  async follow(deliver: (entries: readonly Entry[]) => void): Promise<void> {
    if (this.#isClosed) throw new TidingsError('closed')
    this.#followers.add(deliver)
  }

  async read(after: number, filter: Filter, limit: PageLimit, removalsSeen?: number): Promise<Page> {
    const first = this.first
    const lost = this.#entries.lost(after, filter, removalsSeen)
    const entries: Entry[] = []
    let bytes = 0
    let cursor = Math.max(after, first - 1)
    const end = Math.min(this.head, cursor + scanLimit)
    const slice = new TimeSlice()
    while (cursor < end && entries.length < limit.entries && bytes < limit.bytes && !slice.isOver) {
      const entry = this.#entries.at(++cursor)
      if (!entry || !filter.admits(entry.update.topics, entry.update.private === true)) continue
      entries.push(entry)
      bytes += sizeOf(entry.update)
    }
    return { epoch: this.epoch, entries, cursor, lost }
  }

  async newest(filter: Filter, count: number): Promise<number> {
    let left = count
    this.#trim()
    let offset = this.head
    let slice = new TimeSlice()
    for (; left > 0 && offset >= this.#entries.first; offset--) {
      const update = this.#entries.at(offset)?.update
      if (update && filter.admits(update.topics, update.private === true)) left--
      if (!slice.isOver) continue
      await new Promise(setImmediate)
      slice = new TimeSlice()
    }
    return Math.max(offset, this.#entries.first - 1)
  }

  async locate(id: string): Promise<number | undefined> {
    this.#trim()
    const ours = parseId(id)
    if (!ours) return this.#entries.oldestWith(id)
    return ours.epoch === this.epoch && ours.offset <= this.head ? ours.offset : undefined
  }

  get hasEnds(): boolean {
    return this.#entries.hasEnds
  }

  async ends(topics: readonly string[]): Promise<readonly (Entry | undefined)[]> {
    this.#trim()
    return topics.map((topic) => this.#entries.endOf(topic))
  }

  async delete(deletion: Deletion, announcement: Update): Promise<Entry> {
    if (this.#isClosed) throw new TidingsError('closed')
    checkDeletion(deletion, this.epoch)
    if (this.#entries.deletions >= maxDeletions) throw new TidingsError('deletions_too_many')
    this.#entries.delete(deletion)
    // Before the announcement, which could otherwise supersede entries that there is now room for.
    this.#entries.deleteSome()
    const entry = this.#appendEntry(announcement, { deletion })
    this.#commit([entry])
    while (this.#entries.deleteSome()) await new Promise(setImmediate)
    return entry
  }

  /** Sets other retention rules. */
  async retain(rules: readonly RetentionRule[]): Promise<void> {
    this.#entries.retain([...rules, this.#defaultRule])
    this.#trim()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#followers.clear()
  }

  #announce(announcements: readonly Announcement[]): void {
    if (this.#isClosed) throw new TidingsError('closed')
    this.#commit(announcements.flatMap((announcement) => this.#enroll(announcement) ?? []))
  }

  async *#listMembers(): AsyncGenerator<readonly Member[], void, undefined> {
    yield [...this.#members.values()]
  }

  #commit(entries: Entry[]): void {
    this.#trim()
    if (entries.length > 0) this.#deliver(entries)
  }

  #enroll({ update, member }: Announcement): Entry | undefined {
    const topic = update.topics[0] as string
    if (this.#members.has(topic) === (member !== null)) return undefined
    if (member) this.#members.set(topic, member)
    else this.#members.delete(topic)
    return this.#appendEntry(update, { member })
  }

  #appendEntry(update: Update, more?: Pick<Entry, 'member' | 'deletion'>): Entry {
    const offset = this.head + 1
    // A clock that is set back must not let an entry look older than the one before it.
    this.#newestTime = Math.max(this.#newestTime, this.#now())
    const id = update.id ?? formatId(this.epoch, offset)
    const { epoch } = this
    const time = this.#newestTime
    const entry = more ? { epoch, offset, id, time, update, ...more } : { epoch, offset, id, time, update }
    this.#entries.add(entry)
    return entry
  }

  #trim(): void {
    this.#entries.trim(this.#now())
  }

  /** A follower may append while it is called; that entry is delivered after this one, so that all followers see one order. */
  #deliver(entries: Entry[]): void {
    this.#undelivered.push(entries)
    if (this.#isDelivering) return
    this.#isDelivering = true
    for (let next = this.#undelivered.shift(); next; next = this.#undelivered.shift()) {
      for (const deliver of this.#followers) deliver(next)
    }
    this.#isDelivering = false
  }
}
