// What the tabs of a group tell each other.
import type { EventSourceMessage } from 'eventsource-parser'
import type { State } from '../stream/state.ts'

/** A member wants these topics. A later version replaces an earlier one. */
export interface Want {
  readonly type: 'want'
  readonly tab: string
  readonly member: string
  readonly version: number
  readonly topics: readonly string[]
}

export interface Leave {
  readonly type: 'leave'
  readonly member: string
}

/** What the leader sends. Messages of an earlier leader are ignored. */
export type LeaderMessage = { readonly leader: string } & (
  | { readonly type: 'lead' }
  | { readonly type: 'state'; readonly state: State }
  /** From this position on, the stream has the topics of these members. */
  | { readonly type: 'joined'; readonly wants: readonly Want[]; readonly position: string }
  | { readonly type: 'refused'; readonly want: Want; readonly code: string; readonly reason: string }
  /** `topics` is undefined for an event that concerns all topics. */
  | { readonly type: 'event'; readonly event: EventSourceMessage; readonly topics: readonly string[] | undefined }
  /** The hub has ended or refused the stream. */
  | { readonly type: 'failed'; readonly reason: string }
)

export type Message = Want | Leave | LeaderMessage
