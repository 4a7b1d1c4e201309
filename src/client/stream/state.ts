// The state of a subscription, for a user interface.
import type { RefusedError } from '../errors.ts'

export type State =
  /** The first bytes of the stream have not arrived. */
  | { readonly status: 'connecting' }
  /** The server is sending updates that were published before. */
  | { readonly status: 'catching-up' }
  /** Updates arrive as they are published. `polling`: by long polling, because something buffers the stream. */
  | { readonly status: 'live'; readonly via: 'stream' | 'polling' }
  | WaitingState
  | ClosedState

export interface WaitingState {
  readonly status: 'waiting'
  /** When the next attempt is made, in milliseconds since 1970; Infinity while the page is hidden. */
  readonly until: number
  readonly reason: string
  /** What the server answered, if it refused. */
  readonly error?: RefusedError
}

export interface ClosedState {
  readonly status: 'closed'
  /** `client`: closed by this side; `ended`: nothing more will come; `refused`: see `error`. */
  readonly reason: 'client' | 'ended' | 'refused'
  readonly error?: Error
}

/** How a subscription gets its updates. */
export type Sharing =
  /** By the shared stream, which this page has opened. */
  | { readonly role: 'leader' }
  /** By the shared stream of another tab. */
  | { readonly role: 'follower' }
  /** By a connection that no other tab uses. */
  | { readonly role: 'alone'; readonly reason: string }
