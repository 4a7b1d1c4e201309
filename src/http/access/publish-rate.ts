// Limits how often one publisher may publish, with a token bucket for each.
import { BoundedMap } from '../../bounded-map.ts'
import { TidingsError } from '../../errors.ts'
import { networkKey } from './network-key.ts'

/** Publishers whose rate is remembered. The one that has not published for the longest time is forgotten first. */
const maxEntries = 10_000

export class PublishRate {
  readonly #rate: number
  readonly #publishers = new BoundedMap<string, TokenBucket>({ maxEntries })

  /** @param rate requests per second and publisher; 0 for no limit */
  constructor(rate: number) {
    this.#rate = rate
  }

  /**
   * Counts one request for the token's subject, or for the address if there is none.
   * @throws TidingsError `publishing_too_fast`
   */
  count(address: string, subject: string | undefined): void {
    if (this.#rate === 0) return
    const key = subject === undefined ? networkKey(address) : `sub ${subject}`
    const bucket = this.#publishers.get(key) ?? new TokenBucket(this.#rate)
    this.#publishers.set(key, bucket)
    if (!bucket.take()) throw new TidingsError('publishing_too_fast', `the limit is ${this.#rate} requests per second`)
  }
}

/** Allows `rate` events per second, and as many at once after a pause. */
class TokenBucket {
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
