// The log that lives in memory: history up to a number of entries, of bytes, and an age; gone when the process ends. It
// knows no subscriber.
import { OptionError, TidingsError } from '../../errors.ts'
import type { Update } from '../../update.ts'
import { appendDeduplicated } from '../dedup/append.ts'
import { MemoryDedupStore } from '../dedup/memory-store.ts'
import {
  type Appended,
  type DedupOptions,
  type Entry,
  type Filter,
  formatId,
  type Log,
  newEpoch,
  type Page,
  type PageLimit,
  parseId,
  sizeOf
} from '../log.ts'
import { type RetentionRule, RetentionRules } from '../retention/rules.ts'
import { type Announcement, Leases, type Member } from '../roster.ts'
import { TimeSlice } from '../time-slice.ts'
import { RetainedEntries } from './retained-entries.ts'

export interface MemoryLogOptions {
  /** Entries kept at most, whatever `retention` says. Where it is left out, 100,000 of those that no rule covers. */
  entries?: number
  /** Bytes kept at most, counting text and a constant for each entry; where it is left out, 64 MiB of what no rule covers. */
  bytes?: number
  /** How long an entry is kept, in milliseconds; default without end. */
  age?: number
  /** What is kept of which topics. A rule takes the place of the default bounds for what it covers. Default no rules. */
  retention?: RetentionRules
  /** The clock, in milliseconds since 1970; default `Date.now`. */
  now?: () => number
}

/** What is kept of what no rule covers. */
const defaults = { entries: 100_000, bytes: 64 * 2 ** 20 }
/** How many entries one page looks at. */
const scanLimit = 4_096

/** A history in memory. What is appended is kept when `append` returns, and for as long as the process lives. */
export class MemoryLog implements Log {
  readonly epoch = newEpoch()
  readonly #now: () => number
  readonly #entries: RetainedEntries
  /** What bounds all that no other rule covers. */
  readonly #rest: RetentionRule
  readonly #dedup = new MemoryDedupStore()
  #newestTime = 0
  readonly #members = new Map<string, Member>()
  readonly #leases = new Leases()
  readonly #followers = new Set<(entries: readonly Entry[]) => void>()
  readonly #undelivered: Entry[][] = []
  #delivering = false
  #closed = false

  constructor({ entries, bytes, age, retention, now = Date.now }: MemoryLogOptions = {}) {
    for (const [name, value] of Object.entries({ entries, bytes, age })) {
      if (value !== undefined && !(value > 0))
        throw new OptionError(name, `expected a number greater than 0, got ${value}`)
    }
    this.#rest = { match: '*', entries: entries ?? defaults.entries, bytes: bytes ?? defaults.bytes }
    const known = retention ?? new RetentionRules([], () => true)
    this.#entries = new RetainedEntries(known.with([...known.rules, this.#rest]), {
      ...(entries !== undefined && { entries }),
      ...(bytes !== undefined && { bytes }),
      ...(age !== undefined && { age })
    })
    this.#now = now
  }

  get head(): number {
    return this.#entries.last
  }

  get first(): number {
    this.#trim()
    return this.#entries.first
  }

  get removals(): number {
    this.#trim()
    return this.#entries.removals
  }

  get isReady(): boolean {
    return !this.#closed
  }

  async append(updates: readonly Update[], dedup?: DedupOptions): Promise<Appended[]> {
    if (this.#closed) throw new TidingsError('closed')
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

  async announce(announcements: readonly Announcement[]): Promise<void> {
    if (this.#closed) throw new TidingsError('closed')
    this.#commit(announcements.flatMap((announcement) => this.#enroll(announcement) ?? []))
  }

  async *members(): AsyncGenerator<readonly Member[], void, undefined> {
    yield [...this.#members.values()]
  }

  async renew(node: string, lease: number): Promise<readonly string[]> {
    return this.#leases.renew(node, lease)
  }

  async follow(deliver: (entries: readonly Entry[]) => void): Promise<void> {
    if (this.#closed) throw new TidingsError('closed')
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

  /** Keeps what other rules say from now on. */
  async retain(rules: readonly RetentionRule[]): Promise<void> {
    this.#entries.retain([...rules, this.#rest])
    this.#trim()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#followers.clear()
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

  #appendEntry(update: Update, more?: Pick<Entry, 'member'>): Entry {
    const offset = this.head + 1
    // A clock that is set back must not let an entry look older than the one before it.
    this.#newestTime = Math.max(this.#newestTime, this.#now())
    const id = update.id ?? formatId(this.epoch, offset)
    const entry = { epoch: this.epoch, offset, id, time: this.#newestTime, update, ...more }
    this.#entries.add(entry)
    return entry
  }

  #trim(): void {
    this.#entries.trim(this.#now())
  }

  /** A follower may append while it is being told; the others are then told of that later, so that all see one order. */
  #deliver(entries: Entry[]): void {
    this.#undelivered.push(entries)
    if (this.#delivering) return
    this.#delivering = true
    for (let next = this.#undelivered.shift(); next; next = this.#undelivered.shift()) {
      for (const deliver of this.#followers) deliver(next)
    }
    this.#delivering = false
  }
}
