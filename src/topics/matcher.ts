// Decides whether a selector covers a topic: exact text, `*`, a URI template or a URL pattern. It knows no subscriber and no
// update.
import { compileTemplate } from './uri-template.ts'
import { compileUrlPattern } from './url-pattern/pattern.ts'

/**
 * What a subscriber names to say which topics it wants. As a text: a topic, `*`, or a URI template such as `books/{id}`.
 * Whoever has to be precise says the kind as well.
 */
export type Selector = string | TypedSelector

/** A selector whose kind is said rather than read off its text. A `match` of `*` covers everything under either type. */
export interface TypedSelector {
  readonly match: string
  /** `exact`: the topic itself, braces and all. `urlpattern`: a pattern [URLPattern, 1], without `ignoreCase`. */
  readonly type: 'exact' | 'urlpattern'
  /** The URL that relative patterns and topics are resolved against; a URL pattern needs one. */
  readonly base?: string
}

/** One selector, ready to be asked. */
export interface Matcher {
  readonly selector: Selector
  /** Equal for selectors that mean the same. */
  readonly key: string
  /** `exact` and `everything` can be looked up, by their `key`; only a `pattern` has to be tried. */
  readonly kind: 'exact' | 'everything' | 'pattern'
  /** What it costs to try a pattern, in variables of a template. */
  readonly cost: number
  matches(topic: string): boolean
}

const cacheSize = 1_000
const cache = new Map<string, Matcher>()

/**
 * Compiles a selector once and remembers the newest thousand. A malformed template covers only its own text.
 * @throws RangeError where a URL pattern is malformed, or would take too long to try.
 */
export function compile(selector: Selector): Matcher {
  const key = keyOf(selector)
  const known = cache.get(key)
  if (known) return known
  const matcher = build(selector, key)
  if (cache.size >= cacheSize) cache.delete(cache.keys().next().value as string)
  cache.set(key, matcher)
  return matcher
}

/** The text that a selector was given as. */
export function textOf(selector: Selector): string {
  return typeof selector === 'string' ? selector : selector.match
}

/** A typed selector that a text would say as well has the key of that text, so that both are one. */
function keyOf(selector: Selector): string {
  if (typeof selector === 'string') return selector
  const { match, type, base = '' } = selector
  if (match === '*' || (type === 'exact' && !match.includes('{'))) return match
  return type === 'exact' ? exactMark + match : `${patternMark}${base}\0${match}`
}

// No topic and no selector that is a text holds a control character.
const exactMark = '\0exact\0'
const patternMark = '\0urlpattern\0'

function build(selector: Selector, key: string): Matcher {
  if (key === '*') return { selector, key, kind: 'everything', cost: 0, matches: () => true }
  if (typeof selector !== 'string') return selector.type === 'exact' ? exact(selector) : urlPattern(selector, key)
  const template = selector.includes('{') ? compileTemplate(selector) : undefined
  if (!template) return exact(selector)
  const { variables } = template
  const matches = (topic: string) => topic === selector || template.matches(topic)
  return { selector, key, kind: 'pattern', cost: variables, matches }
}

/** Its key is the topic that it covers, which is how it is looked up. */
function exact(selector: Selector): Matcher {
  const text = textOf(selector)
  return { selector, key: text, kind: 'exact', cost: 0, matches: (topic) => topic === text }
}

function urlPattern(selector: TypedSelector, key: string): Matcher {
  const pattern = compileUrlPattern(selector.match, selector.base ?? '')
  if (!pattern) throw new RangeError('a URL pattern is malformed, or would take too long to try')
  return { selector, key, kind: 'pattern', cost: pattern.cost, matches: (topic) => pattern.matches(topic) }
}

/** Several selectors, asked as one: a topic is covered when any of them covers it. */
export class Selection {
  /** The selectors, each once, in a fixed order, so that equal selections compare equal. */
  readonly selectors: readonly Selector[]
  /** Equal for equal selections. */
  readonly key: readonly string[]
  readonly #exact = new Set<string>()
  readonly #patterns: Matcher[] = []
  readonly #everything: boolean

  constructor(selectors: Iterable<Selector>) {
    const matchers = distinct(selectors)
    this.selectors = matchers.map((matcher) => matcher.selector)
    this.key = matchers.map(meaningOf)
    this.#everything = matchers.some((matcher) => matcher.kind === 'everything')
    for (const matcher of matchers) {
      if (matcher.kind === 'exact') this.#exact.add(matcher.key)
      if (matcher.kind === 'pattern') this.#patterns.push(matcher)
    }
  }

  covers(topic: string): boolean {
    return this.#everything || this.#exact.has(topic) || this.#patterns.some((matcher) => matcher.matches(topic))
  }

  /** The topics covered, where that is a list. */
  get topics(): readonly string[] | undefined {
    return this.#everything || this.#patterns.length > 0 ? undefined : [...this.#exact]
  }

  coversAny(topics: readonly string[]): boolean {
    return topics.some((topic) => this.covers(topic))
  }
}

/** One matcher for each meaning, in a fixed order. An exact one comes once, however it was said. */
function distinct(selectors: Iterable<Selector>): Matcher[] {
  const matchers = new Map<string, Matcher>()
  for (const selector of selectors) {
    const matcher = compile(selector)
    matchers.set(meaningOf(matcher), matcher)
  }
  return [...matchers.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, matcher]) => matcher)
}

/** A topic and a template may read alike. */
function meaningOf({ kind, key }: Matcher): string {
  return `${kind} ${key}`
}
