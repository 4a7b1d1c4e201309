// Caches decisions for as long as the application allows. The keys are hashes of the questions, since a question may
// contain secrets.
import { BoundedMap } from '../../bounded-map.ts'
import { sha256 } from '../../digest.ts'
import type { Decision } from './decision.ts'

interface Remembered {
  readonly decision: Decision
  /** Expires at this time of `performance.now`, which is never set back. */
  readonly until: number
}

const maxEntries = 10_000
/** Characters of selectors in all decisions. */
const maxCharacters = 2 ** 25

export class DecisionCache {
  readonly #remembered = new BoundedMap<string, Remembered>({
    maxEntries,
    maxWeight: maxCharacters,
    weightOf: ({ decision }) => decision.readable.reduce((sum, { length }) => sum + length, 0),
    isExpired: ({ decision, until }) => performance.now() >= until || Date.now() >= decision.until
  })

  static keyOf(question: string): string {
    return sha256(question, 'base64')
  }

  get(key: string): Decision | undefined {
    return this.#remembered.get(key)?.decision
  }

  set(key: string, decision: Decision, ms: number): void {
    if (ms > 0) this.#remembered.set(key, { decision, until: performance.now() + ms })
  }
}
