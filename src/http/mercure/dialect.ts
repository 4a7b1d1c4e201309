// What the two dialects of Mercure differ in, as one interface: the endpoints are written once, and a dialect translates. It
// decides nothing.
import type { OutgoingHttpHeaders } from 'node:http'
import type { Dialect } from '../../auth/dialect.ts'
import type { TidingsError } from '../../errors.ts'
import type { Selector } from '../../topics/matcher.ts'
import type { Update } from '../../update.ts'
import type { Parameters } from '../body.ts'

/** A refusal as one dialect tells it. */
export interface DialectError {
  readonly status: number
  readonly text: string
  readonly headers?: OutgoingHttpHeaders
}

/** One thing that a subscriber subscribed to, as it is announced and listed. */
export interface SubscriptionFacts {
  readonly selector: Selector
  /** `urn:uuid:` and a random UUID. */
  readonly subscriber: string
  readonly payload: unknown
}

/** Which subscriptions a request for a list names; what is left out may be anything. */
export interface SubscriptionPath {
  readonly selector?: Selector
  readonly subscriber?: string
}

/** Where a list of subscriptions stands. */
export interface Listing {
  /** The path that was asked for. */
  readonly id: string
  readonly lastEventId: string
}

export interface MercureDialect {
  readonly dialect: Dialect
  /** Headers of a stream besides those of both. */
  readonly streamHeaders: OutgoingHttpHeaders
  /** The response header that says where a stream begins. */
  readonly lastEventIdHeader: string
  /** @throws TidingsError that says what is wrong with the selectors. */
  readSelectors(parameters: Parameters, base: string): Selector[]
  /** The id to go on after, which the header says before the parameters do; undefined where neither asks. */
  readLastEventId(parameters: Parameters, header: string | undefined): string | undefined
  /** Refuses what the dialect does and tidings would not. @throws TidingsError */
  checkUpdate(update: Update, base: string): void
  describeError(error: TidingsError, metadataUrl: string): DialectError
  /** The path of a subscription, which is also the topic of what is announced of it. */
  pathOf(facts: SubscriptionFacts): string
  /** A subscription as JSON, in a list. */
  documentOf(facts: SubscriptionFacts, active: boolean): Record<string, unknown>
  /** The same where it is what an update says. */
  eventOf(document: Record<string, unknown>): Record<string, unknown>
  /** The type of the update that announces it, where there is one. */
  readonly presenceType?: string
  /** What the rest of a path below that of all subscriptions names. @throws TidingsError `path_invalid` */
  readPath(segments: readonly string[], base: string): SubscriptionPath
  /** The document of one subscription in a list of its own, and of a list without its subscriptions. */
  single(document: Record<string, unknown>, listing: Listing): Record<string, unknown>
  collection(listing: Listing): Record<string, unknown>
  listHeaders(listing: Listing, hub: string): OutgoingHttpHeaders & { readonly ETag: string }
}
