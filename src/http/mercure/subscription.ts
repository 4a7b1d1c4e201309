// One subscription as Mercure announces and lists it. It does not know when that is.
import type { Grants } from '../../auth/grants.ts'
import type { Subscription } from '../../hub/presence/presence.ts'
import type { Member } from '../../log/roster.ts'
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

  get record(): string {
    return `${this.door.dialect} ${JSON.stringify(this.door.documentOf(this, true))}`
  }

  announce(active: boolean): Update {
    const { presenceType: type } = this.door
    const data = JSON.stringify(this.door.eventOf(this.door.documentOf(this, active)))
    return { topics: [this.topic], data, private: true, ...(type && { type }) }
  }
}

/** The document of a subscription as JSON, where it was made in this dialect: another has no words for some of what there is. */
export function readRecord({ record }: Member, { dialect }: MercureDialect): string | undefined {
  return record.startsWith(`${dialect} `) ? record.slice(dialect.length + 1) : undefined
}
