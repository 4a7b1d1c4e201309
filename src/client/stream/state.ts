// The state of a subscription, for a user interface.

export type State =
  /** The first bytes of the stream have not arrived. */
  | { readonly status: 'connecting' }
  /** The server is sending updates that were published before. */
  | { readonly status: 'catching-up' }
  /** Updates arrive as they are published. `polling`: by long polling, because something buffers the stream. */
  | { readonly status: 'live'; readonly via: 'stream' | 'polling' }
  /** `until` is the time of the next attempt, in milliseconds since 1970; Infinity while the page is hidden. */
  | { readonly status: 'waiting'; readonly until: number; readonly reason: string }
  | ClosedState

export interface ClosedState {
  readonly status: 'closed'
  /** `client`: closed by this side; `ended`: nothing more will come; `refused`: see `error`. */
  readonly reason: 'client' | 'ended' | 'refused'
  readonly error?: Error
}
