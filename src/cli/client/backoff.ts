// The delay before the next attempt: it doubles after each failure and is random, so that clients do not all retry at once.

/** The longest delay in milliseconds, unless the server asks for more. */
const maxDelayMs = 30_000

export class Backoff {
  readonly #random: () => number
  #failures = 0

  constructor(random: () => number = Math.random) {
    this.#random = random
  }

  /**
   * Milliseconds until the next attempt.
   * @param base the delay after the first failure
   * @param asked the delay that the server asked for, which is used if it is longer
   */
  next(base: number, asked = 0): number {
    const ceiling = Math.max(base, Math.min(maxDelayMs, base * 2 ** Math.min(this.#failures++, 20)))
    return Math.max(asked, ceiling * (0.5 + this.#random() / 2))
  }

  /** Starts again with the shortest delay, after a success. */
  reset(): void {
    this.#failures = 0
  }
}
