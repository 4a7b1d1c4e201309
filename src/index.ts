// The library's face: what there is to build with, and nothing that is not meant to be relied upon.
export { type ErrorCode, TidingsError } from './errors.ts'
export type { HandlerOptions } from './http/exchange.ts'
export { createHandler } from './http/handler.ts'
export type { CloseReason, Connection } from './hub/connection.ts'
export type { Encoding } from './hub/frame.ts'
export { createHub, type Hub } from './hub/hub.ts'
export type { Delivery, Observer, RefusedRequest } from './hub/observer.ts'
export type { HubOptions } from './hub/options.ts'
export type { Gap, Place, SubscribeRequest } from './hub/place.ts'
export type { Subscription } from './hub/presence.ts'
export type { PublishOptions } from './hub/repetition.ts'
export type { Subscriber, SubscriberState } from './hub/subscriber.ts'
export type { HubStatus } from './hub/tally.ts'
export type { Durability } from './log/lmdb-store.ts'
export type { Appended, Entry, Filter, Log, Mark, Once, Page, PageLimit } from './log/log.ts'
export { LogError } from './log/log-error.ts'
export type { Announcement, Member, Roster } from './log/roster.ts'
export {
  LmdbLog,
  type LmdbLogOptions,
  MemoryLog,
  type MemoryLogOptions,
  RedisLog,
  type RedisLogOptions,
  type RetentionRule
} from './logs.ts'
export type { Selector, TypedSelector } from './topics/matcher.ts'
export type { Update } from './update.ts'
