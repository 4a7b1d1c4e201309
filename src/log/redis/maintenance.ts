// Maintenance of the log in Redis: the rules in force, entries that expire, entries to count under other rules, and removed entries
// that followers have read. It appends nothing and reads for nobody.
import type { Update } from '../../update.ts'
import { type RetentionRule, RetentionRules } from '../retention/rules.ts'
import { encodeBounds } from './codec.ts'
import type { Answer, RedisStore } from './store.ts'

const intervalMs = 1_000

export class RedisMaintenance {
  readonly #store: RedisStore
  #retention: RetentionRules
  #bounds: object[]
  #work: Promise<void> | undefined
  #isUnfinished = false
  readonly #timer: NodeJS.Timeout

  constructor(store: RedisStore, retention: RetentionRules) {
    this.#store = store
    this.#retention = retention
    this.#bounds = encodeBounds(retention)
    this.#timer = setInterval(() => this.#check(), intervalMs).unref()
  }

  /** The rules as each script takes them: as text, and their bounds. */
  get rules(): { rules: string; bounds: object[] } {
    return { rules: this.#retention.text, bounds: this.#bounds }
  }

  ruleOf(update: Update): number {
    return this.#retention.ruleOf(update)
  }

  /** Sets other rules for all nodes. Resolves when all entries are counted under them, and the rest is removed. */
  async retain(rules: readonly RetentionRule[]): Promise<void> {
    const retention = new RetentionRules(rules)
    await this.#store.run('maintain', { verb: 'retain', rules: retention.text })
    this.#use(retention)
    await this.#work?.catch(() => {})
    await this.run()
  }

  /** The rules belong to the log, not to a node: those that were set last hold for all. */
  adopt(text: string): void {
    if (text === '' || text === this.#retention.text) return
    this.#use(new RetentionRules(JSON.parse(text) as RetentionRule[]))
  }

  /** Counts and trims until there is nothing left to do; one run at a time. */
  run(): Promise<void> {
    this.#work ??= this.#run().finally(() => {
      this.#work = undefined
    })
    return this.#work
  }

  /** As `run`, without waiting: what fails now is done a moment later. */
  runLater(): void {
    this.#isUnfinished = true
    this.run().catch(() => {})
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #use(retention: RetentionRules): void {
    this.#retention = retention
    this.#bounds = encodeBounds(retention)
  }

  /** Every node checks: the one that was counting may have stopped. */
  #check(): void {
    if (!this.#store.isKnown) return
    const hasAge = this.#retention.rules.some(({ age }) => age !== undefined)
    const { counting, garbage, deletions } = this.#store.state
    if (hasAge || this.#isUnfinished || counting > 0 || garbage > 0 || deletions !== '') this.runLater()
  }

  async #run(): Promise<void> {
    this.#isUnfinished = true
    while (this.#isUnfinished) {
      const { rules, unfinished, counting } = this.#store.state.counting > 0 ? await this.#count() : await this.#trim()
      this.adopt(rules)
      this.#isUnfinished = unfinished === 1 || counting > 0
    }
  }

  #trim(): Promise<Answer> {
    return this.#store.run('maintain', { verb: 'trim', ...this.rules })
  }

  async #count(): Promise<Answer> {
    const { rules, counted, page, through } = await this.#store.run('maintain', { verb: 'page' })
    this.adopt(rules)
    if (through === undefined) return this.#trim()
    const ruled = (page as [number, string][]).map(([offset, topic]) => {
      return [offset, this.#retention.ruleOf({ topics: [topic], data: '' })]
    })
    return this.#store.run('maintain', { verb: 'count', ...this.rules, counted, through, page: ruled })
  }
}
