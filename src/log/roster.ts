// Presence in a log: who is present on all of its nodes, and the leases of those nodes. The roster also keeps records that belong to no
// node, such as revocations. An optional part of the log's contract.
import type { Update } from '../update.ts'

/** The `node` of a record that belongs to no node. It stays until it is withdrawn, whatever nodes come and go. */
export const noNode = ''

/** Somebody who is present, or a record that belongs to no node. Both are kept as safely as entries. */
export interface Member {
  /** The topic of its announcements, which no other member has. */
  readonly topic: string
  /** The node that it is connected to, or `noNode`. */
  readonly node: string
  /** What is needed to list it; only the announcer interprets it. */
  readonly record: string
  /** The update to publish when it has gone: by its own node or, if that crashed, by another. */
  readonly end: Update
}

/** An update that announces that a member comes or, with `null`, that the member with the update's first topic goes. */
export interface Announcement {
  readonly update: Update
  readonly member: Member | null
}

export interface Roster {
  /**
   * Appends the updates and changes the roster in the same step. An announcement that changes nothing is left out, so it may be repeated
   * when its outcome is unknown.
   * @throws TidingsError as `Log.append` does
   */
  announce(announcements: readonly Announcement[]): Promise<void>
  /**
   * All members, in pages. Members that come or go meanwhile may be missing or included; their entries are newer than the beginning
   * of the reading.
   */
  members(): AsyncIterable<readonly Member[]>
  /** Extends the lease of a node by so many milliseconds, and returns the living nodes. A record without a node needs no lease. */
  renew(node: string, leaseMs: number): Promise<readonly string[]>
}

/** Announcements in one append, so that many of them alternate with publishes. */
export const batchSize = 256

/** @throws TidingsError as `Log.append` does; then some may be announced */
export async function announceInBatches(roster: Roster, announcements: readonly Announcement[]): Promise<void> {
  for (let at = 0; at < announcements.length; at += batchSize) {
    await roster.announce(announcements.slice(at, at + batchSize))
  }
}

/** For a log without a roster. */
export const emptyRoster: Roster = {
  announce: async () => {},
  async *members() {},
  renew: async () => []
}

/** Leases of nodes that share a log in one process. */
export class Leases {
  readonly #ends = new Map<string, number>()

  renew(node: string, leaseMs: number): string[] {
    const now = performance.now()
    this.#ends.set(node, now + leaseMs)
    for (const [other, end] of this.#ends) if (end <= now) this.#ends.delete(other)
    return [...this.#ends.keys()]
  }
}
