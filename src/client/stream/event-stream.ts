// What a subscription needs of its stream, whether it has a connection of its own or shares one.
import type { EventSourceMessage } from 'eventsource-parser'
import type { Credentials, Endpoint } from '../endpoint.ts'
import type { TokenOption } from '../token.ts'
import type { Sharing, State } from './state.ts'

export interface EventStream {
  /** The confirmed topics. */
  readonly topics: readonly string[]
  /** The id to continue after. While an event is handled, it is the id before this event. */
  readonly lastEventId: string
  readonly state: State
  start(): void
  close(): void
  /** Resolves when the change is part of the stream. @throws RefusedError if the hub refuses it */
  change(change: TopicChange): Promise<void>
}

export interface TopicChange {
  readonly add?: readonly string[]
  readonly remove?: readonly string[]
  /** Deliver the history of the added topics after this id first. */
  readonly from?: string
}

export interface StreamOptions extends StreamHandlers {
  readonly endpoint: Endpoint
  readonly topics: readonly string[]
  /** The id to continue after; empty for none. */
  readonly from: string
  /** Start with the newest N updates, if there is no id. */
  readonly last?: number | undefined
  readonly token?: TokenOption | undefined
  readonly fetch: typeof fetch
  readonly credentials?: Credentials | undefined
  readonly pauseWhenHidden: boolean
  readonly idleTimeoutMs: number
  readonly openTimeoutMs: number
}

export interface StreamHandlers {
  /** Updates, ends, and reports of gaps and deletions. If it returns a promise, the next event waits for it. */
  onEvent(event: EventSourceMessage): void | Promise<void>
  onState(state: State): void
  /** The hub confirmed the topics: updates after this position count for all of them. */
  onTopics?(position: string): void
  onSharing?(sharing: Sharing): void
  /** The page may never run again. */
  onLeaving(): void
}

export function applied(topics: readonly string[], { add = [], remove = [] }: TopicChange): readonly string[] {
  return [...new Set([...topics.filter((topic) => !remove.includes(topic)), ...add])]
}
