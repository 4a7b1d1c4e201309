// Limits how often one publisher may publish.
import { BoundedMap } from '../../bounded-map.ts'
import { TidingsError } from '../../errors.ts'
import { networkKey } from './network-key.ts'
import { TokenBucket } from './token-bucket.ts'

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
