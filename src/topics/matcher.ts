// Decides whether a selector covers a topic: exact text, `*`, or a URI template. It knows no subscriber and no update.
import { compileTemplate } from './template.ts'

/** What a subscriber names to say which topics it wants: a topic, `*`, or a URI template such as `books/{id}`. */
export type Selector = string

/** One selector, ready to be asked. */
export interface Matcher {
  readonly selector: Selector
  /** `exact` and `everything` can be looked up; only a `pattern` has to be tried. */
  readonly kind: 'exact' | 'everything' | 'pattern'
  /** How many variables a pattern has: what it costs to try it grows with them. */
  readonly variables: number
  matches(topic: string): boolean
}

const cacheSize = 1_000
const cache = new Map<Selector, Matcher>()

/** Compiles a selector once and remembers the newest thousand. A malformed template covers only its own text. */
export function compile(selector: Selector): Matcher {
  const known = cache.get(selector)
  if (known) return known
  const matcher = build(selector)
  if (cache.size >= cacheSize) cache.delete(cache.keys().next().value as Selector)
  cache.set(selector, matcher)
  return matcher
}

function build(selector: Selector): Matcher {
  if (selector === '*') return { selector, kind: 'everything', variables: 0, matches: () => true }
  const template = selector.includes('{') ? compileTemplate(selector) : undefined
  if (!template) return { selector, kind: 'exact', variables: 0, matches: (topic) => topic === selector }
  const { variables } = template
  return { selector, kind: 'pattern', variables, matches: (topic) => topic === selector || template.matches(topic) }
}

/** Several selectors, asked as one: a topic is covered when any of them covers it. */
export class Selection {
  /** The selectors, each once, in a fixed order, so that equal selections compare equal. */
  readonly selectors: readonly Selector[]
  readonly #exact = new Set<string>()
  readonly #patterns: Matcher[] = []
  readonly #everything: boolean

  constructor(selectors: Iterable<Selector>) {
    const matchers = [...new Set(selectors)].sort().map(compile)
    this.selectors = matchers.map((matcher) => matcher.selector)
    this.#everything = matchers.some((matcher) => matcher.kind === 'everything')
    for (const matcher of matchers) {
      if (matcher.kind === 'exact') this.#exact.add(matcher.selector)
      if (matcher.kind === 'pattern') this.#patterns.push(matcher)
    }
  }

  covers(topic: string): boolean {
    return this.#everything || this.#exact.has(topic) || this.#patterns.some((matcher) => matcher.matches(topic))
  }

  /** The topics covered, where that is a list. */
  get topics(): readonly string[] | undefined {
    return this.#everything || this.#patterns.length > 0 ? undefined : this.selectors
  }

  coversAny(topics: readonly string[]): boolean {
    return topics.some((topic) => this.covers(topic))
  }
}
