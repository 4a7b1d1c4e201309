// How long to wait before the next attempt: longer each time, and never as long as everyone else. It attempts nothing.

/** The longest wait that grows by itself, in milliseconds. */
const longest = 30_000

export class Backoff {
  readonly #random: () => number
  #failures = 0

  constructor(random: () => number = Math.random) {
    this.#random = random
  }

  /** Milliseconds until the next attempt, which is the first one's `base`, or what the server asked for if that is longer. */
  next(base: number, asked = 0): number {
    const ceiling = Math.max(base, Math.min(longest, base * 2 ** Math.min(this.#failures++, 20)))
    return Math.max(asked, ceiling * (0.5 + this.#random() / 2))
  }

  /** Something has gone well. */
  reset(): void {
    this.#failures = 0
  }
}
