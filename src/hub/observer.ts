// The hook for metrics, logs and webhooks. An observer cannot change what happens.
import type { ErrorCode } from '../errors.ts'
import type { Entry } from '../log/log.ts'
import type { Selector } from '../topics/matcher.ts'
import type { CloseReason } from './connection.ts'
import type { RevocationKind } from './revocation/revocation.ts'
import type { Subscriber } from './subscriber.ts'

/** What one sweep of an audience, or one write of catch-up, delivered. */
export interface Delivery {
  readonly by: 'sweep' | 'catch-up'
  /** Entries in the batch. */
  readonly entries: number
  /** Entries times the members that received them. */
  readonly deliveries: number
  /** Bytes handed to connections. */
  readonly bytes: number
  /** When the oldest of the entries was appended, in milliseconds since 1970. */
  readonly oldestTime: number
}

/** A refused request, without its content. */
export interface RefusedRequest {
  readonly code: ErrorCode
  /** The id of the request. */
  readonly request: string
  readonly address: string
  readonly method: string
  /** The path, without the query. */
  readonly path: string
  /** Why its token is not accepted, without the token; undefined if `code` says all. */
  readonly reason?: string
  /** The trace id of its `traceparent` header. */
  readonly trace?: string
}

/** A revocation that this node has learned of, without what it revokes. */
export interface ObservedRevocation {
  readonly kind: RevocationKind
  /** When it ends, in milliseconds since 1970; undefined if the operator did not say. */
  readonly until: number | undefined
  /** Streams of this node that it ended. */
  readonly closed: number
}

/** Its methods are called synchronously. They must be fast and must not throw. */
export interface Observer {
  /** The log has appended so many updates, after so many milliseconds. */
  appended?(updates: number, ms: number): void
  /** The log has delivered entries to this node. */
  arrived?(entries: readonly Entry[]): void
  delivered?(delivery: Delivery): void
  /** A client without a stream received a page of history with so many updates. */
  paged?(updates: number): void
  joined?(subscriber: Subscriber): void
  left?(subscriber: Subscriber, reason: CloseReason): void
  /** A client changed its stream, which had these selectors before. */
  changed?(subscriber: Subscriber, before: readonly Selector[]): void
  /** A change was accepted, and refused when its turn came. The client finds out in its stream. */
  changeRefused?(code: ErrorCode): void
  /** A request was refused, at any endpoint. */
  refused?(refusal: RefusedRequest): void
  /** An operator revoked tokens, a topic or an address, at any node. */
  revoked?(revocation: ObservedRevocation): void
  /** An operator lifted a revocation, at any node. */
  lifted?(revocation: Pick<ObservedRevocation, 'kind'>): void
  /** An internal error. Clients get no details of it. */
  failed?(error: unknown): void
  /** Advice to the operator, such as on the configuration of Redis. */
  warned?(message: string): void
}

const methods = [
  'appended',
  'arrived',
  'delivered',
  'paged',
  'joined',
  'left',
  'changed',
  'changeRefused',
  'refused',
  'revoked',
  'lifted',
  'failed',
  'warned'
] as const satisfies readonly (keyof Observer)[]

type Notify = (...args: readonly unknown[]) => void

/** Calls several observers, in order. Each method calls only the observers that have it: most calls are made once per entry. */
export function combineObservers(observers: readonly Observer[]): Required<Observer> {
  return Object.fromEntries(methods.map((name) => [name, combine(observers, name)])) as unknown as Required<Observer>
}

function combine(observers: readonly Observer[], name: keyof Observer): Notify {
  const able = observers.filter((observer) => observer[name] !== undefined)
  return (...args) => {
    for (const observer of able) notifySafely(observer, name, args)
  }
}

/** An observer's error must not stop a sweep or the log, and must not be lost: it becomes an uncaught exception. */
function notifySafely(observer: Observer, name: keyof Observer, args: readonly unknown[]): void {
  try {
    ;(observer[name] as Notify).apply(observer, args as unknown[])
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
