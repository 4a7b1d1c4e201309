// How long which entries are kept: rules, of which the first that covers an entry's canonical topic is the entry's. It knows
// which rule that is, and nothing of where entries are.
import { OptionError } from '../../errors.ts'
import type { Update } from '../../update.ts'

/** What is kept of the entries whose first topic a selector covers. Without a bound, all of it. */
export interface RetentionRule {
  /** A topic, `*`, or a URI template, as subscribers name them. */
  readonly match: string
  /** The newest so many entries of each topic; those before them are superseded, which is no gap. */
  readonly last?: number
  /** So many entries at most, of all topics of the rule together. */
  readonly entries?: number
  /** So many bytes at most, of all topics of the rule together, counting text and a constant for each entry. */
  readonly bytes?: number
  /** How long, in milliseconds. */
  readonly age?: number
}

/** Whether a selector covers a topic. */
export type Covers = (selector: string, topic: string) => boolean

/** What is kept under a rule at the moment. */
export interface RuleUsage {
  /** No entry of the rule up to this offset is kept: trimming goes on from here. */
  after: number
  entries: number
  bytes: number
}

const maxKnown = 10_000

/** Which rule an entry falls under. */
export class RetentionRules {
  readonly rules: readonly RetentionRule[]
  readonly #covers: Covers
  /** Rules of the topics last asked for. */
  readonly #known = new Map<string, number>()

  /** @throws OptionError that names the rule and the bound */
  constructor(rules: readonly RetentionRule[], covers: Covers) {
    rules.forEach(check)
    this.rules = rules
    this.#covers = covers
  }

  /** The number of the rule for an update; -1 where none covers it, so that all is kept. */
  ruleOf({ topics: [topic = ''] }: Update): number {
    const known = this.#known.get(topic)
    if (known !== undefined) return known
    const rule = this.rules.findIndex(({ match }) => this.#covers(match, topic))
    if (this.#known.size >= maxKnown) this.#known.clear()
    this.#known.set(topic, rule)
    return rule
  }

  /** Other rules, which mean by a selector what these do. */
  with(rules: readonly RetentionRule[]): RetentionRules {
    return new RetentionRules(rules, this.#covers)
  }

  /** As text, to be compared with that of another time. */
  get text(): string {
    return JSON.stringify(
      this.rules.map(({ match, last, entries, bytes, age }) => ({ match, last, entries, bytes, age }))
    )
  }
}

function check(rule: RetentionRule): void {
  const { match, last, entries, bytes, age } = rule
  for (const [name, value] of Object.entries({ last, entries, bytes, age })) {
    if (value === undefined || value > 0) continue
    throw new OptionError('retention', `rule for "${match}": ${name}: expected a number greater than 0, got ${value}`)
  }
  if (last === undefined || Number.isSafeInteger(last)) return
  throw new OptionError('retention', `rule for "${match}": last: expected a whole number, got ${last}`)
}
