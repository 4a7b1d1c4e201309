// Compiles selectors, and matches them against topics: exact text, `*`, URI templates and URL patterns.
import { compileTemplate } from './uri-template.ts'
import { compileUrlPattern } from './url-pattern/pattern.ts'

/**
 * Selects topics. A string is a topic, `*` for every topic, or a URI template such as `books/{id}` (RFC 6570, levels 1
 * to 3). A string that is no valid template selects only the topic with this text. An object states its type.
 */
export type Selector = string | TypedSelector

/** A selector with an explicit type, as in Mercure 1.0. With either type, the `match` `*` selects every topic. */
export interface TypedSelector {
  readonly match: string
  /**
   * `exact`: the topic with this text, including braces. `urlpattern`: a URL pattern [URLPattern, 1] without
   * `ignoreCase`.
   */
  readonly type: 'exact' | 'urlpattern'
  /** The URL against which relative patterns and topics are resolved. Required for URL patterns. */
  readonly base?: string
}

/** A compiled selector. */
export interface Matcher {
  readonly selector: Selector
  /** Equal for selectors with the same meaning. */
  readonly key: string
  /** `exact` and `everything` are looked up by `key`. Only a `pattern` is matched. */
  readonly kind: 'exact' | 'everything' | 'pattern'
  /** The cost of one match of a pattern. The unit is that of one variable of a template. */
  readonly cost: number
  matches(topic: string): boolean
}

const cacheSize = 1_000
const cache = new Map<string, Matcher>()

/**
 * Compiles a selector. The newest thousand are cached. A malformed template selects only its own text.
 * @throws RangeError for a URL pattern that is malformed or too expensive to match
 */
export function compile(selector: Selector): Matcher {
  const key = keyOf(selector)
  const known = cache.get(key)
  if (known) return known
  const matcher = build(canonical(selector, key), key)
  if (cache.size >= cacheSize) cache.delete(cache.keys().next().value as string)
  cache.set(key, matcher)
  return matcher
}

/** The text of a selector. */
export function textOf(selector: Selector): string {
  return typeof selector === 'string' ? selector : selector.match
}

/** A typed selector with the same meaning as a string has the same key, so that both share an audience. */
function keyOf(selector: Selector): string {
  if (typeof selector === 'string') return selector
  const { match, type, base = '' } = selector
  if (match === '*' || (type === 'exact' && !match.includes('{'))) return match
  return type === 'exact' ? exactMark + match : `${patternMark}${base}\0${match}`
}

// Topics and selectors contain no control characters, so these marks make keys unique.
const exactMark = '\0exact\0'
const patternMark = '\0urlpattern\0'

/** Of the selectors with one key, always the same, whichever was compiled first. */
function canonical(selector: Selector, key: string): Selector {
  if (typeof selector === 'string' || key === selector.match) return key
  return selector.type === 'exact' ? { match: selector.match, type: 'exact' } : selector
}

function build(selector: Selector, key: string): Matcher {
  if (key === '*') return { selector, key, kind: 'everything', cost: 0, matches: () => true }
  if (typeof selector !== 'string') return selector.type === 'exact' ? exact(selector) : urlPattern(selector, key)
  const template = selector.includes('{') ? compileTemplate(selector) : undefined
  if (!template) return exact(selector)
  const { variables } = template
  const matches = (topic: string) => topic === selector || template.matches(topic)
  return { selector, key, kind: 'pattern', cost: variables, matches }
}

/** The key is the topic, so that the matcher can be looked up by it. */
function exact(selector: Selector): Matcher {
  const text = textOf(selector)
  return { selector, key: text, kind: 'exact', cost: 0, matches: (topic) => topic === text }
}

function urlPattern(selector: TypedSelector, key: string): Matcher {
  const pattern = compileUrlPattern(selector.match, selector.base ?? '')
  if (!pattern) throw new RangeError('a URL pattern is malformed or too expensive to match')
  return { selector, key, kind: 'pattern', cost: pattern.cost, matches: (topic) => pattern.matches(topic) }
}

/** Several selectors. They cover a topic if one of them does. */
export class Selection {
  /** The selectors without duplicates, in a fixed order, so that equal selections compare equal. */
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

  /** Whether it contains `*`. */
  get coversEverything(): boolean {
    return this.#everything
  }

  covers(topic: string): boolean {
    return this.#everything || this.#exact.has(topic) || this.#patterns.some((matcher) => matcher.matches(topic))
  }

  /** The covered topics; undefined if the selection contains patterns or `*`. */
  get topics(): readonly string[] | undefined {
    return this.#everything || this.#patterns.length > 0 ? undefined : [...this.#exact]
  }

  coversAny(topics: readonly string[]): boolean {
    return topics.some((topic) => this.covers(topic))
  }
}

/** The matchers without duplicates, in a fixed order. */
function distinct(selectors: Iterable<Selector>): Matcher[] {
  const matchers = new Map<string, Matcher>()
  for (const selector of selectors) {
    const matcher = compile(selector)
    matchers.set(meaningOf(matcher), matcher)
  }
  return [...matchers.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, matcher]) => matcher)
}

/** Kind and key, since an exact topic and a template can have the same text. */
function meaningOf({ kind, key }: Matcher): string {
  return `${kind} ${key}`
}
