// Reads pages of history from LMDB: by the index when the filter names its topics, otherwise one entry after the other.

import type { Deletions } from '../deletion.ts'
import type { Entry, Filter, PageLimit } from '../log.ts'
import { sizeOf } from '../size.ts'
import { TimeSlice } from '../time-slice.ts'
import { alternatePlace, canonicalPlace, idPlace } from './places.ts'

/** What is read: an LmdbStore, or the folder of another process. */
export interface EntrySource {
  entry(offset: number): Entry | undefined
  from(offset: number): Iterable<Entry>
  downFrom(offset: number): Iterable<Entry>
  offsets(place: string, start: number, reverse?: boolean): Iterable<number>
}

/** The entries that a filter admits after an offset, up to `head`. */
export function readPage(
  store: EntrySource,
  head: number,
  after: number,
  filter: Filter,
  limit: PageLimit,
  deletions: Deletions
): { entries: Entry[]; cursor: number } {
  const entries: Entry[] = []
  let cursor = after
  let bytes = 0
  const slice = new TimeSlice()
  for (const entry of filter.topics ? withTopics(store, filter.topics, after + 1) : store.from(after + 1)) {
    // Entries after `head` are written, but their durability is not promised yet.
    if (entry.offset > head) break
    cursor = entry.offset
    if (admits(filter, entry, deletions)) {
      entries.push(entry)
      bytes += sizeOf(entry.update)
    }
    if (slice.isOver || entries.length >= limit.entries || bytes >= limit.bytes) return { entries, cursor }
  }
  return { entries, cursor: Math.max(after, head) }
}

/**
 * The offset before the newest `count` entries that a filter admits; undefined when there are fewer. After each pause it calls
 * `mustBeOpen`, which throws when the log was closed meanwhile.
 */
export async function findNewest(
  store: EntrySource,
  head: number,
  filter: Filter,
  count: number,
  deletions: () => Deletions,
  mustBeOpen: () => void
): Promise<number | undefined> {
  let left = count
  for (let from = head; left > 0 && from > 0; ) {
    const slice = new TimeSlice()
    let reached = 0
    let isEnd = true
    for (const entry of filter.topics ? withTopics(store, filter.topics, from, true) : store.downFrom(from)) {
      reached = entry.offset
      if (admits(filter, entry, deletions()) && --left === 0) return reached - 1
      if (!slice.isOver) continue
      isEnd = false
      break
    }
    if (isEnd) return undefined
    from = reached - 1
    await new Promise(setImmediate)
    mustBeOpen()
  }
  return left === 0 ? head : undefined
}

/** Deleted entries that are passed over in search of the newest one. */
const maxHidden = 100

/** The newest entry of a topic, if it is an end. */
export function findEnd(store: EntrySource, head: number, topic: string, deletions: Deletions): Entry | undefined {
  let looked = 0
  for (const entry of withTopics(store, [topic], head, true)) {
    if (!deletions.covers(entry.offset, entry.update.topics)) return entry.update.end ? entry : undefined
    // Nobody waits for a large deletion; until it is complete, the topic counts as open.
    if (++looked >= maxHidden) return undefined
  }
  return undefined
}

/** The oldest entry with a publisher's id. */
export function findId(store: EntrySource, head: number, id: string, deletions: Deletions): number | undefined {
  for (const offset of store.offsets(idPlace(id), 0)) {
    if (offset > head) return undefined
    if (deletions.isEmpty || !deletions.covers(offset, store.entry(offset)?.update.topics ?? [])) return offset
  }
  return undefined
}

function admits(filter: Filter, { offset, update }: Entry, deletions: Deletions): boolean {
  return !deletions.covers(offset, update.topics) && filter.admits(update.topics, update.private === true)
}

function* withTopics(
  store: EntrySource,
  topics: readonly string[],
  start: number,
  reverse = false
): Generator<Entry, void, undefined> {
  const places = topics.flatMap((topic) => [canonicalPlace(topic), alternatePlace(topic)])
  for (const offset of merged(
    places.map((place) => store.offsets(place, start, reverse)),
    reverse
  )) {
    const entry = store.entry(offset)
    if (entry) yield entry
  }
}

/** Merges ascending, or descending, sequences into one without duplicates. */
function* merged(sequences: Iterable<number>[], reverse: boolean): Generator<number, void, undefined> {
  const iterators = sequences.map((sequence) => sequence[Symbol.iterator]())
  try {
    let cursors = iterators.map((iterator) => ({ iterator, at: next(iterator) }))
    for (;;) {
      cursors = cursors.filter(({ at }) => at !== undefined)
      if (cursors.length === 0) return
      const ends = cursors.map(({ at }) => at as number)
      const nearest = reverse ? Math.max(...ends) : Math.min(...ends)
      yield nearest
      for (const cursor of cursors) if (cursor.at === nearest) cursor.at = next(cursor.iterator)
    }
  } finally {
    for (const iterator of iterators) iterator.return?.()
  }
}

function next(iterator: Iterator<number>): number | undefined {
  const { done, value } = iterator.next()
  return done ? undefined : value
}
