// A map of limited size for caches: it evicts the oldest entries, and deletes an expired entry when it is read.

export interface BoundedMapOptions<Value> {
  /** At least 1. */
  readonly maxEntries: number
  /** A limit for the sum of all weights; default none. */
  readonly maxWeight?: number
  /** The weight of a value, which must not change; default 0. */
  readonly weightOf?: (value: Value) => number
  /** Called on each read; default never. */
  readonly isExpired?: (value: Value) => boolean
}

/** `set` makes an entry the newest one; `get` does not. */
export class BoundedMap<Key, Value> {
  readonly #entries = new Map<Key, Value>()
  readonly #maxEntries: number
  readonly #maxWeight: number
  readonly #weightOf: (value: Value) => number
  readonly #isExpired: (value: Value) => boolean
  #weight = 0

  constructor(options: BoundedMapOptions<Value>) {
    this.#maxEntries = options.maxEntries
    this.#maxWeight = options.maxWeight ?? Number.POSITIVE_INFINITY
    this.#weightOf = options.weightOf ?? (() => 0)
    this.#isExpired = options.isExpired ?? (() => false)
  }

  /** The number of entries, including expired ones that were not read since. */
  get size(): number {
    return this.#entries.size
  }

  get(key: Key): Value | undefined {
    const value = this.#entries.get(key)
    if (value === undefined || !this.#isExpired(value)) return value
    this.#delete(key, value)
    return undefined
  }

  /** Adds or replaces an entry. A value that is heavier than `maxWeight` is not kept. */
  set(key: Key, value: Value): void {
    const replaced = this.#entries.get(key)
    if (replaced !== undefined) this.#delete(key, replaced)
    this.#entries.set(key, value)
    this.#weight += this.#weightOf(value)
    for (const [oldest, old] of this.#entries) {
      if (this.#entries.size <= this.#maxEntries && this.#weight <= this.#maxWeight) return
      this.#delete(oldest, old)
    }
  }

  #delete(key: Key, value: Value): void {
    this.#entries.delete(key)
    this.#weight -= this.#weightOf(value)
  }
}
