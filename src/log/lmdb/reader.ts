// Reads the history in an LmdbStore for whoever wants some of it: by topic where the topics are known, else one after the
// other. It writes nothing, and keeps nothing between two pages.

import type { Entry, Filter, PageLimit } from '../log.ts'
import { sizeOf } from '../size.ts'
import { alternatePlace, canonicalPlace } from './places.ts'
import type { LmdbStore } from './store.ts'

/** How many entries one page, or one step of a search, looks at before others have their turn. */
const stretch = 2_048

/** What a filter admits after an offset, up to `head`. */
export function readPage(
  store: LmdbStore,
  head: number,
  after: number,
  filter: Filter,
  limit: PageLimit
): { entries: Entry[]; cursor: number } {
  const entries: Entry[] = []
  let cursor = after
  let bytes = 0
  let looked = 0
  for (const entry of filter.topics ? withTopics(store, filter.topics, after + 1) : store.from(after + 1)) {
    // Written, but not yet answered: whoever reads it now would have it before it is promised to stay.
    if (entry.offset > head) break
    cursor = entry.offset
    if (admits(filter, entry)) {
      entries.push(entry)
      bytes += sizeOf(entry.update)
    }
    if (++looked === stretch || entries.length >= limit.entries || bytes >= limit.bytes) return { entries, cursor }
  }
  return { entries, cursor: Math.max(after, head) }
}

/**
 * The offset before the newest so many entries that a filter admits; undefined where there are fewer. Asks after every turn
 * of others whether it may go on, by throwing: what is closed meanwhile must not be touched.
 */
export async function findNewest(
  store: LmdbStore,
  head: number,
  filter: Filter,
  count: number,
  goOn: () => void
): Promise<number | undefined> {
  let left = count
  for (let from = head; left > 0 && from > 0; ) {
    let looked = 0
    let reached = 0
    for (const entry of filter.topics ? withTopics(store, filter.topics, from, true) : store.downFrom(from)) {
      reached = entry.offset
      if (admits(filter, entry) && --left === 0) return reached - 1
      if (++looked === stretch) break
    }
    if (looked < stretch) return undefined
    from = reached - 1
    await new Promise(setImmediate)
    goOn()
  }
  return left === 0 ? head : undefined
}

function admits(filter: Filter, { update }: Entry): boolean {
  return filter.admits(update.topics, update.private === true)
}

function* withTopics(
  store: LmdbStore,
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

/** Ascending sequences, or descending ones, as one, in which each number stands once. */
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
