// What a log in memory remembers so that it is not appended twice. It knows no update.
import type { Memories, Memory } from './once.ts'

/** Keys that are remembered at a time; beyond that, the oldest are forgotten before their time. */
const mostKeys = 1_000_000
/** Keys that are forgotten in one go, so that nobody waits for a million of them. */
const mostForgotten = 1_000

/** What a log in memory remembers. */
export class Remembered implements Memories {
  /** Longest remembered first. */
  readonly #memories = new Map<string, Memory>()
  /** One iterator for long: each that is begun anew would pass over all that was deleted. */
  #places = this.#memories.entries()
  #oldest: [string, Memory] | undefined
  #now = 0

  find(key: string): Memory | undefined {
    const memory = this.#memories.get(key)
    return memory && memory.until > this.#now ? memory : undefined
  }

  remember(key: string, memory: Memory): void {
    // A key that was forgotten and is used again is among the newest.
    this.#memories.delete(key)
    this.#memories.set(key, memory)
    while (this.#memories.size > mostKeys) this.#forget(this.#look() as [string, Memory])
  }

  /** What has had its time counts no more from now on, and gives its place back bit by bit. */
  forgetUntil(now: number): void {
    this.#now = now
    for (let budget = mostForgotten; budget > 0 && this.#memories.size > 0; budget--) {
      const oldest = this.#look()
      if (!oldest || oldest[1].until > now) return
      this.#forget(oldest)
    }
  }

  #look(): [string, Memory] | undefined {
    if (this.#oldest) return this.#oldest
    let next = this.#places.next()
    if (next.done) {
      this.#places = this.#memories.entries()
      next = this.#places.next()
    }
    this.#oldest = next.value
    return this.#oldest
  }

  #forget([key, memory]: [string, Memory]): void {
    this.#oldest = undefined
    if (this.#memories.get(key) === memory) this.#memories.delete(key)
  }
}
