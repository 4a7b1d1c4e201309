// The types of a subscription: its options, its updates and its events.
import type { Credentials, Dialect } from './endpoint.ts'
import type { Parse } from './payload.ts'
import type { PositionStorage } from './storage.ts'
import type { Sharing, State } from './stream/state.ts'
import type { TokenOption } from './token.ts'

export interface Update<T = unknown> {
  /** The payload, as `parse` reads it. */
  readonly data: T
  /** The id of the update; undefined if a server other than tidings sent none. */
  readonly id: string | undefined
  /** `message` if the publisher gave none. */
  readonly type: string
  /** The first topic, and all of them. A Mercure hub does not send them. */
  readonly topic: string | undefined
  readonly topics: readonly string[]
  /** When it was published, in milliseconds since 1970. A Mercure hub does not send it. */
  readonly time: number | undefined
}

/** Updates that were missed, and that the hub no longer has. */
export interface Gap {
  readonly requested: string
  /** Everything after this id follows. */
  readonly resumedAfter: string
  readonly reason: 'trimmed' | 'epoch' | 'unknown'
}

/** Updates that the publisher deleted: those of these topics up to `through`, or the one with `id`. */
export interface Deletion {
  readonly topics: readonly string[]
  readonly through?: string
  readonly id?: string
}

/** The last update of its topics. */
export interface End {
  readonly topics: readonly string[]
  readonly id: string
}

export interface InvalidUpdate {
  readonly update: Update<string>
  readonly error: unknown
}

export interface SubscriptionEvents<T> {
  update: Update<T>
  gap: Gap
  deleted: Deletion
  ended: End
  /** An update that `parse` refused. Without a handler, it is reported with `console.error`. */
  invalid: InvalidUpdate
  state: State
  sharing: Sharing
}

export interface SubscribeOptions<T> {
  /** Topics, URI templates or `*`; default: all topics. A Mercure hub needs at least one. */
  readonly topics?: string | readonly string[]
  readonly token?: TokenOption
  /** Continue after this id, or with `earliest` at the start of history; default: new updates only. */
  readonly from?: string
  /** Start with the newest N updates; 1 to 100,000. Not for Mercure. */
  readonly last?: number
  /** Closes the subscription when it is aborted. */
  readonly signal?: AbortSignal
  readonly parse?: Parse<T>
  /** Remembers the last id across page loads, such as `sessionStorage`. A given `from` takes precedence. */
  readonly storage?: PositionStorage
  /**
   * Uses one connection for all subscriptions to this URL. `true`: in all tabs of the browser, as far as Web Locks are available. `page`: in
   * this page. Default: a connection for each subscription. Not for Mercure.
   */
  readonly shared?: boolean | 'page'
  /**
   * Distinguishes groups that do not share a connection, such as the id of the user: all subscriptions of a group receive what the token of
   * one of them may read.
   */
  readonly group?: string
  /** Disconnects while the page is hidden, and continues without loss; default false. */
  readonly pauseWhenHidden?: boolean
  /** Longest silence of a hub that does not announce its heartbeat interval, in milliseconds; 0 for no limit; default 90,000. */
  readonly idleTimeout?: number
  /** How long the first bytes of a stream may take before the client polls instead, in milliseconds; default 10,000. */
  readonly openTimeout?: number
  /** By default, `1.0` for a URL that ends with `/.well-known/mercure`, and `tidings` for others. */
  readonly dialect?: Dialect
  /** Whether cookies are sent to other origins, as for `fetch`. */
  readonly credentials?: Credentials
  /** Another implementation of `fetch`. */
  readonly fetch?: typeof fetch
}
