// What a connection needs to know, and what it reports.
import type { EventSourceMessage } from 'eventsource-parser'
import type { Credentials } from '../endpoint.ts'
import type { TokenOption } from '../token.ts'
import type { State } from './state.ts'

export interface ConnectionOptions {
  readonly token?: TokenOption | undefined
  /** The id to continue after; empty for none. */
  readonly from: string
  readonly fetch: typeof fetch
  readonly credentials?: Credentials | undefined
  readonly pauseWhenHidden: boolean
  /** Longest silence of a stream whose server does not tell its heartbeat interval, in milliseconds; 0 for no limit. */
  readonly idleTimeoutMs: number
  /** How long the first bytes of a stream may take, in milliseconds. */
  readonly openTimeoutMs: number
  readonly headers?: Record<string, string>
  /** The URL of the stream. */
  streamUrl(lastEventId: string): string
  /** The URL of a page of history; undefined if there is none. */
  pageUrl?: ((lastEventId: string, waitSeconds: number) => string) | undefined
  /** Handles an event. If it returns a promise, nothing is read until it resolves. */
  onEvent(event: EventSourceMessage): void | Promise<void>
  onState(state: State): void
  onBytes?: ((bytes: Uint8Array) => void) | undefined
  /** The page may never run again. */
  onLeaving?: () => void
  /** Renews the token without a reconnect. Resolves to false if that is not possible. */
  renew?: (token: string) => Promise<boolean>
}
