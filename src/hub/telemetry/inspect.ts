// What a client would get that resumes at an id: the position as for a real stream, and how many entries follow it.
import type { Resume } from '../../dashboard-api/streams.ts'
import type { Log } from '../../log/log.ts'
import type { StreamPosition } from '../history/position.ts'

/** Entries that are read at a time, and the pages of one answer: an inspector must not read a whole log of millions. */
const page = { entries: 1_000, bytes: 256 * 1_024 }
const maxPages = 100
/** Ids in an answer. */
const maxIds = 20

/** Counts what a stream from this position receives from the history. */
export async function inspectResume(log: Log, id: string, position: StreamPosition): Promise<Resume> {
  const { interest, after, gap, isOver, removalsSeen } = position
  const { head } = log
  const first: string[] = []
  let wouldReceive = 0
  let cursor = after
  for (let pages = 0; pages < maxPages && cursor < head; pages++) {
    const found = await log.read(cursor, interest, page, removalsSeen)
    if (found.cursor === cursor) break
    const entries = found.entries.filter(({ offset }) => offset <= head)
    for (const entry of entries) if (first.length < maxIds) first.push(entry.id)
    wouldReceive += entries.length
    cursor = found.cursor
    // A log in this process answers without a pause, and streams must not wait.
    await new Promise(setImmediate)
  }
  return { id, from: after, head, wouldReceive, isComplete: cursor >= head, first, gap: gap ?? null, isOver }
}
