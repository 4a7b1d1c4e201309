// Group commit: appends that arrive while a commit is in progress share the next one.
import type { TidingsError } from '../errors.ts'
import type { Update } from '../update.ts'
import type { Deletion } from './deletion.ts'
import type { Appended, DedupOptions, Entry } from './log.ts'
import type { Announcement, Member } from './roster.ts'

export interface PendingAppend {
  readonly updates: readonly Update[]
  readonly dedup?: DedupOptions | undefined
  /** For announcements: who comes or, with `null`, goes with each update. */
  readonly members?: readonly (Member | null)[]
  /** For the announcement of a deletion, which is the only update. */
  readonly deletion?: Deletion
  resolve(entries: Appended[]): void
  reject(reason: unknown): void
}

/** The outcome of one append: it was kept, or refused alone while others of its group were kept. */
export type Outcome = Appended[] | TidingsError

/** Updates that one commit takes at most, unless a single append has more. */
const maxGroupSize = 2_048

export class GroupCommit {
  readonly #commit: (group: readonly PendingAppend[]) => Promise<readonly Outcome[]>
  #pending: PendingAppend[] = []
  #isRequested = false
  #isRunning = false
  #idle = Promise.resolve()

  /** @param commit commits a group, which may be empty after `request`. When it rejects, so does every append of the group. */
  constructor(commit: (group: readonly PendingAppend[]) => Promise<readonly Outcome[]>) {
    this.#commit = commit
  }

  append(updates: readonly Update[], dedup?: DedupOptions): Promise<Appended[]> {
    return this.#add({ updates, dedup })
  }

  async announce(announcements: readonly Announcement[]): Promise<void> {
    const updates = announcements.map(({ update }) => update)
    await this.#add({ updates, members: announcements.map(({ member }) => member) })
  }

  async delete(deletion: Deletion, announcement: Update): Promise<Entry> {
    const [entry] = await this.#add({ updates: [announcement], deletion })
    return entry as Entry
  }

  /** Requests a commit also where no append is pending. */
  request(): void {
    this.#isRequested = true
    this.#start()
  }

  /** Rejects the appends that wait for the commit in progress. */
  rejectPending(reason: TidingsError): void {
    for (const { reject } of this.#pending.splice(0)) reject(reason)
  }

  /** Resolves when no commit is in progress and nothing waits for one. */
  get idle(): Promise<void> {
    return this.#idle
  }

  #add(append: Omit<PendingAppend, 'resolve' | 'reject'>): Promise<Appended[]> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ ...append, resolve, reject })
      this.#start()
    })
  }

  #start(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    this.#idle = this.#run()
  }

  async #run(): Promise<void> {
    // Appends of the same tick join the first group.
    await undefined
    while (this.#pending.length > 0 || this.#isRequested) {
      this.#isRequested = false
      await this.#commitGroup(this.#take())
    }
    this.#isRunning = false
  }

  async #commitGroup(group: readonly PendingAppend[]): Promise<void> {
    try {
      const outcomes = await this.#commit(group)
      group.forEach(({ resolve, reject }, at) => {
        const outcome = outcomes[at] as Outcome
        if (Array.isArray(outcome)) resolve(outcome)
        else reject(outcome)
      })
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }

  /** The oldest pending appends, as many as one commit takes. */
  #take(): PendingAppend[] {
    let size = 0
    let end = 0
    while (end < this.#pending.length && (end === 0 || size < maxGroupSize)) {
      size += (this.#pending[end++] as PendingAppend).updates.length
    }
    return this.#pending.splice(0, end)
  }
}
