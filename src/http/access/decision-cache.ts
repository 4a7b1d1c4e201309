// Remembers decisions for as long as the application allowed, and at most so many. It holds hashes of what was asked, since
// what was asked may hold secrets.
import { createHash } from 'node:crypto'
import type { Decision } from './decision.ts'

interface Entry {
  readonly decision: Decision
  readonly size: number
  /** On the clock of `performance.now`, which is never set back. */
  readonly due: number
}

const most = 10_000
/** Characters of selectors, in all. */
const largest = 2 ** 25

export class DecisionCache {
  readonly #entries = new Map<string, Entry>()
  #size = 0

  static keyOf(question: string): string {
    return createHash('sha256').update(question).digest('base64')
  }

  get(key: string): Decision | undefined {
    const entry = this.#entries.get(key)
    if (!entry) return undefined
    if (performance.now() < entry.due && Date.now() < entry.decision.until) return entry.decision
    this.#delete(key)
    return undefined
  }

  /** The oldest make room. */
  set(key: string, decision: Decision, ms: number): void {
    if (ms <= 0) return
    this.#delete(key)
    const size = decision.readable.reduce((sum, { length }) => sum + length, 0)
    this.#entries.set(key, { decision, size, due: performance.now() + ms })
    this.#size += size
    while (this.#entries.size > most || this.#size > largest) this.#delete(this.#entries.keys().next().value as string)
  }

  #delete(key: string): void {
    this.#size -= this.#entries.get(key)?.size ?? 0
    this.#entries.delete(key)
  }
}
