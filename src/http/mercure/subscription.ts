// One subscription as Mercure announces and lists it. It does not know when that is.
import type { Grants } from '../../auth/grants.ts'
import type { Subscription } from '../../hub/presence.ts'
import { type Selector, textOf } from '../../topics/matcher.ts'
import type { Update } from '../../update.ts'
import type { MercureDialect, SubscriptionFacts } from './dialect.ts'

export class MercureSubscription implements Subscription, SubscriptionFacts {
  readonly door: MercureDialect
  readonly selector: Selector
  readonly subscriber: string
  readonly payload: unknown
  /** Its path, which is also where it is listed. */
  readonly topic: string

  constructor(door: MercureDialect, selector: Selector, subscriber: string, grants: Grants) {
    this.door = door
    this.selector = selector
    this.subscriber = subscriber
    this.payload = grants.payloadFor(textOf(selector))
    this.topic = door.pathOf(this)
  }

  /** As it stands in a list. */
  get document(): Record<string, unknown> {
    return this.door.documentOf(this, true)
  }

  announce(active: boolean): Update {
    const { presenceType: type } = this.door
    const data = JSON.stringify(this.door.eventOf(this.door.documentOf(this, active)))
    return { topics: [this.topic], data, private: true, ...(type && { type }) }
  }
}
