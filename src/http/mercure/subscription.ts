// One subscription of a stream, as Mercure announces and lists it.
import type { Grants } from '../../auth/grants.ts'
import type { Subscription } from '../../hub/presence/presence.ts'
import type { Member } from '../../log/roster.ts'
import { type Selector, textOf } from '../../topics/matcher.ts'
import type { Update } from '../../update.ts'
import type { MercureDialect, SubscriptionFacts } from './dialect.ts'

export class MercureSubscription implements Subscription, SubscriptionFacts {
  readonly dialect: MercureDialect
  readonly selector: Selector
  readonly subscriber: string
  readonly payload: unknown
  /** The path of the subscription, where it is also listed. */
  readonly topic: string

  constructor(dialect: MercureDialect, selector: Selector, subscriber: string, grants: Grants) {
    this.dialect = dialect
    this.selector = selector
    this.subscriber = subscriber
    this.payload = grants.payloadFor(textOf(selector))
    this.topic = dialect.pathOf(this)
  }

  /** The dialect's name, a space, and the document as JSON. `readRecord` reads it. */
  get record(): string {
    return `${this.dialect.dialect} ${JSON.stringify(this.dialect.documentOf(this, true))}`
  }

  announce(active: boolean): Update {
    const { presenceType: type } = this.dialect
    const data = JSON.stringify(this.dialect.eventOf(this.dialect.documentOf(this, active)))
    return { topics: [this.topic], data, private: true, ...(type && { type }) }
  }
}

/**
 * The document of a subscription, as JSON. Undefined if it was made in the other dialect, which cannot express all of
 * its selectors.
 */
export function readRecord({ record }: Member, { dialect }: MercureDialect): string | undefined {
  return record.startsWith(`${dialect} `) ? record.slice(dialect.length + 1) : undefined
}
