// Plans one commit: the entries that it adds, and a slice of what is removed.
import { TidingsError } from '../../errors.ts'
import type { Update } from '../../update.ts'
import { appendDeduplicated, type DedupRecord } from '../dedup/append.ts'
import { type Deletion, maxDeletions } from '../deletion.ts'
import type { Outcome, PendingAppend } from '../group-commit.ts'
import { formatId } from '../ids.ts'
import type { Entry } from '../log.ts'
import type { Tombstone } from '../retention/removal-index.ts'
import { tombstoneKey } from '../retention/removal-index.ts'
import type { RetentionRules } from '../retention/rules.ts'
import type { Member } from '../roster.ts'
import { LmdbChanges, roomFor } from './changes.ts'
import type { LmdbStore, State } from './store.ts'
import { LmdbTrim, slice } from './trim.ts'

export class LmdbPlan {
  /** The appended entries, in order. Some of them may be removed at once. */
  readonly appended: Entry[] = []
  readonly #changes: LmdbChanges
  readonly #trim: LmdbTrim
  #now = 0
  /** Deduplication keys to store. */
  readonly #remembered = new Map<string, DedupRecord>()
  /** Members that come or, with `null`, go, by topic. */
  readonly #members = new Map<string, Member | null>()
  /** Expired keys. */
  #expired: [key: string, until: number][] = []
  head: number
  time: number
  #hasEnds: boolean
  readonly #rules: string | undefined
  readonly #store: LmdbStore

  /** Removals, in addition to twice the number of added entries. */
  readonly #maxRemoved: number

  constructor(store: LmdbStore, retention: RetentionRules, state: State, maxRemoved = slice.removed) {
    this.#maxRemoved = maxRemoved
    this.#store = store
    this.#changes = new LmdbChanges(store, retention, state.tallies)
    this.#trim = new LmdbTrim(store, retention, this.#changes, state)
    this.head = state.head
    this.time = state.time
    this.#hasEnds = state.hasEnds ?? false
    this.#rules = state.rules
  }

  get isEmpty(): boolean {
    return this.appended.length === 0 && this.#changes.removed.size === 0 && !this.#trim.hasProgress
  }

  /** Computes the maximum of disk space that the commit needs, which only a full disk asks for; undefined when it adds nothing. */
  get needed(): (() => number) | undefined {
    return this.appended.length > 0 ? () => roomFor(this.appended) : undefined
  }

  /** Whether more remains to be trimmed. */
  get unfinished(): boolean {
    return this.#trim.unfinished
  }

  /** Removed entries, without superseded and deleted ones. */
  get traces(): readonly Tombstone[] {
    return this.#trim.traces
  }

  removes(offset: number): boolean {
    return this.#changes.removed.has(offset)
  }

  /** The state after this commit. */
  stateWith(floor: number): State {
    const { head, time } = this
    const { supersededThrough, deletions } = this.#trim
    return {
      head,
      time,
      floor,
      tallies: this.#changes.tallies,
      ...(this.#rules !== undefined && { rules: this.#rules }),
      ...(supersededThrough !== undefined && { supersededThrough }),
      ...(this.#hasEnds && { hasEnds: true }),
      ...(!deletions.isEmpty && { deletions: deletions.all })
    }
  }

  /** Writes the changes, within a commit. */
  write(state: State, crowdedOut: readonly (string | undefined)[]): void {
    for (const entry of this.#changes.added.values()) this.#store.put(entry)
    for (const entry of this.#changes.removed.values()) this.#store.remove(entry)
    for (const [key, trace] of this.newestTraces) this.#store.putTrace(key, trace)
    for (const key of crowdedOut) if (key !== undefined) this.#store.removeTrace(key)
    for (const [topic, member] of this.#members) {
      if (member) this.#store.roster.put(member)
      else this.#store.roster.remove(topic)
    }
    for (const [key, until] of this.#expired) this.#store.dedup.remove(key, until)
    for (const [key, memory] of this.#remembered) this.#store.dedup.put(key, memory)
    this.#store.putState(state)
  }

  /** Plans the appends of a group, and what is then removed. Returns the outcome of each append. */
  appendAll(group: readonly PendingAppend[], now: number): Outcome[] {
    // When the clock is set back, an entry must not get an earlier time than the one before it.
    this.#now = Math.max(this.time, now)
    const outcomes = group.map((append) => this.#take(append))
    this.#expired = this.#store.dedup.expired(this.#now, this.#maxRemoved + 2 * this.#remembered.size)
    this.#trim.trim(now, this.appended.length, this.#maxRemoved, this.head)
    return outcomes
  }

  #take({ updates, dedup, members, deletion }: PendingAppend): Outcome {
    if (members) return updates.flatMap((update, at) => this.#enroll(update, members[at] ?? null) ?? [])
    if (deletion) return this.#delete(deletion, updates[0] as Update)
    const store = {
      find: (key: string) => this.#find(key),
      add: (key: string, memory: DedupRecord) => void this.#remembered.set(key, memory)
    }
    try {
      return appendDeduplicated(this.#store.epoch, updates, dedup, store, (update) => this.#append(update))
    } catch (error) {
      if (error instanceof TidingsError) return error
      throw error
    }
  }

  #find(key: string): DedupRecord | undefined {
    const memory = this.#remembered.get(key) ?? this.#store.dedup.find(key)
    return memory && memory.until > this.#now ? memory : undefined
  }

  /** Skips an announcement that changes nothing. */
  #enroll(update: Update, member: Member | null): Entry | undefined {
    const topic = update.topics[0] as string
    const known = this.#members.get(topic)
    const isOn = known === undefined ? this.#store.roster.has(topic) : known !== null
    if (isOn === (member !== null)) return undefined
    this.#members.set(topic, member)
    return this.#append(update, { member })
  }

  #delete(deletion: Deletion, announcement: Update): Outcome {
    if (this.#trim.deletions.all.length >= maxDeletions) return new TidingsError('deletions_too_many')
    const entry = this.#append(announcement, { deletion })
    this.#trim.deletions = this.#trim.deletions.with(deletion)
    return [entry]
  }

  #append(update: Update, more?: Pick<Entry, 'member' | 'deletion'>): Entry {
    const offset = ++this.head
    this.time = this.#now
    const { epoch } = this.#store
    const entry = { epoch, offset, id: update.id ?? formatId(epoch, offset), time: this.time, update, ...more }
    this.appended.push(entry)
    this.#hasEnds ||= update.end === true
    this.#changes.add(entry)
    this.#trim.touch(entry)
    return entry
  }

  /** The newest tombstone of each set of topics, by its key. */
  get newestTraces(): Map<string, Tombstone> {
    const newest = new Map<string, Tombstone>()
    for (const trace of this.traces) {
      const key = tombstoneKey(trace.topics, trace.isPrivate)
      if (key !== undefined) newest.set(key, trace)
    }
    return newest
  }
}
