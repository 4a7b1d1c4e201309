// Retention rules: which entries are kept for how long. The first rule whose selector covers an entry's canonical topic applies.
import { OptionError, withOptionName } from '../../errors.ts'
import { compile } from '../../topics/matcher.ts'
import { parseDuration, parseSize } from '../../units.ts'
import type { Update } from '../../update.ts'

/** A rule as people write it. Without a bound, it keeps everything. */
export interface RetentionRule {
  /** A topic, `*`, or a URI template. */
  readonly match: string
  /** Keeps the newest entries of each topic. Older ones are superseded, which is no gap; what the other bounds remove is one. */
  readonly last?: number
  /** Keeps at most so many entries of all topics of the rule together. */
  readonly entries?: number
  /** Keeps at most so many bytes of all topics of the rule together: a number, or a text such as `1GiB`. */
  readonly bytes?: number | string
  /** Keeps entries for so long: milliseconds, or a text such as `7d`. */
  readonly age?: number | string
}

/** A rule with its bounds as numbers: bytes, and milliseconds. */
export interface ParsedRule {
  readonly match: string
  readonly last?: number
  readonly entries?: number
  readonly bytes?: number
  readonly age?: number
}

/** What a rule keeps at the moment. */
export interface RuleUsage {
  /** No entry of the rule up to this offset is kept: trimming continues from here. */
  after: number
  entries: number
  bytes: number
}

/** Topics whose rule is remembered. */
const maxRemembered = 10_000

export class RetentionRules {
  readonly rules: readonly ParsedRule[]
  /** The rules of the topics that were looked up last. */
  readonly #known = new Map<string, number>()

  /** @throws OptionError that names the rule, the field, and what is expected */
  constructor(rules: readonly RetentionRule[]) {
    this.rules = parseRules(rules)
  }

  /** The number of the rule that applies to an update; -1 when none does, and everything is kept. */
  ruleOf({ topics: [topic = ''] }: Update): number {
    const known = this.#known.get(topic)
    if (known !== undefined) return known
    const rule = this.rules.findIndex(({ match }) => compile(match).matches(topic))
    if (this.#known.size >= maxRemembered) this.#known.clear()
    this.#known.set(topic, rule)
    return rule
  }

  /** The rules as text, for comparison with those that are stored. */
  get text(): string {
    return JSON.stringify(
      this.rules.map(({ match, last, entries, bytes, age }) => ({ match, last, entries, bytes, age }))
    )
  }
}

const fields = ['match', 'last', 'entries', 'bytes', 'age']

/** @throws OptionError that names the rule, the field, and what is expected */
export function parseRules(rules: readonly RetentionRule[]): ParsedRule[] {
  if (!Array.isArray(rules)) {
    throw new OptionError('retention', 'expected a list of rules such as [{"match":"*","age":"7d"}]')
  }
  return withOptionName('retention', () => rules.map((rule, index) => parseRule(rule, `rule ${index + 1}`)))
}

function parseRule(rule: RetentionRule, name: string): ParsedRule {
  if (typeof rule !== 'object' || rule === null) {
    throw new RangeError(`${name}: expected an object, got ${JSON.stringify(rule)}`)
  }
  const unknown = Object.keys(rule).find((field) => !fields.includes(field))
  if (unknown !== undefined) {
    throw new RangeError(`${name}: "${unknown}" is not a field; expected ${fields.join(', ')}`)
  }
  const { match, last, entries, bytes, age } = rule
  if (typeof match !== 'string' || match === '') {
    throw new RangeError(`${name}: match: expected a topic selector such as "*"`)
  }
  return {
    match,
    ...(last !== undefined && { last: wholeNumber(last, `${name}: last`) }),
    ...(entries !== undefined && { entries: wholeNumber(entries, `${name}: entries`) }),
    ...(bytes !== undefined && { bytes: positive(`${name}: bytes`, () => parseSize(bytes)) }),
    ...(age !== undefined && { age: positive(`${name}: age`, () => parseDuration(age)) })
  }
}

function wholeNumber(value: number, name: string): number {
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new RangeError(`${name}: expected a whole number greater than 0, got ${JSON.stringify(value)}`)
}

function positive(name: string, parse: () => number): number {
  let value: number
  try {
    value = parse()
  } catch (error) {
    throw new RangeError(`${name}: ${(error as Error).message}`, { cause: error })
  }
  if (value > 0) return value
  throw new RangeError(`${name}: expected a number greater than 0`)
}
