// Plans one commit: the entries that it adds, those that they supersede, and a slice of what retention removes.
import { TidingsError } from '../../errors.ts'
import type { Update } from '../../update.ts'
import { appendDeduplicated, type DedupRecord } from '../dedup/append.ts'
import type { Outcome, PendingAppend } from '../group-commit.ts'
import { formatId } from '../ids.ts'
import type { Entry } from '../log.ts'
import type { Tombstone } from '../retention/removal-index.ts'
import { tombstoneKey } from '../retention/removal-index.ts'
import type { ParsedRule, RetentionRules, RuleUsage } from '../retention/rules.ts'
import type { Member } from '../roster.ts'
import { LmdbChanges, roomFor } from './changes.ts'
import { canonicalPlace } from './places.ts'
import type { LmdbStore, State } from './store.ts'

/**
 * The work of trimming in one commit, in addition to twice the number of added entries, with which it keeps up with any publisher. A scan
 * is cheap. Each removal may touch its own pages, and the next append waits for it.
 */
export const slice = { looked: 2_000, removed: 250 }

interface Budget {
  looked: number
  removed: number
}

export class LmdbPlan {
  /** The appended entries, in order. Some of them may be removed at once. */
  readonly appended: Entry[] = []
  readonly #changes: LmdbChanges
  #now = 0
  /** Deduplication keys to store. */
  readonly #remembered = new Map<string, DedupRecord>()
  /** Members that come or, with `null`, go, by topic. */
  readonly #members = new Map<string, Member | null>()
  /** Expired keys. */
  #expired: [key: string, until: number][] = []
  /** Removed entries, without superseded ones. */
  readonly traces: Tombstone[] = []
  /** Whether more remains to be trimmed. */
  unfinished = false
  head: number
  time: number
  /** The progress of a change of rules; undefined when it is complete. */
  #supersededThrough: number | undefined
  #isSuperseded = false
  readonly #rules: string | undefined
  readonly #store: LmdbStore
  readonly #retention: RetentionRules
  /** The offsets added to each topic under a rule with `last`. */
  readonly #touched = new Map<string, { most: number; offsets: number[] }>()

  /** Removals of trimming, in addition to twice the number of added entries. */
  readonly #maxRemoved: number

  constructor(store: LmdbStore, retention: RetentionRules, state: State, maxRemoved = slice.removed) {
    this.#maxRemoved = maxRemoved
    this.#store = store
    this.#retention = retention
    this.#changes = new LmdbChanges(store, retention, state.tallies)
    this.head = state.head
    this.time = state.time
    this.#rules = state.rules
    this.#supersededThrough = state.supersededThrough
  }

  get isEmpty(): boolean {
    return this.appended.length === 0 && this.#changes.removed.size === 0 && !this.#isSuperseded
  }

  /** Computes the maximum of disk space that the commit needs, which only a full disk asks for; undefined when it adds nothing. */
  get needed(): (() => number) | undefined {
    return this.appended.length > 0 ? () => roomFor(this.appended) : undefined
  }

  removes(offset: number): boolean {
    return this.#changes.removed.has(offset)
  }

  /** The state after this commit. */
  stateWith(floor: number): State {
    const { head, time } = this
    return {
      head,
      time,
      floor,
      tallies: this.#changes.tallies,
      ...(this.#rules !== undefined && { rules: this.#rules }),
      ...(this.#supersededThrough !== undefined && { supersededThrough: this.#supersededThrough })
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

  /** Plans the appends of a group, and what retention then removes. Returns the outcome of each append. */
  appendAll(group: readonly PendingAppend[], now: number): Outcome[] {
    // When the clock is set back, an entry must not get an earlier time than the one before it.
    this.#now = Math.max(this.time, now)
    const outcomes = group.map((append) => this.#take(append))
    this.#expired = this.#store.dedup.expired(this.#now, this.#maxRemoved + 2 * this.#remembered.size)
    this.#supersede()
    this.#trim(now)
    return outcomes
  }

  #take({ updates, dedup, members }: PendingAppend): Outcome {
    if (members) return updates.flatMap((update, at) => this.#enroll(update, members[at] ?? null) ?? [])
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

  #append(update: Update, more?: Pick<Entry, 'member'>): Entry {
    const offset = ++this.head
    this.time = this.#now
    const { epoch } = this.#store
    const entry = { epoch, offset, id: update.id ?? formatId(epoch, offset), time: this.time, update, ...more }
    this.appended.push(entry)
    this.#changes.add(entry)
    this.#touch(entry)
    return entry
  }

  /** Removes entries that are no longer among the newest of their topic. */
  #supersede(): void {
    for (const [topic, { most, offsets }] of this.#touched) {
      const place = canonicalPlace(topic)
      // There is more to remove than was added only during a change of rules, which removes the rest step by step.
      let over = Math.min(this.#store.count(place) + offsets.length - most, offsets.length)
      if (over <= 0) continue
      for (const offset of this.#store.offsets(place, 0)) {
        if (over-- === 0) break
        this.#changes.drop(offset)
      }
      for (const offset of offsets.slice(0, Math.max(0, over))) this.#changes.drop(offset)
    }
  }

  /** Removes what the rule does not keep, oldest first, within the budget of one commit. */
  #trim(now: number): void {
    const more = 2 * this.appended.length
    const budget = { looked: slice.looked + more, removed: this.#maxRemoved + more }
    if (this.#supersededThrough !== undefined) this.#supersedeFrom(this.#supersededThrough, budget)
    this.#retention.rules.forEach((rule, at) => {
      const { entries, bytes, age } = rule
      if (entries !== undefined || bytes !== undefined || age !== undefined) this.#trimRule(at, rule, now, budget)
    })
  }

  /** After a change of rules: removes what the new ones supersede, oldest first. */
  #supersedeFrom(after: number, budget: Budget): void {
    for (const { offset, update } of this.#changes.from(after + 1)) {
      this.unfinished ||= budget.looked-- <= 0 || budget.removed <= 0
      if (this.unfinished) return
      if (this.#changes.isOver(update)) {
        this.#changes.drop(offset)
        budget.removed--
      }
      this.#supersededThrough = offset
    }
    this.#supersededThrough = undefined
    this.#isSuperseded = true
  }

  #trimRule(at: number, rule: ParsedRule, now: number, budget: Budget): void {
    const tally = this.#changes.tallies[at] as RuleUsage
    const oldest = now - (rule.age ?? Infinity)
    if (tally.entries === 0) tally.after = this.head
    if (rule.age === undefined && fits(tally, rule)) return
    for (const entry of this.#changes.from(tally.after + 1)) {
      const isRuled = this.#retention.ruleOf(entry.update) === at
      if (isRuled && fits(tally, rule) && entry.time >= oldest) return
      this.unfinished ||= budget.looked-- <= 0 || budget.removed <= 0
      if (this.unfinished) return
      if (isRuled) {
        this.#forget(entry)
        budget.removed--
      }
      tally.after = entry.offset
    }
  }

  #forget({ offset, update }: Entry): void {
    this.#changes.drop(offset)
    this.traces.push({ topics: update.topics, isPrivate: update.private === true, offset })
  }

  #touch({ offset, update }: Entry): void {
    const most = this.#changes.lastOf(update)
    if (most === undefined) return
    const topic = update.topics[0] as string
    const touched = this.#touched.get(topic)
    if (touched) touched.offsets.push(offset)
    else this.#touched.set(topic, { most, offsets: [offset] })
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

function fits({ entries, bytes }: RuleUsage, most: ParsedRule): boolean {
  return entries <= (most.entries ?? Infinity) && bytes <= (most.bytes ?? Infinity)
}
