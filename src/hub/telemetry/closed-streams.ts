// The streams that ended last. A record keeps no connection and no audience, so a closed stream costs a few hundred bytes.
import type { Selector } from '../../topics/matcher.ts'
import type { CloseReason } from '../connection.ts'
import type { Subscriber } from '../subscriber.ts'
import type { FlightLog } from './flight-log.ts'

/** Streams that are remembered. */
const maxStreams = 1_000

/** What is known of a stream, open or closed. */
export interface StreamFacts {
  readonly number: number
  readonly address: string
  readonly subject: string | undefined
  readonly selectors: readonly Selector[]
  readonly state: Subscriber['state']
  /** Milliseconds since 1970. */
  readonly since: number
  readonly age: number
  readonly cursor: number
  readonly lag: number
  readonly buffered: number
  readonly delivered: number
  readonly hasToken: boolean
  readonly startedAfter: number
  readonly requested: boolean
  readonly flight: FlightLog | undefined
  readonly closed?: { readonly at: number; readonly reason: CloseReason }
}

export class ClosedStreams {
  readonly #ring: StreamFacts[] = []
  readonly #byNumber = new Map<number, StreamFacts>()
  /** Streams that were ever added. */
  #count = 0

  get count(): number {
    return this.#count
  }

  add(facts: StreamFacts): void {
    const at = this.#count++ % maxStreams
    const oldest = this.#ring[at]
    if (oldest) this.#byNumber.delete(oldest.number)
    this.#ring[at] = facts
    this.#byNumber.set(facts.number, facts)
  }

  get(number: number): StreamFacts | undefined {
    return this.#byNumber.get(number)
  }

  /** The newest first. With `after`, an earlier `count`, only those that were added since. */
  newest(limit: number, after = 0): StreamFacts[] {
    const wanted = Math.min(limit, this.#ring.length, this.#count - after)
    return Array.from({ length: Math.max(0, wanted) }, (_, at) => {
      return this.#ring[(this.#count - 1 - at) % maxStreams] as StreamFacts
    })
  }
}
