// Keeps house in Redis: the rules in force, entries that are too old, entries to be counted under other rules, and what an
// epoch that is gone left behind. It appends nothing and reads for nobody.
import type { Update } from '../update.ts'
import { writeBounds } from './redis-answers.ts'
import type { RedisLink } from './redis-link.ts'
import type { RedisStore } from './redis-store.ts'
import type { Retention, RetentionRule } from './retention.ts'

const tick = 1_000

export class RedisKeeper {
  readonly #store: RedisStore
  readonly #link: RedisLink
  readonly #now: () => number
  #retention: Retention
  #bounds: string
  #work: Promise<void> | undefined
  #isUnfinished = false
  readonly #timer: NodeJS.Timeout

  constructor(store: RedisStore, link: RedisLink, retention: Retention, now: () => number) {
    this.#store = store
    this.#link = link
    this.#now = now
    this.#retention = retention
    this.#bounds = writeBounds(retention)
    this.#timer = setInterval(() => this.#look(), tick).unref()
  }

  /** The rules as each append names them: as text, and their bounds. */
  get rules(): [string, string] {
    return [this.#retention.text, this.#bounds]
  }

  ruleOf(update: Update): number {
    return this.#retention.ruleOf(update)
  }

  /** Other rules for all nodes. Resolves when what they keep has been counted, and the rest is gone. */
  async retain(rules: readonly RetentionRule[]): Promise<void> {
    const retention = this.#retention.with(rules)
    await this.#store.ask('keep', ['retain', retention.text])
    this.#use(retention)
    await this.#work?.catch(() => {})
    await this.tidy()
  }

  /** The rules are the log's, not a node's: whichever were set last hold for all. */
  adopt(text: string): void {
    if (text !== '' && text !== this.#retention.text)
      this.#use(this.#retention.with(JSON.parse(text) as RetentionRule[]))
  }

  /** Trims, and counts, until there is nothing left to do; once at a time. */
  tidy(): Promise<void> {
    this.#work ??= this.#tidy().finally(() => {
      this.#work = undefined
    })
    return this.#work
  }

  /** As `tidy`, for those who do not wait for it: what fails now is done a moment later. */
  tidyLater(): void {
    this.#isUnfinished = true
    this.tidy().catch(() => {})
  }

  /** Removes the keys of an epoch that nobody reads any more. */
  async sweep(epoch: string): Promise<void> {
    const pattern = `${this.#store.space(epoch).replace(/[\\*?[\]]/g, '\\$&')}*`
    let cursor = '0'
    do {
      const answer = await this.#link.send(['SCAN', cursor, 'MATCH', pattern, 'COUNT', '500'])
      const [next, keys] = answer as [string, string[]]
      if (keys.length > 0) await this.#link.send(['UNLINK', ...keys])
      cursor = next
    } while (cursor !== '0')
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #use(retention: Retention): void {
    this.#retention = retention
    this.#bounds = writeBounds(retention)
  }

  /** Another node may have ended while it was counting, so everyone looks. */
  #look(): void {
    if (!this.#store.isKnown) return
    const hasAge = this.#retention.rules.some(({ age }) => age !== undefined)
    if (hasAge || this.#isUnfinished || this.#store.state.counting > 0) this.tidyLater()
  }

  async #tidy(): Promise<void> {
    this.#isUnfinished = true
    while (this.#isUnfinished) {
      const { state, rest } = this.#store.state.counting > 0 ? await this.#count() : await this.#keep('trim')
      this.adopt(state.rules)
      this.#isUnfinished = Number(rest[0]) === 1 || state.counting > 0
    }
  }

  async #count() {
    const { state, rest } = await this.#store.ask('keep', ['page'])
    this.adopt(state.rules)
    const rows = rest[0] as [string, string][]
    const ruled = rows.flatMap(([offset, topic]) => [
      offset,
      String(this.#retention.ruleOf({ topics: [topic], data: '' }))
    ])
    return this.#keep('count', String(state.counted), ...ruled)
  }

  #keep(verb: 'trim' | 'count', ...more: string[]) {
    return this.#store.ask('keep', [verb, this.#bounds, String(this.#now()), this.#retention.text, ...more])
  }
}
