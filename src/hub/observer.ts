// The one hook: what happens in a hub, told to whoever wants to count, log or graph it. Nothing here may change what happens.
import type { ErrorCode } from '../errors.ts'
import type { Entry } from '../log/log.ts'
import type { CloseReason } from './connection.ts'
import type { Subscriber } from './subscriber.ts'

/** What one sweep of an audience, or one write to someone who is catching up, delivered. */
export interface Delivery {
  readonly by: 'sweep' | 'catch-up'
  /** Entries in the batch. */
  readonly entries: number
  /** Entries times the members that got them. */
  readonly deliveries: number
  /** Bytes handed to connections. */
  readonly bytes: number
  /** When the oldest of the entries was appended, in milliseconds since 1970. */
  readonly oldestTime: number
}

/** A request that was refused, without what it carried. */
export interface RefusedRequest {
  readonly code: ErrorCode
  /** The id of the request. */
  readonly request: string
  readonly address: string
  readonly method: string
  /** The path, without the query. */
  readonly path: string
  /** The id of the trace that it belongs to, where it says so. */
  readonly trace?: string
}

/** Told synchronously; must be quick and must not throw. */
export interface Observer {
  /** The log has kept its promise for so many updates, after so many milliseconds. */
  appended?(updates: number, ms: number): void
  /** Entries have arrived from the log, on this node. */
  arrived?(entries: readonly Entry[]): void
  delivered?(delivery: Delivery): void
  joined?(subscriber: Subscriber): void
  left?(subscriber: Subscriber, reason: CloseReason): void
  /** A request was refused, at whichever door. */
  refused?(refusal: RefusedRequest): void
  /** Something went wrong on our side, of which a client is told no more than that. */
  failed?(error: unknown): void
  /** Advice to the operator, such as on the configuration of Redis. */
  warned?(message: string): void
}

/** Tells several observers, in order. */
export function combineObservers(observers: readonly Observer[]): Required<Observer> {
  const each = (tell: (observer: Observer) => void) => {
    for (const observer of observers) notifySafely(observer, tell)
  }
  return {
    appended: (updates, ms) => each((observer) => observer.appended?.(updates, ms)),
    arrived: (entries) => each((observer) => observer.arrived?.(entries)),
    delivered: (delivery) => each((observer) => observer.delivered?.(delivery)),
    joined: (subscriber) => each((observer) => observer.joined?.(subscriber)),
    left: (subscriber, reason) => each((observer) => observer.left?.(subscriber, reason)),
    refused: (refusal) => each((observer) => observer.refused?.(refusal)),
    failed: (error) => each((observer) => observer.failed?.(error)),
    warned: (message) => each((observer) => observer.warned?.(message))
  }
}

/** An observer's error must stop neither a sweep nor the log, nor be lost: it becomes an uncaught exception. */
function notifySafely(observer: Observer, tell: (observer: Observer) => void): void {
  try {
    tell(observer)
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
