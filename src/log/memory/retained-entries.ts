// The entries that a log in memory keeps, and the retention rules that remove them.

import { type Deletion, Deletions } from '../deletion.ts'
import type { Entry, Filter } from '../log.ts'
import { OffsetDeque } from '../offset-deque.ts'
import { RemovalIndex } from '../retention/removal-index.ts'
import { type ParsedRule, type RetentionRule, RetentionRules, type RuleUsage } from '../retention/rules.ts'
import { sizeOf } from '../size.ts'
import { TimeSlice } from '../time-slice.ts'
import { EndIndex } from './ends.ts'

export class RetainedEntries {
  /** Undefined for a removed entry that follows older ones. */
  readonly #entries = new OffsetDeque<Entry | undefined>(0)
  readonly #ids = new PublisherIds()
  readonly #removals = new RemovalIndex()
  readonly #ends = new EndIndex()
  #deletions = Deletions.none
  /** How far the oldest deletion in progress has come. */
  #deletedThrough = 0
  #retention: RetentionRules
  #usages: RuleUsage[]
  /** The bounds of all entries together, whatever their rule. */
  readonly #totalRule: ParsedRule
  readonly #total: RuleUsage = { after: 0, entries: 0, bytes: 0 }
  /** The kept offsets of each topic under a rule with `last`. */
  readonly #offsetsByTopic = new Map<string, number[]>()

  constructor(rules: readonly RetentionRule[], total: Omit<ParsedRule, 'match'>) {
    this.#retention = new RetentionRules(rules)
    this.#totalRule = { match: '*', ...total }
    this.#usages = this.#retention.rules.map(() => ({ after: 0, entries: 0, bytes: 0 }))
  }

  get last(): number {
    return this.#entries.last
  }

  get first(): number {
    return this.#entries.first
  }

  get bytes(): number {
    return this.#total.bytes
  }

  /** The entry at an offset from `first` to `last`; undefined when it was removed or deleted. */
  at(offset: number): Entry | undefined {
    const entry = this.#entries.at(offset)
    return entry && !this.#deletions.isEmpty && this.#isDeleted(entry) ? undefined : entry
  }

  oldestWith(id: string): number | undefined {
    return this.#ids.all(id).find((offset) => this.at(offset))
  }

  get hasEnds(): boolean {
    return !this.#ends.isEmpty
  }

  /** The newest entry of a topic, if it is an end. */
  endOf(topic: string): Entry | undefined {
    for (const offset of this.#ends.newest(topic)) {
      const entry = this.at(offset)
      if (entry) return entry.update.end ? entry : undefined
    }
    return undefined
  }

  get deletions(): number {
    return this.#deletions.all.length
  }

  /** Hides the entries of a deletion. `deleteSome` removes them. */
  delete(deletion: Deletion): void {
    this.#deletions = this.#deletions.with(deletion)
  }

