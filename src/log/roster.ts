// Who is present wherever a log is followed: that part of the log's contract, and the leases of nodes that share a log in one
// process. It knows no connection, and not what a record says.
import type { Update } from '../update.ts'

/** Somebody who is present. */
export interface Member {
  /** The one topic of what is announced of it, which nobody else has. */
  readonly topic: string
  /** The node that it is connected to. */
  readonly node: string
  /** What it takes to list it; only who announced it can read that. */
  readonly record: string
  /** What is to be said when it has gone, by its own node or, where that died, by another. */
  readonly end: Update
}

/** An update that says that somebody came, or, with `null`, that whoever has its first topic went. */
export interface Announcement {
  readonly update: Update
  readonly member: Member | null
}

export interface Roster {
  /**
   * Appends the updates, and changes the roster in the same moment. Who is on it does not come again, and who is not on it
   * does not go: their updates are left out, so that whoever is in doubt may repeat all of it.
   * @throws TidingsError as `append` does
   */
  announce(announcements: readonly Announcement[]): Promise<void>
  /**
   * All who are on the roster, in pages. Who comes or goes meanwhile may be missing or not: the entry that says so is newer
   * than the beginning of the reading.
   */
  members(): AsyncIterable<readonly Member[]>
  /** Says that a node lives, for so many milliseconds from now on, and answers which nodes do. */
  renew(node: string, lease: number): Promise<readonly string[]>
}

/** Until when nodes are known to live that share a log in one process. */
export class Leases {
  readonly #ends = new Map<string, number>()

  renew(node: string, lease: number): string[] {
    const now = performance.now()
    this.#ends.set(node, now + lease)
    for (const [other, end] of this.#ends) if (end <= now) this.#ends.delete(other)
    return [...this.#ends.keys()]
  }
}
