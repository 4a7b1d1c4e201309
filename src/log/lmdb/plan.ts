// What one commit of an LmdbLog changes: the entries it adds, those that they supersede, and a slice of what retention no
// longer keeps. It works that out and writes nothing.
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
 * What trimming may do in one commit, besides twice as much as is added, with which it keeps up with any publisher. Looking
 * is cheap; each removal may touch pages of its own, which whoever appends next has to wait for.
 */
export const slice = { looked: 2_000, removed: 250 }

interface Budget {
  looked: number
  removed: number
}

export class LmdbPlan {
  /** What was appended, in order; some of it may not be kept. */
  readonly appended: Entry[] = []
  readonly #changes: LmdbChanges
  #now = 0
  /** What is to be remembered, by key. */
  readonly #remembered = new Map<string, DedupRecord>()
  /** Who comes or, with `null`, goes, by topic. */
  readonly #members = new Map<string, Member | null>()
  /** Keys that count no more. */
  #expired: [key: string, until: number][] = []
  /** What was removed, and not because of being superseded. */
  readonly traces: Tombstone[] = []
  /** Whether there is more to trim than one slice. */
  unfinished = false
  head: number
  time: number
  /** How far a change of rules has been carried out; undefined when it has been. */
  #supersededThrough: number | undefined
  #isSuperseded = false
  readonly #rules: string | undefined
  readonly #store: LmdbStore
  readonly #retention: RetentionRules
  /** The offsets added to each topic that keeps only its newest. */
  readonly #touched = new Map<string, { most: number; offsets: number[] }>()

  /** The most that trimming removes, besides twice as much as is added. */
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

  /** Tells how many bytes of the disk it may take, at the very most, which is only asked on a full disk; undefined where it adds nothing. */
  get needed(): (() => number) | undefined {
    return this.appended.length > 0 ? () => roomFor(this.appended) : undefined
  }

  removes(offset: number): boolean {
    return this.#changes.removed.has(offset)
  }

  /** What is known of the whole after this commit. */
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

  /** Writes it down, within one commit. */
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

  /** Adds what a group appends, removes what is then no longer kept, and says what becomes of each append. */
  appendAll(group: readonly PendingAppend[], now: number): Outcome[] {
    // A clock that is set back must not let an entry look older than the one before it.
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

  /** Leaves out who is on the roster already, or is not. */
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

  /** Removes what is no longer among the newest of its topic. */
  #supersede(): void {
    for (const [topic, { most, offsets }] of this.#touched) {
      const place = canonicalPlace(topic)
      // More than was added is over only while a change of rules is carried out, which removes the rest bit by bit.
      let over = Math.min(this.#store.count(place) + offsets.length - most, offsets.length)
      if (over <= 0) continue
      for (const offset of this.#store.offsets(place, 0)) {
        if (over-- === 0) break
        this.#changes.drop(offset)
      }
      for (const offset of offsets.slice(0, Math.max(0, over))) this.#changes.drop(offset)
    }
  }

  /** Removes what its rule does not keep, oldest first, as far as one commit may go. */
  #trim(now: number): void {
    const more = 2 * this.appended.length
    const budget = { looked: slice.looked + more, removed: this.#maxRemoved + more }
    if (this.#supersededThrough !== undefined) this.#supersedeFrom(this.#supersededThrough, budget)
    this.#retention.rules.forEach((rule, at) => {
      const { entries, bytes, age } = rule
      if (entries !== undefined || bytes !== undefined || age !== undefined) this.#trimRule(at, rule, now, budget)
    })
  }

  /** Removes what rules supersede that were others when it was appended, oldest first. */
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

  /** The newest trace of each set of topics, by its key. */
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
