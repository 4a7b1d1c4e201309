// Finds, for a topic, everyone whose selectors cover it, without asking those that it does not concern. It knows its owners
// only as values in a set.
import { compile, type Matcher, type Selector } from './matcher.ts'

interface Pattern<Owner> {
  readonly matcher: Matcher
  readonly owners: Set<Owner>
}

/** Topics whose matching patterns are remembered, and how many patterns that may be in all. */
const rememberedTopics = 10_000
const rememberedPatterns = 100_000

/** Selectors on one side, their owners on the other. */
export class TopicIndex<Owner> {
  readonly #exact = new Map<string, Set<Owner>>()
  readonly #everything = new Set<Owner>()
  readonly #patterns = new Map<string, Pattern<Owner>>()
  /** Which patterns cover a topic; emptied when a pattern comes or goes, and when it is full. */
  readonly #covering = new Map<string, readonly Pattern<Owner>[]>()
  #remembered = 0

  /** How many different selectors are held. */
  get size(): number {
    return this.#exact.size + this.#patterns.size + (this.#everything.size > 0 ? 1 : 0)
  }

  add(selectors: Iterable<Selector>, owner: Owner): void {
    for (const selector of selectors) this.#ownersFor(compile(selector)).add(owner)
  }

  remove(selectors: Iterable<Selector>, owner: Owner): void {
    for (const selector of selectors) this.#removeOne(compile(selector), owner)
  }

  /** Everyone who has a selector that covers one of the topics, each once. */
  match(topics: readonly string[]): Set<Owner> {
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
      this.#forget()
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
        this.#forget()
      }
    }
  }

  #patternsCovering(topic: string): readonly Pattern<Owner>[] {
    if (this.#patterns.size === 0) return []
    if (this.#covering.size >= rememberedTopics || this.#remembered >= rememberedPatterns) this.#forget()
    return getOrAdd(this.#covering, topic, () => {
      const covering = [...this.#patterns.values()].filter((pattern) => pattern.matcher.matches(topic))
      this.#remembered += covering.length
      return covering
    })
  }

  #forget(): void {
    this.#covering.clear()
    this.#remembered = 0
  }
}

function getOrAdd<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}
