// Appends that wait for a commit, and which of them share the next one. It commits nothing.
import type { Update } from '../update.ts'
import type { Entry } from './log.ts'

export interface Append {
  readonly updates: readonly Update[]
  resolve(entries: Entry[]): void
  reject(reason: unknown): void
}

/** Updates that one commit gathers at most, unless a single append has more. */
const mostGathered = 2_048

export class Gathering {
  #waiting: Append[] = []

  get isEmpty(): boolean {
    return this.#waiting.length === 0
  }

  add(append: Append): void {
    this.#waiting.push(append)
  }

  /** The oldest of those that wait, as many as one commit takes. */
  take(): Append[] {
    let size = 0
    let end = 0
    while (end < this.#waiting.length && (end === 0 || size < mostGathered)) {
      size += (this.#waiting[end++] as Append).updates.length
    }
    return this.#waiting.splice(0, end)
  }
}
