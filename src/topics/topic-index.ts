// Finds the owners of the selectors that cover a topic. Exact topics are looked up; the results of patterns are cached
// per topic.
import { compile, type Matcher, type Selector } from './matcher.ts'

interface Pattern<Owner> {
  readonly matcher: Matcher
  readonly owners: Set<Owner>
}

/** Limits of the cache: topics, and patterns in all of their results. */
const maxCachedTopics = 10_000
const maxCachedPatterns = 100_000

const none: ReadonlySet<never> = new Set()

export class TopicIndex<Owner> {
  readonly #exact = new Map<string, Set<Owner>>()
  readonly #everything = new Set<Owner>()
  readonly #patterns = new Map<string, Pattern<Owner>>()
  /** The patterns that cover a topic. Cleared when a pattern is added or removed, and when it is full. */
  readonly #cache = new Map<string, readonly Pattern<Owner>[]>()
  #cachedPatterns = 0

  /** The number of different selectors. */
  get size(): number {
    return this.#exact.size + this.#patterns.size + (this.#everything.size > 0 ? 1 : 0)
  }

  add(selectors: Iterable<Selector>, owner: Owner): void {
    for (const selector of selectors) this.#ownersFor(compile(selector)).add(owner)
  }

  remove(selectors: Iterable<Selector>, owner: Owner): void {
    for (const selector of selectors) this.#removeOne(compile(selector), owner)
  }

  /** The owners of all selectors that cover one of the topics. */
  match(topics: readonly string[]): ReadonlySet<Owner> {
    const [topic] = topics
    // The usual case, without a new set for each update.
    if (topics.length === 1 && this.#everything.size === 0 && this.#patterns.size === 0) {
      return this.#exact.get(topic as string) ?? none
    }
    const found = new Set(this.#everything)
    for (const topic of topics) {
      for (const owner of this.#exact.get(topic) ?? []) found.add(owner)
      for (const pattern of this.#patternsCovering(topic)) {
        for (const owner of pattern.owners) found.add(owner)
      }
    }
    return found
  }

  #ownersFor(matcher: Matcher): Set<Owner> {
    if (matcher.kind === 'everything') return this.#everything
    if (matcher.kind === 'exact') return getOrAdd(this.#exact, matcher.key, () => new Set<Owner>())
    return getOrAdd(this.#patterns, matcher.key, () => {
      this.#clearCache()
      return { matcher, owners: new Set<Owner>() }
    }).owners
  }

  #removeOne({ kind, key }: Matcher, owner: Owner): void {
    if (kind === 'everything') {
      this.#everything.delete(owner)
    } else if (kind === 'exact') {
      const owners = this.#exact.get(key)
      if (owners?.delete(owner) && owners.size === 0) this.#exact.delete(key)
    } else {
      const owners = this.#patterns.get(key)?.owners
      if (owners?.delete(owner) && owners.size === 0) {
        this.#patterns.delete(key)
        this.#clearCache()
      }
    }
  }

  #patternsCovering(topic: string): readonly Pattern<Owner>[] {
    if (this.#patterns.size === 0) return []
    if (this.#cache.size >= maxCachedTopics || this.#cachedPatterns >= maxCachedPatterns) this.#clearCache()
    return getOrAdd(this.#cache, topic, () => {
      const covering = [...this.#patterns.values()].filter((pattern) => pattern.matcher.matches(topic))
      this.#cachedPatterns += covering.length
      return covering
    })
  }

  #clearCache(): void {
    this.#cache.clear()
    this.#cachedPatterns = 0
  }
}

function getOrAdd<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}
