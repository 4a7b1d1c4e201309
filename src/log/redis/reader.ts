// Reads from Redis: pages of history, where the newest entries begin, ids, and the roster. Each answer is of one moment in Redis,
// which may be later than what was delivered on this node.
import { TidingsError } from '../../errors.ts'
import { type Deletion, Deletions } from '../deletion.ts'
import type { Entry, Filter, Page, PageLimit } from '../log.ts'
import { RemovalIndex } from '../retention/removal-index.ts'
import type { Member } from '../roster.ts'
import { sizeOf } from '../size.ts'
import { type Row, readEntries, readMembers, readTombstones, readTopics } from './codec.ts'
import type { RedisStore } from './store.ts'

/** How much one script scans where it cannot know what the filter admits: others wait meanwhile. */
const scanLimit: PageLimit = { entries: 500, bytes: 2 ** 18 }
const maxEntries = 1_000
/** Topics that one script looks up. */
const maxTopics = 200

export class RedisReader {
  readonly #store: RedisStore
  /** A copy of the removal index in Redis, kept up to date by each read. */
  #removals = { epoch: '', index: new RemovalIndex() }
  /** The deletions of the newest answer, and their text. */
  #deletions = { text: '', parsed: Deletions.none }

  constructor(store: RedisStore) {
    this.#store = store
  }

  async read(after: number, filter: Filter, limit: PageLimit, removalsSeen?: number): Promise<Page> {
    const { topics } = filter
    // The index does not know which entries of a topic are private or deleted, so a small page may have to look at many.
    const count = Math.min(maxEntries, Math.max(scanLimit.entries, limit.entries))
    const bytes = Math.max(scanLimit.bytes, limit.bytes)
    const known = { tracesOf: this.#removals.epoch, removals: this.#removals.index.removals }
    const answer = await this.#store.run('query', { verb: 'read', after, count, bytes, topics, ...known })
    const index = this.#removalsOf(answer.epoch)
    index.replicate({ ...answer, tombstones: readTombstones(answer.traces) })
    const page = fill(
      readEntries(answer.epoch, answer.page as Row[]),
      filter,
      limit,
      this.#deletionsIn(answer.deletions)
    )
    const end = answer.isEnd === 1 ? answer.head : Number(answer.through)
    const cursor = Math.max(after, page.isFull ? page.through : end, answer.first - 1)
    const lost = index.lost(after, filter, { removalsSeen })
    return { epoch: answer.epoch, entries: page.entries, cursor, lost }
  }

  async newest(filter: Filter, count: number): Promise<number> {
    if (count <= 0) return Math.max(this.#store.state.head, this.#store.state.first - 1)
    const { topics } = filter
    let left = count
    for (let before = Number.MAX_SAFE_INTEGER; ; ) {
      const query = { verb: 'newest', before, count: scanLimit.entries, topics }
      const { first, page, through, deletions } = await this.#store.run('query', query)
      const deleted = this.#deletionsIn(deletions)
      for (const [offset, text] of page as [number, string][]) {
        const found = readTopics(text)
        if (deleted.covers(offset, found.topics)) continue
        if (filter.admits(found.topics, found.isPrivate) && --left === 0) return offset - 1
      }
      before = Number(through)
      if (before === 0) return first - 1
    }
  }

  /** @throws TidingsError `log_unavailable` when the log starts over meanwhile */
  async *members(): AsyncGenerator<readonly Member[], void, undefined> {
    const { epoch } = this.#store.state
    let cursor = '0'
    do {
      const answer = await this.#store.run('query', { verb: 'members', cursor })
      if (answer.epoch !== epoch) throw new TidingsError('log_unavailable', 'the log started over')
      yield readMembers(answer.members)
      cursor = String(answer.cursor)
    } while (cursor !== '0')
  }

  async locate(id: string): Promise<number | undefined> {
    for (let from = 0; ; ) {
      const { found, deletions } = await this.#store.run('query', { verb: 'locate', id, from })
      const deleted = this.#deletionsIn(deletions)
      for (const [offset, text] of found as [number, string][]) {
        if (deleted.isEmpty || text === '' || !deleted.covers(offset, readTopics(text).topics)) return offset
        from = offset + 1
      }
      if ((found as unknown[]).length === 0) return undefined
    }
  }

  /** For each topic, its newest entry if that is an end. */
  async ends(topics: readonly string[]): Promise<(Entry | undefined)[]> {
    const ends: (Entry | undefined)[] = []
    for (let at = 0; at < topics.length; at += maxTopics) {
      const query = { verb: 'ends', topics: topics.slice(at, at + maxTopics) }
      const { epoch, found, deletions } = await this.#store.run('query', query)
      const deleted = this.#deletionsIn(deletions)
      for (const row of found as (Row | null)[]) {
        const [entry] = row ? readEntries(epoch, [row]) : []
        const isEnd = entry?.update.end === true && !deleted.covers(entry.offset, entry.update.topics)
        ends.push(isEnd ? entry : undefined)
      }
    }
    return ends
  }

  #deletionsIn(text: string): Deletions {
    if (text === '') return Deletions.none
    if (text !== this.#deletions.text) {
      this.#deletions = { text, parsed: new Deletions(JSON.parse(text) as Deletion[]) }
    }
    return this.#deletions.parsed
  }

  #removalsOf(epoch: string): RemovalIndex {
    if (this.#removals.epoch !== epoch) this.#removals = { epoch, index: new RemovalIndex() }
    return this.#removals.index
  }
}

/** Takes what the filter admits, until the page is full. */
function fill(all: readonly Entry[], filter: Filter, limit: PageLimit, deletions: Deletions) {
  const entries: Entry[] = []
  let bytes = 0
  let through = 0
  for (const entry of all) {
    through = entry.offset
    if (deletions.covers(entry.offset, entry.update.topics)) continue
    if (!filter.admits(entry.update.topics, entry.update.private === true)) continue
    entries.push(entry)
    bytes += sizeOf(entry.update)
    if (entries.length >= limit.entries || bytes >= limit.bytes) return { entries, through, isFull: true }
  }
  return { entries, through, isFull: false }
}
