// Reads history from the primary. A filter is a function and cannot be sent: the primary selects by topics, and the rest is filtered here.
import type { Entry, Filter, Page, PageLimit } from '../log.ts'
import { sizeOf } from '../size.ts'
import { TimeSlice } from '../time-slice.ts'
import { type History, RemovalReplica, type View } from './history.ts'
import type { PrimaryConnection } from './primary-connection.ts'
import { decodeEntry, type WireEntry, type WireNewest, type WirePage } from './protocol.ts'

/** What the primary returns at least where it cannot know what the filter admits. */
const scanLimit: PageLimit = { entries: 500, bytes: 2 ** 18 }
/** How many times as many entries the next search of `newest` considers. */
const growth = 4

export class PrimaryReader implements History {
  readonly #connection: PrimaryConnection
  readonly #view: View
  readonly #removals = new RemovalReplica()

  constructor(connection: PrimaryConnection, view: View) {
    this.#connection = connection
    this.#view = view
  }

  read(after: number, filter: Filter, limit: PageLimit, removalsSeen?: number): Promise<Page> {
    const { topics } = filter
    const entries = topics ? limit.entries : Math.max(scanLimit.entries, limit.entries)
    const bytes = topics ? limit.bytes : Math.max(scanLimit.bytes, limit.bytes)
    const question = ['read', after, topics ?? null, entries, bytes, removalsSeen ?? null] as const
    return this.#connection.ask(question, ([rows, end, removals]: WirePage) => {
      const { epoch } = this.#view
      const all = rows.map((row) => decodeEntry(epoch, row))
      const page = fill(all, filter, limit)
      if (removals) this.#removals.replicate(removals)
      // As in LmdbLog: removals whose commit is in progress count only for a reader that continues.
      const lost = removals !== undefined && this.#removals.lost(after, filter, removalsSeen, this.#view.removals)
      return { epoch, entries: page.entries, cursor: page.through ?? end, lost }
    })
  }

  async newest(filter: Filter, count: number): Promise<number> {
    if (count <= 0) return this.#view.head
    let left = count
    let considered = filter.topics ? count : Math.max(count, scanLimit.entries)
    for (let before = Number.MAX_SAFE_INTEGER; ; considered *= growth) {
      const question = ['newest', filter.topics ?? null, considered, before] as const
      const [found, after, isAll] = await this.#connection.ask(question, (answer: WireNewest) => answer)
      let slice = new TimeSlice()
      for (const [offset, topics, isPrivate] of found.toReversed()) {
        if (filter.admits(topics, isPrivate) && --left === 0) return offset - 1
        if (!slice.isOver) continue
        await new Promise(setImmediate)
        slice = new TimeSlice()
      }
      if (isAll) return this.#view.first - 1
      before = Math.min(before, after + 1)
    }
  }

  ends(topics: readonly string[]): Promise<readonly (Entry | undefined)[]> {
    return this.#connection.ask(['ends', topics], (rows: readonly (WireEntry | undefined)[]) => {
      return rows.map((row) => (row ? decodeEntry(this.#view.epoch, row) : undefined))
    })
  }

  locate(id: string): Promise<number | undefined> {
    return this.#connection.ask(['locate', id], (offset: number | undefined) => offset)
  }

  async close(): Promise<void> {}
}

/** Takes what the filter admits until the page is full or takes too long. `through` is undefined when all entries were considered. */
function fill(all: readonly Entry[], filter: Filter, limit: PageLimit): { entries: Entry[]; through?: number } {
  const entries: Entry[] = []
  let bytes = 0
  const slice = new TimeSlice()
  for (const entry of all) {
    if (filter.admits(entry.update.topics, entry.update.private === true)) {
      entries.push(entry)
      bytes += sizeOf(entry.update)
    }
    if (slice.isOver || entries.length >= limit.entries || bytes >= limit.bytes)
      return { entries, through: entry.offset }
  }
  return { entries }
}
