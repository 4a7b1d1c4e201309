// Appends that wait for a commit, and which of them share the next one. It commits nothing.
import type { TidingsError } from '../errors.ts'
import type { Update } from '../update.ts'
import type { Appended, DedupOptions } from './log.ts'
import type { Announcement, Member } from './roster.ts'

export interface PendingAppend {
  readonly updates: readonly Update[]
  readonly dedup?: DedupOptions | undefined
  /** Where these are announcements: who came or, with `null`, went with each update. */
  readonly members?: readonly (Member | null)[]
  resolve(entries: Appended[]): void
  reject(reason: unknown): void
}

/** What became of one append: it was kept, or refused by itself while others of its group were kept. */
export type Outcome = Appended[] | TidingsError

/** Tells each of a group what became of it, in order. */
export function settle(group: readonly PendingAppend[], outcomes: readonly Outcome[]): void {
  group.forEach(({ resolve, reject }, at) => {
    const outcome = outcomes[at] as Outcome
    if (Array.isArray(outcome)) resolve(outcome)
    else reject(outcome)
  })
}

/** Updates that one commit gathers at most, unless a single append has more. */
const maxGroupSize = 2_048

export class AppendQueue {
  #pending: PendingAppend[] = []

  get isEmpty(): boolean {
    return this.#pending.length === 0
  }

  add(append: PendingAppend): void {
    this.#pending.push(append)
  }

  /** The oldest of those that wait, as many as one commit takes. */
  take(): PendingAppend[] {
    let size = 0
    let end = 0
    while (end < this.#pending.length && (end === 0 || size < maxGroupSize)) {
      size += (this.#pending[end++] as PendingAppend).updates.length
    }
    return this.#pending.splice(0, end)
  }
}

/** Has announcements gathered like everything else. */
export function asAppend(announcements: readonly Announcement[]): Pick<PendingAppend, 'updates' | 'members'> {
  return { updates: announcements.map(({ update }) => update), members: announcements.map(({ member }) => member) }
}
