// The library's face: what there is to build with, and nothing that is not meant to be relied upon.
export { type ErrorCode, OptionError, TidingsError } from './errors.ts'
export type { HandlerOptions } from './http/request-context.ts'
export { createHandler } from './http/router.ts'
export type { CloseReason, Connection } from './hub/connection.ts'
export type { Encoding } from './hub/delivery/frame.ts'
export { createHub, type Hub } from './hub/hub.ts'
export type { PublishOptions } from './hub/idempotency.ts'
export type { Delivery, Observer, RefusedRequest } from './hub/observer.ts'
export type { HubOptions } from './hub/options.ts'
export type { Gap, StreamPosition, SubscribeRequest } from './hub/position.ts'
export type { Subscription } from './hub/presence/presence.ts'
export type { HubStatus } from './hub/stats.ts'
export type { Subscriber, SubscriberState } from './hub/subscriber.ts'
export { LogError } from './log/error.ts'
export type { Durability } from './log/lmdb/store.ts'
export type { Appended, DedupKey, DedupOptions, Entry, Filter, Log, Page, PageLimit } from './log/log.ts'
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
