// The client of tidings for browsers, workers, Node, Deno and Bun: subscribing, publishing, and an EventSource that reconnects.
export type { Credentials, Dialect } from './endpoint.ts'
export { RefusedError } from './errors.ts'
export type { Parse, StandardSchema } from './payload.ts'
export { type PublishedUpdate, type PublishOptions, publish } from './publish.ts'
export { TidingsSource, type TidingsSourceOptions } from './source.ts'
export type { ClosedState, Sharing, State, WaitingState } from './stream/state.ts'
export { type Subscription, subscribe } from './subscription.ts'
export type { TokenOption } from './token.ts'
export type {
  Deletion,
  End,
  Gap,
  InvalidUpdate,
  SubscribeOptions,
  SubscriptionEvents,
  Update
} from './types.ts'
