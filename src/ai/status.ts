// The newest update of a run, which says whether it has ended, and whether its writer is alive.
import { type EndStatus, endStatusOf, isDeletion, type RunTopics } from './names.ts'
import type { Store } from './stores/store.ts'

export interface Tip {
  /** The id of the newest update; undefined if the hub has none. */
  readonly id: string | undefined
  /** How the run ended; undefined if it has not. */
  readonly end: EndStatus | undefined
  /** Whether its writer was gone for longer than the lease. */
  readonly isLost: boolean
  /** Whether the newest update says that everything before it was deleted. */
  readonly isDeleted: boolean
}

/** Chunks and state are one chain: the newest update of both is an end, or nothing has ended. */
export async function tipOf(store: Store, { chunks, state }: RunTopics, leaseMs: number): Promise<Tip> {
  const { update, now } = await store.newest([chunks, state])
  if (!update) return { id: undefined, end: undefined, isLost: false, isDeleted: false }
  if (isDeletion(update)) return { id: update.id, end: undefined, isLost: false, isDeleted: true }
  const end = endStatusOf(update.type)
  return { id: update.id, end, isLost: end === undefined && now - update.time > leaseMs, isDeleted: false }
}
