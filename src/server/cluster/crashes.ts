// Counts workers that have ended, so that the primary process gives up when they end again and again.

/** Workers that may end within this time, in milliseconds. */
const windowMs = 10_000
const maxCrashes = 5

export class Crashes {
  #times: number[] = []

  /** Counts one. Returns whether there were too many. */
  add(): boolean {
    const now = performance.now()
    this.#times = [...this.#times.filter((at) => now - at < windowMs), now]
    return this.#times.length > maxCrashes
  }
}
