// Writes to an LmdbStore, one commit at a time: appends, and what retention removes.
import { TidingsError } from '../../errors.ts'
import { Deletions } from '../deletion.ts'
import type { Outcome, PendingAppend } from '../group-commit.ts'
import type { Entry } from '../log.ts'
import { type RetentionRule, RetentionRules } from '../retention/rules.ts'
import { LmdbPlan } from './plan.ts'
import { recount } from './recount.ts'
import { LmdbRemovals } from './removals.ts'
import type { LmdbStore, State } from './store.ts'
import { slice } from './trim.ts'

/** Commits that free space in one go, while appends wait. */
const maxReclaims = 16

export class LmdbWriter {
  /** Whether more remains to be trimmed. */
  isBehind = false
  /** Whether trimming failed because the disk is full; it is then not repeated at once. */
  isStuck = false
  readonly removalIndex: LmdbRemovals
  readonly #store: LmdbStore
  readonly #now: () => number
  #retention: RetentionRules
  #state: State
  #deletions: Deletions
  #first: number
  /** Whether the state was counted under other rules than the stored one. The next commit stores it. */
  #isRecounted: boolean

  private constructor(store: LmdbStore, retention: RetentionRules, state: State, now: () => number) {
    this.#store = store
    this.#retention = retention
    this.#state = state
    this.#deletions = deletionsOf(state)
    this.#now = now
    this.#isRecounted = store.state?.rules !== state.rules
    this.#first = store.first ?? state.head + 1
    this.removalIndex = new LmdbRemovals(store.traces(), state.floor)
  }

  /** @throws LogError when the stored state cannot be read */
  static async open(store: LmdbStore, retention: RetentionRules, now: () => number): Promise<LmdbWriter> {
    return new LmdbWriter(store, retention, await recount(store, retention), now)
  }

  get head(): number {
    return this.#state.head
  }

  get first(): number {
    return this.#first
  }

  get hasEnds(): boolean {
    return this.#state.hasEnds ?? false
  }

  /** The deletions in progress, whose entries no reader gets. */
  get deletions(): Deletions {
    return this.#deletions
  }

  get hasAge(): boolean {
    return this.#retention.rules.some(({ age }) => age !== undefined)
  }

  /** Sets other rules. The following commits remove what they do not keep. */
  async retain(rules: readonly RetentionRule[]): Promise<void> {
    const retention = new RetentionRules(rules)
    this.#state = await recount({ state: this.#state, from: (offset) => this.#store.from(offset) }, retention)
    this.#retention = retention
    this.#isRecounted = true
  }

  /**
   * Appends a group and trims, or does nothing. Calls `deliver` in the tick in which the entries can be read. When the disk is full, it
   * first removes what retention does not keep.
   * @throws TidingsError `storage_full`, or a LogError after which nothing more can be promised
   */
  async write(group: readonly PendingAppend[], deliver: (entries: readonly Entry[]) => void): Promise<Outcome[]> {
    try {
      return await this.#write(group, deliver)
    } catch (error) {
      if (!isFull(error) || !(await this.#reclaim())) throw error
      return await this.#write(group, deliver)
    }
  }

  async #write(group: readonly PendingAppend[], deliver: (entries: readonly Entry[]) => void): Promise<Outcome[]> {
    const plan = new LmdbPlan(this.#store, this.#retention, this.#state)
    const outcomes = plan.appendAll(group, this.#now())
    await this.#keep(plan)
    deliver(plan.appended)
    return outcomes
  }

  /**
   * Trims with the reserved space, in slices that shrink when they do not fit. Returns whether it removed anything.
   */
  async #reclaim(): Promise<boolean> {
    await this.#store.reclaimPages().catch(onlyWhenFull)
    let hasRemoved = false
    this.isBehind = true
    this.isStuck = true
    try {
      for (
        let maxRemoved = slice.removed, times = 0;
        maxRemoved >= 1 && times < maxReclaims && this.isBehind;
        times++
      ) {
        const plan = new LmdbPlan(this.#store, this.#retention, this.#state, maxRemoved)
        plan.appendAll([], this.#now())
        if (!plan.isEmpty) this.#store.disk.releaseReserve()
        try {
          await this.#keep(plan)
          hasRemoved ||= !plan.isEmpty
        } catch (error) {
          onlyWhenFull(error)
          maxRemoved = Math.floor(maxRemoved / 4)
        }
      }
      // Pages that a commit frees can be reused by the second one after it.
      if (hasRemoved) await this.#store.reclaimPages().catch(onlyWhenFull)
      return hasRemoved
    } finally {
      this.#store.disk.fillReserve()
    }
  }

  async #keep(plan: LmdbPlan): Promise<void> {
    const { head } = plan
    const crowdedOut = this.removalIndex.add(plan.traces)
    const state = plan.stateWith(this.removalIndex.floor)
    if (!plan.isEmpty || this.#isRecounted) {
      await this.#store.commit(() => plan.write(state, crowdedOut), plan.needed)
      this.#isRecounted = false
      // A scan for entries to trim may take many steps; the event loop runs in between.
    } else await new Promise(setImmediate)
    this.removalIndex.settle()
    if (state.deletions !== this.#state.deletions) this.#deletions = deletionsOf(state)
    this.#state = state
    if (plan.removes(this.#first) || this.#first > head - plan.appended.length)
      this.#first = this.#store.first ?? head + 1
    this.isBehind = plan.unfinished
    if (!plan.isEmpty) this.isStuck = false
  }
}

function deletionsOf({ deletions }: State): Deletions {
  return deletions ? new Deletions(deletions) : Deletions.none
}

function isFull(error: unknown): boolean {
  return error instanceof TidingsError && error.code === 'storage_full'
}

function onlyWhenFull(error: unknown): void {
  if (!isFull(error)) throw error
}
