// Carries out what an LmdbLog is asked to write, one commit at a time: appends, and what retention removes. It knows what is
// committed; it queues nothing, and knows no follower.
import { TidingsError } from '../../errors.ts'
import type { Outcome, PendingAppend } from '../group-commit.ts'
import type { Entry } from '../log.ts'
import { type RetentionRule, RetentionRules } from '../retention/rules.ts'
import { LmdbPlan, slice } from './plan.ts'
import { recount } from './recount.ts'
import { LmdbRemovals } from './removals.ts'
import type { LmdbStore, State } from './store.ts'

/** How many commits make room in one go, while those who append wait. */
const maxReclaims = 16

export class LmdbWriter {
  /** Whether there is more to trim than has been. */
  isBehind = false
  /** Whether that has failed for lack of room, so that it is not to be tried again at once. */
  isStuck = false
  readonly losses: LmdbRemovals
  readonly #store: LmdbStore
  readonly #now: () => number
  #retention: RetentionRules
  #state: State
  #first: number
  /** Whether the state follows from other rules than the one on disk; the next commit makes that good. */
  #isRecounted: boolean

  private constructor(store: LmdbStore, retention: RetentionRules, state: State, now: () => number) {
    this.#store = store
    this.#retention = retention
    this.#state = state
    this.#now = now
    this.#isRecounted = store.state?.rules !== state.rules
    this.#first = store.first ?? state.head + 1
    this.losses = new LmdbRemovals(store.traces(), state.floor)
  }

  /** @throws LogError when what is stored cannot be read. */
  static async open(store: LmdbStore, retention: RetentionRules, now: () => number): Promise<LmdbWriter> {
    return new LmdbWriter(store, retention, await recount(store, retention), now)
  }

  get head(): number {
    return this.#state.head
  }

  get first(): number {
    return this.#first
  }

  get hasAge(): boolean {
    return this.#retention.rules.some(({ age }) => age !== undefined)
  }

  /** Goes by other rules from now on. What they no longer keep is removed by the commits that follow. */
  async retain(rules: readonly RetentionRule[]): Promise<void> {
    const retention = new RetentionRules(rules)
    this.#state = await recount({ state: this.#state, from: (offset) => this.#store.from(offset) }, retention)
    this.#retention = retention
    this.#isRecounted = true
  }

  /**
   * Appends a group and trims, or does nothing. `deliver` has what was appended, in the turn in which it can be read. Where the
   * disk is full, it first removes what retention no longer keeps.
   * @throws TidingsError `storage_full`, or a LogError after which nothing more can be promised.
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
   * Trims with the room that is kept for it, in slices that become smaller where even they do not fit. Answers whether that has
   * set anything free.
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
      // What a commit has set free can be used by the second one after it.
      if (hasRemoved) await this.#store.reclaimPages().catch(onlyWhenFull)
      return hasRemoved
    } finally {
      this.#store.disk.fillReserve()
    }
  }

  async #keep(plan: LmdbPlan): Promise<void> {
    const { head } = plan
    const crowdedOut = this.losses.note(plan.traces)
    const state = plan.stateWith(this.losses.floor)
    if (!plan.isEmpty || this.#isRecounted) {
      await this.#store.commit(() => plan.write(state, crowdedOut), plan.needed)
      this.#isRecounted = false
      // Looking for what is to be trimmed may take many steps, between which others have their turn.
    } else await new Promise(setImmediate)
    this.losses.settle()
    this.#state = state
    if (plan.removes(this.#first) || this.#first > head - plan.appended.length)
      this.#first = this.#store.first ?? head + 1
    this.isBehind = plan.unfinished
    if (!plan.isEmpty) this.isStuck = false
  }
}

function isFull(error: unknown): boolean {
  return error instanceof TidingsError && error.code === 'storage_full'
}

function onlyWhenFull(error: unknown): void {
  if (!isFull(error)) throw error
}
