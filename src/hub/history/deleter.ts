// Deletes history: finds what is to be deleted, checks that the caller may, and has the log delete and announce it.
import { TidingsError } from '../../errors.ts'
import { formatId } from '../../log/ids.ts'
import type { Entry, Filter, Log, PageLimit } from '../../log/log.ts'
import { type Update, validate } from '../../update.ts'
import { deletedType } from '../delivery/frame.ts'

/** What to delete: everything that was published to one of these topics before, at most 100; or the oldest kept update with an id. */
export type DeleteTarget = { readonly topics: readonly string[] } | { readonly id: string }

export interface DeleteOptions {
  /** Whether the caller may delete updates with these topics. Default: it may delete everything. */
  readonly mayDelete?: ((topics: readonly string[]) => boolean) | undefined
}

type MayDelete = DeleteOptions['mayDelete']

/** Topics of one deletion: each read compares entries with all of them until the deletion is complete. */
const maxTopics = 100
const pageLimit: PageLimit = { entries: 1_000, bytes: 2 ** 17 }
const everything: Filter = { admits: () => true }

/**
 * Deletes, and returns the entry of the announcement.
 * @throws TidingsError `update_missing`, `not_granted` with nothing deleted, `topic_missing`, `topic_invalid`, `topics_too_many`, or as
 * `Log.delete` does
 */
export async function deleteHistory(log: Log, target: DeleteTarget, { mayDelete }: DeleteOptions): Promise<Entry> {
  return 'id' in target ? deleteId(log, target.id, mayDelete) : deleteTopics(log, target.topics, mayDelete)
}

async function deleteTopics(log: Log, given: readonly string[], mayDelete: MayDelete): Promise<Entry> {
  const { topics } = validate({ topics: given, data: '' })
  if (topics.length > maxTopics)
    throw new TidingsError('topics_too_many', `the limit is ${maxTopics}, got ${topics.length}`)
  const { epoch } = log
  const { isPrivate, through } = await inspect(log, topics, mayDelete)
  const data = JSON.stringify({ topics, through: formatId(epoch, through) })
  return log.delete({ epoch, topics, from: 1, through }, announce(topics, data, isPrivate))
}

/** What is known of the updates of one topic. */
type Privacy = 'private' | 'public'

/**
 * Reads what would be deleted, up to the head at the beginning. The announcement names the topics, so it is private if one of them has only
 * private updates. When everything may be deleted, the first public update of each topic is enough.
 */
async function inspect(log: Log, topics: readonly string[], mayDelete: MayDelete) {
  const found = new Map<string, Privacy>()
  const names = new Set(topics)
  const filter: Filter = { topics, admits: (of) => of.some((topic) => names.has(topic)) }
  const isKnown = () => !mayDelete && found.size === names.size && ![...found.values()].includes('private')
  let { head: through, epoch } = log
  for (let cursor = 0; !isKnown(); ) {
    const page = await log.read(cursor, filter, pageLimit)
    // The first read of a shared log tells what other nodes have appended.
    if (cursor === 0) through = Math.max(through, log.head)
    if (page.epoch !== epoch) throw new TidingsError('log_unavailable', 'the log has started over; nothing was deleted')
    for (const { offset, update } of page.entries) {
      if (offset > through) break
      if (mayDelete && !mayDelete(update.topics)) throw refusal()
      for (const topic of update.topics) {
        if (names.has(topic) && found.get(topic) !== 'public') found.set(topic, update.private ? 'private' : 'public')
      }
    }
    if (page.cursor === cursor || page.cursor >= through) break
    cursor = page.cursor
    // A log in this process may answer without a pause.
    await new Promise(setImmediate)
  }
  if (found.size === 0) throw new TidingsError('update_missing', 'no update of these topics is kept')
  return { isPrivate: [...found.values()].includes('private'), through }
}

/** The oldest kept update with the id, as for a client that continues after it. */
async function deleteId(log: Log, id: string, mayDelete: MayDelete): Promise<Entry> {
  const { epoch } = log
  const offset = await log.locate(id)
  const entry = offset === undefined ? undefined : await entryAt(log, offset)
  if (entry?.epoch !== epoch) throw new TidingsError('update_missing', 'it was never published, or is no longer kept')
  const { topics, private: isPrivate = false } = entry.update
  if (mayDelete && !mayDelete(topics)) throw refusal()
  const deletion = { epoch, topics, from: entry.offset, through: entry.offset }
  return log.delete(deletion, announce(topics, JSON.stringify({ topics, id }), isPrivate))
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
