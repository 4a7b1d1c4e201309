// An iteration over updates in this process, with the guarantees of a stream. Like a client, it joins again from its position when the
// hub ends its stream because it is slow.
import { TidingsError } from '../../errors.ts'
import { formatId } from '../../log/ids.ts'
import type { Entry } from '../../log/log.ts'
import type { Selector } from '../../topics/matcher.ts'
import type { CloseReason, Connection } from '../connection.ts'
import { deletedType } from '../delivery/frame.ts'
import type { Gap, StreamPosition } from '../history/position.ts'
import type { SubscribeRequest } from '../subscribe-request.ts'
import type { Subscriber } from '../subscriber.ts'
import { QueueConnection } from './queue-connection.ts'

/** What `Hub.subscribe` iterates over. */
export interface SubscribeOptions {
  /** Topics, `*`, URI templates or URL patterns: at most 1,000 of at most 4,096 bytes each. Default: `*`. */
  readonly topics?: readonly Selector[]
  /** Topics whose private updates are included. Default: none. */
  readonly readable?: readonly Selector[]
  /** Continue after this id; `earliest` begins with the oldest kept update. Default: new updates only. */
  readonly from?: string | undefined
  /** Without `from`: begin with the newest so many updates, at most 100,000. */
  readonly last?: number | undefined
  /** Ends the iteration when it is aborted. */
  readonly signal?: AbortSignal | undefined
}

export type SubscriptionItem =
  /** An update. `entry.id` is the value of `from` to continue after it. `entry.update.end` is true for the last update of its topics. */
  | { readonly type: 'update'; readonly entry: Entry }
  /** Updates were deleted: those of these topics up to `through`, or the one with `id`. */
  | { readonly type: 'deleted'; readonly entry: Entry; readonly deletion: DeletedUpdates }
  /** What is missing before the next item. */
  | { readonly type: 'gap'; readonly gap: Gap }

export interface DeletedUpdates {
  readonly topics: readonly string[]
  readonly through?: string
  readonly id?: string
}

/** The part of a hub that an iteration uses. */
interface Streaming {
  locate(request: SubscribeRequest, signal?: AbortSignal): Promise<StreamPosition>
  join(position: StreamPosition, connection: Connection): Subscriber
  leave(subscriber: Subscriber, reason: CloseReason): void
}

/** @throws TidingsError as `Hub.subscribe` does */
export async function* iterate(hub: Streaming, options: SubscribeOptions): AsyncGenerator<SubscriptionItem, void> {
  const { topics, readable, from, last, signal } = options
  const common = { ...(topics && { topics }), ...(readable && { readable }) }
  let request: SubscribeRequest = {
    ...common,
    ...(from !== undefined && { lastEventId: from }),
    ...(last !== undefined && { last })
  }
  for (;;) {
    const position = await locate(hub, request, signal)
    if (!position) return
    if (position.gap) yield { type: 'gap', gap: position.gap }
    if (position.isOver || signal?.aborted) return
    const connection = new QueueConnection()
    const subscriber = hub.join(position, connection)
    try {
      yield* itemsOf(connection, signal)
    } finally {
      hub.leave(subscriber, 'client')
    }
    if (signal?.aborted || connection.ended === 'ended') return
    throwIfFinal(connection.ended)
    // An id of the hub, since a publisher may use one of its own twice. Everything up to the cursor was taken from the queue.
    request = { ...common, lastEventId: formatId(position.epoch, subscriber.cursor) }
    // A log in this process answers at once, and must not keep the event loop from delivering.
    await new Promise(setImmediate)
  }
}

/** Undefined when the signal was aborted first. */
async function locate(hub: Streaming, request: SubscribeRequest, signal: AbortSignal | undefined) {
  if (signal?.aborted) return undefined
  try {
    return await hub.locate(request, signal)
  } catch (error) {
    if (signal?.aborted) return undefined
    throw error
  }
}

async function* itemsOf(connection: QueueConnection, signal: AbortSignal | undefined) {
  for (let entries = await connection.next(signal); entries; entries = await connection.next(signal)) {
    for (const entry of entries) {
      if (signal?.aborted) return
      yield itemOf(entry)
    }
  }
}

function itemOf(entry: Entry): SubscriptionItem {
  const { type, data } = entry.update
  if (type !== deletedType) return { type: 'update', entry }
  return { type: 'deleted', entry, deletion: JSON.parse(data) as DeletedUpdates }
}

/** After `slow`, `gap`, `rotated` and `operator`, a client connects again. The others would fail again, or lose something. */
function throwIfFinal(reason: CloseReason | undefined): void {
  if (reason === 'shutdown') throw new TidingsError('closed')
  if (reason === 'revoked') throw new TidingsError('revoked')
  if (reason === 'error') throw new TidingsError('log_unavailable', 'the history could not be read')
}
