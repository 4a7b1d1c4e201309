// The entries that a log in memory keeps, and the retention rules that remove them.

import type { Entry, Filter } from '../log.ts'
import { OffsetDeque } from '../offset-deque.ts'
import { RemovalIndex } from '../retention/removal-index.ts'
import { type ParsedRule, type RetentionRule, RetentionRules, type RuleUsage } from '../retention/rules.ts'
import { sizeOf } from '../size.ts'

export class RetainedEntries {
  /** Undefined for a removed entry that follows older ones. */
  readonly #entries = new OffsetDeque<Entry | undefined>(0)
  readonly #ids = new PublisherIds()
  readonly #removals = new RemovalIndex()
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

  /** The entry at an offset from `first` to `last`; undefined when it was removed. */
  at(offset: number): Entry | undefined {
    return this.#entries.at(offset)
  }

  oldestWith(id: string): number | undefined {
    return this.#ids.oldest(id)
  }

  get removals(): number {
    return this.#removals.removals
  }

  lost(after: number, filter: Filter, removalsSeen?: number): boolean {
    return this.#removals.lost(after, filter, removalsSeen === undefined ? {} : { removalsSeen })
  }

  add(entry: Entry): void {
    this.#entries.push(entry)
    if (entry.update.id !== undefined) this.#ids.add(entry.update.id, entry.offset)
    for (const usage of this.#usagesOf(entry)) count(usage, entry, 1)
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
      if (usage) count(usage, entry, 1)
    }
    for (let offset = this.first; offset <= this.last; offset++) {
      const entry = this.#entries.at(offset)
      if (entry) this.#supersede(entry)
    }
  }

  /** Removes entries that exceed a bound. */
  trim(now: number): void {
    for (const [index, rule] of this.#retention.rules.entries())
      this.#trimOne(rule, this.#usages[index] as RuleUsage, now, index)
    this.#trimOne(this.#totalRule, this.#total, now)
  }

  #trimOne(rule: ParsedRule, usage: RuleUsage, now: number, index?: number): void {
    while (usage.entries > 0) {
      const oldest = this.#oldest(usage, index)
      if (!oldest || !isOver(rule, usage, oldest, now)) return
      this.#remove(oldest)
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

  #remove(entry: Entry): void {
    const { offset, update } = entry
    this.#entries.set(offset, undefined)
    if (update.id !== undefined) this.#ids.remove(update.id, offset)
    for (const usage of this.#usagesOf(entry)) count(usage, entry, -1)
    const [topic = ''] = update.topics
    const offsets = this.#offsetsByTopic.get(topic)
    if (offsets?.[0] === offset) offsets.shift()
    if (offsets?.length === 0) this.#offsetsByTopic.delete(topic)
    while (this.#entries.length > 0 && !this.#entries.at(this.first)) this.#entries.dropFirst()
  }

  #usagesOf({ update }: Entry): RuleUsage[] {
    const usage = this.#usages[this.#retention.ruleOf(update)]
    return usage ? [usage, this.#total] : [this.#total]
  }
}

function count(usage: RuleUsage, { update }: Entry, by: 1 | -1): void {
  usage.entries += by
  usage.bytes += by * sizeOf(update)
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
    else if (known[0] === offset) known.shift()
    else known.splice(known.indexOf(offset), 1)
  }

  oldest(id: string): number | undefined {
    const known = this.#offsets.get(id)
    return Array.isArray(known) ? known[0] : known
  }
}
