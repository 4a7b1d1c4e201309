// The interface of the two dialects of Mercure. The endpoints exist once; a dialect reads parameters, and writes
// documents and errors.
import type { OutgoingHttpHeaders } from 'node:http'
import type { Dialect } from '../../auth/dialect.ts'
import type { TidingsError } from '../../errors.ts'
import type { Selector } from '../../topics/matcher.ts'
import type { Update } from '../../update.ts'
import type { ReservedTopics } from '../access/reserved.ts'
import type { Parameters } from '../body.ts'

/** The response to an error in one dialect. */
export interface DialectError {
  readonly status: number
  readonly text: string
  readonly headers?: OutgoingHttpHeaders
}

/** One subscription of a stream, as it is announced and listed. */
export interface SubscriptionFacts {
  readonly selector: Selector
  /** `urn:uuid:` and a random UUID. */
  readonly subscriber: string
  readonly payload: unknown
}

/** The subscriptions that the path of a list names. Without a field, all values of it. */
export interface SubscriptionPath {
  readonly selector?: Selector
  readonly subscriber?: string
}

/** The position of a list of subscriptions in the log. */
export interface Listing {
  /** The path of the request, below the mount. */
  readonly id: string
  readonly lastEventId: string
}

export interface MercureDialect {
  readonly dialect: Dialect
  /** Headers of a stream, besides those that both dialects have. */
  readonly streamHeaders: OutgoingHttpHeaders
  /** The response header that contains the id after which a stream begins. */
  readonly lastEventIdHeader: string
  /** @throws TidingsError for a selector that cannot be used */
  readSelectors(parameters: Parameters, base: string): Selector[]
  /** The id to continue after. The header takes precedence over the parameters. Undefined for new updates only. */
  readLastEventId(parameters: Parameters, header: string | undefined): string | undefined
  /** @throws TidingsError for an update that this dialect refuses and the hub would accept */
  checkUpdate(update: Update, reserved: ReservedTopics): void
  describeError(error: TidingsError, metadataUrl: string): DialectError
  /** The path of a subscription below the mount, which is also the topic of its announcements. */
  pathOf(facts: SubscriptionFacts): string
  /** A subscription as an element of a list. */
  documentOf(facts: SubscriptionFacts, active: boolean): Record<string, unknown>
  /** The data of an announcement, from such a document. */
  eventOf(document: Record<string, unknown>): Record<string, unknown>
  /** The type of announcements; undefined for none. */
  readonly presenceType?: string
  /**
   * Reads the segments of a path below `subscriptions`.
   * @throws TidingsError `path_invalid` or `not_found`
   */
  readPath(segments: readonly string[], base: string): SubscriptionPath
  /** The response for one subscription, from its document. */
  single(document: Record<string, unknown>, listing: Listing): Record<string, unknown>
  /** The response for a list, without its `subscriptions`. */
  collection(listing: Listing): Record<string, unknown>
  listHeaders(listing: Listing, hubUrl: string): OutgoingHttpHeaders & { readonly ETag: string }
}
