// Deletes history: finds what is to be deleted, checks that the caller may, and has the log delete and announce it.
import { TidingsError } from '../../errors.ts'
import { formatId } from '../../log/ids.ts'
import type { Entry, Filter, Log, PageLimit } from '../../log/log.ts'
import { type Update, validate } from '../../update.ts'
import { deletedType } from '../delivery/frame.ts'

/** What to delete: everything that was published to one of these topics before, or the update with an id. */
export type DeleteTarget = { readonly topics: readonly string[] } | { readonly id: string }

export interface DeleteOptions {
  /** Whether the caller may delete updates with these topics. Default: it may delete everything. */
  readonly mayDelete?: ((topics: readonly string[]) => boolean) | undefined
}

type MayDelete = DeleteOptions['mayDelete']

const page: PageLimit = { entries: 1_000, bytes: 2 ** 17 }
const everything: Filter = { admits: () => true }

/**
 * Deletes, and returns the entry of the announcement; with several updates of one id, the last one.
 * @throws TidingsError `update_missing`, `not_granted` with nothing deleted, `topic_missing`, `topic_invalid`, or as `Log.delete` does
 */
export async function deleteHistory(log: Log, target: DeleteTarget, { mayDelete }: DeleteOptions): Promise<Entry> {
  return 'id' in target ? deleteId(log, target.id, mayDelete) : deleteTopics(log, target.topics, mayDelete)
}

async function deleteTopics(log: Log, given: readonly string[], mayDelete: MayDelete): Promise<Entry> {
  const { topics } = validate({ topics: given, data: '' })
  const { isPrivate, through } = await inspect(log, topics, mayDelete)
  const data = JSON.stringify({ topics, through: formatId(log.epoch, through) })
  return log.delete({ topics, from: 1, through }, announce(topics, data, isPrivate))
}

/**
 * Reads what would be deleted. It stops at the first public update if all may be deleted: the announcement is private only if every
 * update was, since it names the topics.
 */
async function inspect(log: Log, topics: readonly string[], mayDelete: MayDelete) {
  const names = new Set(topics)
  const filter: Filter = { topics, admits: (found) => found.some((topic) => names.has(topic)) }
  let isPrivate: boolean | undefined
  for (let cursor = 0; ; ) {
    const { entries, cursor: next } = await log.read(cursor, filter, page)
    for (const { update } of entries) {
      if (mayDelete && !mayDelete(update.topics)) throw refusal()
      isPrivate = update.private === true && isPrivate !== false
    }
    const isKnown = isPrivate === false && mayDelete === undefined
    if (isPrivate !== undefined && (isKnown || next === cursor)) {
      return { isPrivate, through: isKnown ? Math.max(next, log.head) : next }
    }
    if (next === cursor) throw new TidingsError('update_missing', 'no update of these topics is kept')
    cursor = next
    // A log in this process may answer without a pause.
    await new Promise(setImmediate)
  }
}

/** A publisher may have used an id several times. Those that it publishes after the first deletion stay. */
async function deleteId(log: Log, id: string, mayDelete: MayDelete): Promise<Entry> {
  let first: Entry | undefined
  let last: Entry | undefined
  for (;;) {
    const offset = await log.locate(id)
    const entry = offset === undefined ? undefined : await entryAt(log, offset)
    if (!entry || entry.offset > (first?.offset ?? Infinity)) break
    const { topics, private: isPrivate = false } = entry.update
    if (mayDelete && !mayDelete(topics)) throw refusal()
    const deletion = { topics, from: entry.offset, through: entry.offset }
    last = await log.delete(deletion, announce(topics, JSON.stringify({ topics, id }), isPrivate))
    first ??= last
  }
  if (last) return last
  throw new TidingsError('update_missing', 'it was never published, or is no longer kept')
}

async function entryAt(log: Log, offset: number): Promise<Entry | undefined> {
  if (offset < 1) return undefined
  const [entry] = (await log.read(offset - 1, everything, { entries: 1, bytes: 1 })).entries
  return entry?.offset === offset ? entry : undefined
}

function announce(topics: readonly string[], data: string, isPrivate: boolean): Update {
  return { topics, data, type: deletedType, ...(isPrivate && { private: true }) }
}

function refusal(): TidingsError {
  return new TidingsError('not_granted', 'the token must cover every topic of each update that is deleted')
}
