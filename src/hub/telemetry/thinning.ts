// Chooses which events are measured: all of them up to 1,000 per second, and above that one of so many, which counts for all.

const maxPerSecond = 1_000

export class Thinning {
  #stride = 1
  #seen = 0
  #taken = 0

  /** The number of events that this one stands for; 0 if it is to be skipped. */
  take(): number {
    if (++this.#seen % this.#stride !== 0) return 0
    const weight = this.#stride
    if (++this.#taken >= maxPerSecond) {
      // A burst: the rest of this second is measured more coarsely.
      this.#stride *= 2
      this.#taken = maxPerSecond / 2
    }
    return weight
  }

  /** Called once a second. */
  tick(): void {
    this.#stride = Math.max(1, Math.ceil(this.#seen / maxPerSecond))
    this.#seen = this.#taken = 0
  }
}
