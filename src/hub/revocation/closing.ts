// Ends the streams that a revocation matches.
import type { Audience } from '../audience.ts'
import type { TokenIdentity } from '../connection.ts'
import type { Subscriber } from '../subscriber.ts'
import { matches, type RevocableClient, type Revocation } from './revocation.ts'

export interface ClosingDeps {
  readonly audiences: Iterable<Audience<Subscriber>>
  readonly subscribers: ReadonlySet<Subscriber>
  /** The token of a stream that has presented another one since it began. */
  readonly tokenOf: (subscriber: Subscriber) => TokenIdentity | undefined
  readonly leave: (subscriber: Subscriber, reason: 'revoked') => void
}

export class Closing {
  readonly #deps: ClosingDeps

  constructor(deps: ClosingDeps) {
    this.#deps = deps
  }

  /** Ends the streams that match and are `also` concerned, and returns how many. */
  close(revocation: Revocation, also: (subscriber: Subscriber) => boolean = () => true): number {
    const { audiences, subscribers, leave } = this.#deps
    let closed = 0
    const end = (subscriber: Subscriber) => {
      if (!also(subscriber)) return
      leave(subscriber, 'revoked')
      closed++
    }
    if (revocation.kind !== 'topic') {
      for (const subscriber of subscribers) if (matches(revocation, this.clientOf(subscriber))) end(subscriber)
      return closed
    }
    for (const { interest, members } of audiences)
      if (matches(revocation, interest)) for (const one of members) end(one)
    return closed
  }

  clientOf(subscriber: Subscriber): RevocableClient {
    const { connection, selectors } = subscriber
    const { token, subject, address } = connection
    // An application's own connection may know the subject only.
    const first = token ?? (subject === undefined ? undefined : { subject })
    return { token: this.#deps.tokenOf(subscriber) ?? first, address, selectors }
  }
}
