// The public API. Everything exported here is documented and stable; nothing else is.
export { type ErrorCode, OptionError, TidingsError } from './errors.ts'
export type {
  AuthorizeAnswer,
  AuthorizedRights,
  AuthorizeFunction,
  AuthorizeRequest
} from './http/access/authorize-function.ts'
export type { HandlerOptions } from './http/request-context.ts'
export { createHandler } from './http/router.ts'
export type { CloseReason, Connection, EntryBatch, TokenIdentity } from './hub/connection.ts'
export type { GrantedRights, Rights, StreamChange } from './hub/control/change.ts'
export type { ControlOptions } from './hub/control/changes.ts'
export type { ControlOffer } from './hub/control/offer.ts'
export type { Encoding } from './hub/delivery/frame.ts'
export type { DeleteOptions, DeleteTarget } from './hub/history/deleter.ts'
export type { HistoryPage, HistoryRequest } from './hub/history/history.ts'
export type { Gap, StreamPosition } from './hub/history/position.ts'
export { createHub, type Hub } from './hub/hub.ts'
export type { PublishOptions } from './hub/idempotency.ts'
export type { DeletedUpdates, SubscribeOptions, SubscriptionItem } from './hub/in-process/iteration.ts'
export type { Delivery, ObservedRevocation, Observer, RefusedRequest } from './hub/observer.ts'
export type { HubOptions } from './hub/options.ts'
export type { Subscription } from './hub/presence/presence.ts'
export type { RevocationCode } from './hub/revocation/list.ts'
export type {
  RevocableClient,
  Revocation,
  RevocationKind,
  RevocationRequest,
  RevocationTarget
} from './hub/revocation/revocation.ts'
export type { RevocationRegister } from './hub/revocation/revocations.ts'
export type { HubStatus } from './hub/stats.ts'
export type { SubscribeRequest } from './hub/subscribe-request.ts'
export type { Subscriber, SubscriberState } from './hub/subscriber.ts'
export type { Bus } from './log/bus.ts'
export type { Deletion } from './log/deletion.ts'
export { LogError } from './log/error.ts'
export { LmdbLog } from './log/lmdb/log.ts'
export type { Durability, LmdbLogOptions } from './log/lmdb/options.ts'
export type { Appended, DedupKey, DedupOptions, Entry, Filter, Log, Page, PageLimit } from './log/log.ts'
export { MemoryLog, type MemoryLogOptions } from './log/memory/log.ts'
export { RedisLog } from './log/redis/log.ts'
export type { RedisLogOptions } from './log/redis/options.ts'
export type { RetentionRule } from './log/retention/rules.ts'
export type { Announcement, Member, Roster } from './log/roster.ts'
export type { Selector, TypedSelector } from './topics/matcher.ts'
export type { Update } from './update.ts'
