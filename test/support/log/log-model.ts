// A reference model of a log with retention, as simple as possible: no index, no disk, no optimization.
import type { Entry, Filter, RetentionRule, Update } from '../../../dist/index.js'
import { sizeOf } from '../../../dist/log/size.js'

interface Kept {
  readonly offset: number
  readonly time: number
  readonly update: Update
}

type Covers = (selector: string, topic: string) => boolean

export class LogModel {
  kept: Kept[] = []
  /** Removed entries that cause a gap; superseded ones do not. */
  missed: Kept[] = []
  head = 0
  #rules: readonly RetentionRule[]
  readonly #covers: Covers

  constructor(rules: readonly RetentionRule[], covers: Covers) {
    this.#rules = rules
    this.#covers = covers
  }

  append(updates: readonly Update[], now: number): void {
    const time = Math.max(now, this.kept.at(-1)?.time ?? 0, this.missed.at(-1)?.time ?? 0)
    for (const update of updates) this.kept.push({ offset: ++this.head, time, update })
    this.#apply(now)
  }

  delete(topics: readonly string[], from: number, through: number, announcement: Update, now: number): void {
    this.kept = this.kept.filter(
      ({ offset, update }) =>
        offset < from || offset > through || !update.topics.some((topic) => topics.includes(topic))
    )
    this.append([announcement], now)
  }

  /** The newest kept entry of a topic, if it is an end. */
  endOf(topic: string): number | undefined {
    const newest = this.kept.findLast(({ update }) => update.topics.includes(topic))
    return newest?.update.end ? newest.offset : undefined
  }

  reopen(rules: readonly RetentionRule[], now: number): void {
    this.#rules = rules
    this.#apply(now)
  }

  lost(after: number, filter: Filter): boolean {
    return this.missed.some(
      ({ offset, update }) => offset > after && filter.admits(update.topics, update.private === true)
    )
  }

  read(after: number, filter: Filter): number[] {
    return this.kept
      .filter(({ offset, update }) => offset > after && filter.admits(update.topics, update.private === true))
      .map(({ offset }) => offset)
  }

  locate(id: string): number | undefined {
    return this.kept.find(({ update }) => update.id === id)?.offset
  }

  #apply(now: number): void {
    for (const rule of this.#rules) this.#supersede(rule)
    for (const rule of this.#rules) this.#bound(rule, now)
  }

  #ruled(rule: RetentionRule): Kept[] {
    const ruleOf = ({ update }: Kept) =>
      this.#rules.find(({ match }) => this.#covers(match, update.topics[0] as string))
    return this.kept.filter((kept) => ruleOf(kept) === rule)
  }

  #supersede(rule: RetentionRule): void {
    if (rule.last === undefined) return
    const ruled = this.#ruled(rule)
    for (const topic of new Set(ruled.map(({ update }) => update.topics[0]))) {
      this.#remove(ruled.filter(({ update }) => update.topics[0] === topic).slice(0, -rule.last))
    }
  }

  #bound(rule: RetentionRule, now: number): void {
    const { entries = Infinity } = rule
    const [bytes, age] = [Number(rule.bytes ?? Infinity), Number(rule.age ?? Infinity)]
    const ruled = this.#ruled(rule)
    const size = () => ruled.reduce((sum, { update }) => sum + sizeOf(update), 0)
    while (ruled.length > entries || size() > bytes || (ruled[0] && ruled[0].time < now - age)) {
      this.missed.push(ruled[0] as Kept)
      this.#remove([ruled.shift() as Kept])
    }
  }

  #remove(gone: readonly Kept[]): void {
    this.kept = this.kept.filter((one) => !gone.includes(one))
  }
}

export const offsetsOf = (entries: readonly Entry[]) => entries.map(({ offset }) => offset)
