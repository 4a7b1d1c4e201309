// The entries that one commit adds and removes, and what each rule keeps after it. Counters and entries change together.
import type { Update } from '../../update.ts'
import type { Entry } from '../log.ts'
import type { RetentionRules, RuleUsage } from '../retention/rules.ts'
import { sizeOf } from '../size.ts'
import { canonicalPlace } from './places.ts'
import type { LmdbStore } from './store.ts'

/** The usual size of a page in LMDB. */
const page = 4_096

/** The maximum of disk space that entries may need, in bytes: each topic and id may touch its own pages. */
export function roomFor(entries: readonly Entry[]): number {
  const places = new Set(entries.flatMap(({ update }) => [...update.topics, ...(update.id ? [`id ${update.id}`] : [])]))
  return entries.reduce((sum, { update }) => sum + 2 * sizeOf(update), page * (16 + 2 * places.size))
}

export class LmdbChanges {
  readonly added = new Map<number, Entry>()
  readonly removed = new Map<number, Entry>()
  readonly tallies: RuleUsage[]
  readonly #store: LmdbStore
  readonly #retention: RetentionRules
  /** The change in the number of entries of each topic under a rule with `last`. */
  readonly #growth = new Map<string, number>()

  constructor(store: LmdbStore, retention: RetentionRules, tallies: readonly RuleUsage[]) {
    this.#store = store
    this.#retention = retention
    this.tallies = tallies.map((tally) => ({ ...tally }))
  }

  add(entry: Entry): void {
    this.added.set(entry.offset, entry)
    this.#count(entry.update, 1)
  }

  drop(offset: number): void {
    const added = this.added.get(offset)
    const entry = added ?? this.#store.entry(offset)
    if (!entry) return
    if (added) this.added.delete(offset)
    else this.removed.set(offset, entry)
    this.#count(entry.update, -1)
  }

  /** The entries from an offset on, as they are after this commit. */
  *from(offset: number): Generator<Entry, void, undefined> {
    for (const entry of this.#store.from(offset)) if (!this.removed.has(entry.offset)) yield entry
    for (const entry of this.added.values()) if (entry.offset >= offset) yield entry
  }

  /** The `last` of the rule of an update; undefined when it has none. */
  lastOf(update: Update): number | undefined {
    return this.#retention.rules[this.#retention.ruleOf(update)]?.last
  }

  /** Whether a topic has more entries than its rule keeps. */
  isOver(update: Update): boolean {
    const most = this.lastOf(update)
    if (most === undefined) return false
    return this.countOf(update.topics[0] as string) > most
  }

  /** The number of entries of a topic under a rule with `last`, after this commit. */
  countOf(topic: string): number {
    return this.#store.count(canonicalPlace(topic)) + (this.#growth.get(topic) ?? 0)
  }

  #count(update: Update, by: 1 | -1): void {
    const tally = this.tallies[this.#retention.ruleOf(update)]
    if (!tally) return
    tally.entries += by
    tally.bytes += by * sizeOf(update)
    if (this.lastOf(update) === undefined) return
    const topic = update.topics[0] as string
    this.#growth.set(topic, (this.#growth.get(topic) ?? 0) + by)
  }
}
