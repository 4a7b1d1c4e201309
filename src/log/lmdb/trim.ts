// What one commit removes: entries that are superseded, that retention does not keep, or that were deleted, oldest first.
import { type Deletion, Deletions } from '../deletion.ts'
import type { Entry } from '../log.ts'
import type { Tombstone } from '../retention/removal-index.ts'
import type { ParsedRule, RetentionRules, RuleUsage } from '../retention/rules.ts'
import type { LmdbChanges } from './changes.ts'
import { alternatePlace, canonicalPlace } from './places.ts'
import type { LmdbStore, State } from './store.ts'

/**
 * The work of trimming in one commit, in addition to twice the number of added entries, with which it keeps up with any publisher. A scan
 * is cheap. Each removal may touch its own pages, and the next append waits for it.
 */
export const slice = { looked: 2_000, removed: 250 }
/** Deleted entries that one commit removes: nobody waits for their space, and publishers wait for each commit. */
const deletedPerCommit = 100

interface Budget {
  looked: number
  removed: number
}

export class LmdbTrim {
  /** Removed entries, without superseded and deleted ones. */
  readonly traces: Tombstone[] = []
  /** Whether more remains to be trimmed, and to be deleted. */
  #isTrimming = false
  #isDeleting = false
  /** Whether a change of rules or a deletion is complete, which the state has to say. */
  hasProgress = false
  /** The progress of a change of rules; undefined when it is complete. */
  supersededThrough: number | undefined
  deletions: Deletions
  readonly #store: LmdbStore
  readonly #retention: RetentionRules
  readonly #changes: LmdbChanges
  /** The offsets added to each topic under a rule with `last`. */
  readonly #touched = new Map<string, { most: number; offsets: number[] }>()

  constructor(store: LmdbStore, retention: RetentionRules, changes: LmdbChanges, state: State) {
    this.#store = store
    this.#retention = retention
    this.#changes = changes
    this.supersededThrough = state.supersededThrough
    this.deletions = state.deletions ? new Deletions(state.deletions) : Deletions.none
  }

  /** Whether more remains to be removed. */
  get unfinished(): boolean {
    return this.#isTrimming || this.#isDeleting
  }

  /** Notes an entry that may supersede others. */
  touch({ offset, update }: Entry): void {
    const most = this.#changes.lastOf(update)
    if (most === undefined) return
    const topic = update.topics[0] as string
    const touched = this.#touched.get(topic)
    if (touched) touched.offsets.push(offset)
    else this.#touched.set(topic, { most, offsets: [offset] })
  }

  /** Removes entries that are no longer among the newest of their topic. */
  #supersede(): void {
    for (const [topic, { most, offsets }] of this.#touched) {
      const place = canonicalPlace(topic)
      // There is more to remove than was added only during a change of rules, which removes the rest step by step.
      let over = Math.min(this.#changes.countOf(topic) - most, offsets.length)
      if (over <= 0) continue
      for (const offset of this.#store.offsets(place, 0)) {
        if (this.#changes.removed.has(offset)) continue
        if (over-- === 0) break
        this.#changes.drop(offset)
      }
      for (const offset of offsets.slice(0, Math.max(0, over))) this.#changes.drop(offset)
    }
  }

  /**
   * Removes what was deleted, superseded, and is not kept by the rules, within the budget of one commit. What was deleted comes first:
   * its room may save others.
   */
  trim(now: number, added: number, maxRemoved: number, head: number): void {
    const budget = { looked: slice.looked + 2 * added, removed: maxRemoved + 2 * added }
    const deleting = { removed: Math.min(deletedPerCommit, budget.removed) }
    for (const deletion of this.deletions.all) this.#delete(deletion, deleting, head - added)
    this.#supersede()
    if (this.supersededThrough !== undefined) this.#supersedeFrom(this.supersededThrough, budget)
    this.#retention.rules.forEach((rule, at) => {
      const { entries, bytes, age } = rule
      if (entries === undefined && bytes === undefined && age === undefined) return
      this.#trimRule(at, rule, now, budget, head)
    })
  }

  /** @param head the newest entry in the index; entries of this commit are found by the next one */
  #delete(deletion: Deletion, budget: Pick<Budget, 'removed'>, head: number): void {
    const { topics, from, through } = deletion
    for (const place of topics.flatMap((topic) => [canonicalPlace(topic), alternatePlace(topic)])) {
      for (const offset of this.#store.offsets(place, from)) {
        if (offset > through) break
        if (this.#changes.removed.has(offset)) continue
        this.#isDeleting ||= budget.removed <= 0
        if (this.#isDeleting) return
        this.#changes.drop(offset)
        budget.removed--
      }
    }
    if (through > head) this.#isDeleting = true
    else {
      this.deletions = this.deletions.without(deletion)
      this.hasProgress = true
    }
  }

  /** After a change of rules: removes what the new ones supersede, oldest first. */
  #supersedeFrom(after: number, budget: Budget): void {
    for (const { offset, update } of this.#changes.from(after + 1)) {
      this.#isTrimming ||= budget.looked-- <= 0 || budget.removed <= 0
      if (this.#isTrimming) return
      if (this.#changes.isOver(update)) {
        this.#changes.drop(offset)
        budget.removed--
      }
      this.supersededThrough = offset
    }
    this.supersededThrough = undefined
    this.hasProgress = true
  }

  #trimRule(at: number, rule: ParsedRule, now: number, budget: Budget, head: number): void {
    const tally = this.#changes.tallies[at] as RuleUsage
    const oldest = now - (rule.age ?? Infinity)
    if (tally.entries === 0) tally.after = head
    if (rule.age === undefined && fits(tally, rule)) return
    for (const entry of this.#changes.from(tally.after + 1)) {
      const isRuled = this.#retention.ruleOf(entry.update) === at
      if (isRuled && fits(tally, rule) && entry.time >= oldest) return
      this.#isTrimming ||= budget.looked-- <= 0 || budget.removed <= 0
      if (this.#isTrimming) return
      if (isRuled) {
        this.#forget(entry)
        budget.removed--
      }
      tally.after = entry.offset
    }
  }

  #forget({ offset, update }: Entry): void {
    this.#changes.drop(offset)
    if (this.deletions.covers(offset, update.topics)) return
    this.traces.push({ topics: update.topics, isPrivate: update.private === true, offset })
  }
}

function fits({ entries, bytes }: RuleUsage, most: ParsedRule): boolean {
  return entries <= (most.entries ?? Infinity) && bytes <= (most.bytes ?? Infinity)
}
