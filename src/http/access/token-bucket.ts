// A token bucket: limits how often something happens.

/** Allows `rate` events per second, and as many at once after a pause. */
export class TokenBucket {
  readonly #rate: number
  #tokens: number
  #filledAt = performance.now()

  constructor(rate: number) {
    this.#rate = rate
    this.#tokens = rate
  }

  /** Takes one token, if there is one. */
  take(): boolean {
    const now = performance.now()
    this.#tokens = Math.min(this.#rate, this.#tokens + ((now - this.#filledAt) / 1_000) * this.#rate)
    this.#filledAt = now
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }
}