  /** Removes some of the entries that are to be deleted. Returns whether there are more. */
  deleteSome(): boolean {
    const [deletion] = this.#deletions.all
    if (!deletion) return false
    const slice = new TimeSlice()
    for (let offset = Math.max(deletion.from, this.#deletedThrough + 1, this.first); ; offset++) {
      if (offset > Math.min(deletion.through, this.last)) break
      const entry = this.#entries.at(offset)
      if (entry && this.#isDeleted(entry)) this.#remove(entry)
      this.#deletedThrough = offset
      if (slice.isOver) return true
    }
    this.#deletions = this.#deletions.without(deletion)
    this.#deletedThrough = 0
    return !this.#deletions.isEmpty
  }

  get removals(): number {
    return this.#removals.removals
  }

  get removalIndex(): Pick<RemovalIndex, 'since'> {
    return this.#removals
  }

  lost(after: number, filter: Filter, removalsSeen = 0): boolean {
    return this.#removals.lost(after, filter, { removalsSeen })
  }

  add(entry: Entry): void {
    this.#entries.push(entry)
    if (entry.update.id !== undefined) this.#ids.add(entry.update.id, entry.offset)
    this.#ends.add(entry)
    this.#count(entry, 1)
    this.#supersede(entry)
  }

  /** Sets other rules: counts what each of them keeps, and removes what they supersede. */
  retain(rules: readonly RetentionRule[]): void {
    this.#retention = new RetentionRules(rules)
    this.#usages = rules.map(() => ({ after: 0, entries: 0, bytes: 0 }))
    this.#offsetsByTopic.clear()
    for (let offset = this.first; offset <= this.last; offset++) {
      const entry = this.#entries.at(offset)
      const usage = entry && this.#usages[this.#retention.ruleOf(entry.update)]
      if (usage) count(usage, 1, sizeOf(entry.update))
    }
    for (let offset = this.first; offset <= this.last; offset++) {
      const entry = this.#entries.at(offset)
      if (entry) this.#supersede(entry)
    }
  }

  /** Removes entries that exceed a bound. */
  trim(now: number): void {
    const { rules } = this.#retention
    for (let index = 0; index < rules.length; index++)
      this.#trimOne(rules[index] as ParsedRule, this.#usages[index] as RuleUsage, now, index)
    this.#trimOne(this.#totalRule, this.#total, now)
  }

  #trimOne(rule: ParsedRule, usage: RuleUsage, now: number, index?: number): void {
    while (usage.entries > 0) {
      const oldest = this.#oldest(usage, index)
      if (!oldest || !isOver(rule, usage, oldest, now)) return
      this.#remove(oldest)
      // A deleted entry leaves no gap.
      if (!this.#isDeleted(oldest))
        this.#removals.add(oldest.update.topics, oldest.update.private === true, oldest.offset)
    }
  }

  /** The oldest entry of a rule, or of all. Over all calls, each offset is visited once. */
  #oldest(usage: RuleUsage, index: number | undefined): Entry | undefined {
    usage.after = Math.max(usage.after, this.first - 1)
    for (; usage.after < this.last; usage.after++) {
      const entry = this.#entries.at(usage.after + 1)
      if (entry && (index === undefined || this.#retention.ruleOf(entry.update) === index)) return entry
    }
    return undefined
  }

  /** Removes entries that are no longer among the newest of their topic. That is no gap. */
  #supersede({ offset, update }: Entry): void {
    const most = this.#retention.rules[this.#retention.ruleOf(update)]?.last
    if (most === undefined) return
    const [topic = ''] = update.topics
    const offsets = this.#offsetsByTopic.get(topic) ?? []
    this.#offsetsByTopic.set(topic, offsets)
    offsets.push(offset)
    while (offsets.length > most) this.#remove(this.#entries.at(offsets[0] as number) as Entry)
  }

  #isDeleted({ offset, update }: Entry): boolean {
    return this.#deletions.covers(offset, update.topics)
  }

  #remove(entry: Entry): void {
    const { offset, update } = entry
    this.#ends.remove(entry)
    this.#entries.set(offset, undefined)
    if (update.id !== undefined) this.#ids.remove(update.id, offset)
    this.#count(entry, -1)
    const [topic = ''] = update.topics
    const offsets = this.#offsetsByTopic.get(topic)
    const at = offsets?.indexOf(offset) ?? -1
    if (at !== -1) offsets?.splice(at, 1)
    if (offsets?.length === 0) this.#offsetsByTopic.delete(topic)
    while (this.#entries.length > 0 && !this.#entries.at(this.first)) this.#entries.dropFirst()
  }

  #count({ update }: Entry, by: 1 | -1): void {
    const bytes = by * sizeOf(update)
    const usage = this.#usages[this.#retention.ruleOf(update)]
    if (usage) count(usage, by, bytes)
    count(this.#total, by, bytes)
  }
}

function count(usage: RuleUsage, entries: number, bytes: number): void {
  usage.entries += entries
  usage.bytes += bytes
}

function isOver(
  { entries = Infinity, bytes = Infinity, age = Infinity }: ParsedRule,
  usage: RuleUsage,
  oldest: Entry,
  now: number
): boolean {
  return usage.entries > entries || usage.bytes > bytes || oldest.time < now - age
}

/** Publishers' ids and the offsets of their entries. Most ids have one entry, so a single offset is stored without a list. */
class PublisherIds {
  readonly #offsets = new Map<string, number | number[]>()

  /** Offsets must be added in ascending order. */
  add(id: string, offset: number): void {
    const known = this.#offsets.get(id)
    if (known === undefined) this.#offsets.set(id, offset)
    else if (typeof known === 'number') this.#offsets.set(id, [known, offset])
    else known.push(offset)
  }

  remove(id: string, offset: number): void {
    const known = this.#offsets.get(id)
    if (!Array.isArray(known) || known.length === 1) this.#offsets.delete(id)
    // Retention removes the oldest, which costs as much in a long list as in a short one.
    else if (known[0] === offset) known.shift()
    else known.splice(known.indexOf(offset), 1)
  }

  all(id: string): readonly number[] {
    const known = this.#offsets.get(id)
    return Array.isArray(known) ? known : known === undefined ? [] : [known]
  }
}
