// The delay before the next attempt of a client command.
import { backoffMs } from '../../backoff.ts'

/** The longest delay in milliseconds, unless the server asks for more. */
const maxMs = 30_000

export class Backoff {
  #failures = 0

  /**
   * Milliseconds until the next attempt.
   * @param firstMs the delay after the first failure
   * @param minMs the delay that the server asked for
   */
  next(firstMs: number, minMs = 0): number {
    return Math.max(minMs, backoffMs(++this.#failures, { firstMs, maxMs }))
  }

  /** Starts again with the shortest delay, after a success. */
  reset(): void {
    this.#failures = 0
  }
}
