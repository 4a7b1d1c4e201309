// Appends that wait for a commit, and which of them share the next one. It commits nothing.
import type { TidingsError } from '../errors.ts'
import type { Update } from '../update.ts'
import type { Appended, Once } from './log.ts'
import type { Announcement, Member } from './roster.ts'

export interface Append {
  readonly updates: readonly Update[]
  readonly once?: Once | undefined
  /** Where these are announcements: who came or, with `null`, went with each update. */
  readonly members?: readonly (Member | null)[]
  resolve(entries: Appended[]): void
  reject(reason: unknown): void
}

/** What became of one append: it was kept, or refused by itself while others of its group were kept. */
export type Outcome = Appended[] | TidingsError

/** Tells each of a group what became of it, in order. */
export function tell(group: readonly Append[], outcomes: readonly Outcome[]): void {
  group.forEach(({ resolve, reject }, at) => {
    const outcome = outcomes[at] as Outcome
    if (Array.isArray(outcome)) resolve(outcome)
    else reject(outcome)
  })
}

/** Updates that one commit gathers at most, unless a single append has more. */
const mostGathered = 2_048

export class Gathering {
  #waiting: Append[] = []

  get isEmpty(): boolean {
    return this.#waiting.length === 0
  }

  add(append: Append): void {
    this.#waiting.push(append)
  }

  /** The oldest of those that wait, as many as one commit takes. */
  take(): Append[] {
    let size = 0
    let end = 0
    while (end < this.#waiting.length && (end === 0 || size < mostGathered)) {
      size += (this.#waiting[end++] as Append).updates.length
    }
    return this.#waiting.splice(0, end)
  }
}

/** Has announcements gathered like everything else. */
export function asAppend(announcements: readonly Announcement[]): Pick<Append, 'updates' | 'members'> {
  return { updates: announcements.map(({ update }) => update), members: announcements.map(({ member }) => member) }
}
