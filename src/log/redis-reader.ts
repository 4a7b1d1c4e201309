// Reads what Redis holds: pages of history, where the newest begin, and ids. Whatever it says is of one moment in Redis, not
// of what this node has heard. It writes nothing.
import { TidingsError } from '../errors.ts'
import type { Entry, Filter, Page, PageLimit } from './log.ts'
import { sizeOf } from './log.ts'
import { offsetOf, readEntries, readKey, readMembers, readTraces } from './redis-answers.ts'
import type { Answer, RedisStore } from './redis-store.ts'
import { RedisTraces } from './redis-traces.ts'
import type { Member } from './roster.ts'

/** How much one script looks at where it cannot know what the filter admits: others wait meanwhile. */
const stretch = { entries: 500, bytes: 2 ** 18 }
const mostAtOnce = 1_000

export class RedisReader {
  readonly #store: RedisStore
  readonly #traces = new RedisTraces()

  constructor(store: RedisStore) {
    this.#store = store
  }

  async read(after: number, filter: Filter, limit: PageLimit, since?: number): Promise<Page> {
    const answer = await this.#page(after, filter, limit)
    const { state, rest } = answer
    const [rows, isEnd, marks, offsets] = rest
    this.#traces.learn(state.epoch, { ...state, traces: readTraces(marks, offsets) })
    const page = fill(readEntries(state.epoch, rows), filter, limit)
    const end = isEnd === 1 ? state.head : page.considered
    const cursor = Math.max(after, page.isFull ? page.considered : end, state.first - 1)
    const lost = this.#traces.lost(after, filter, since)
    return { epoch: state.epoch, entries: page.entries, cursor, lost }
  }

  async newest(filter: Filter, count: number): Promise<number> {
    if (count <= 0) return Math.max(this.#store.state.head, this.#store.state.first - 1)
    let left = count
    for (let before = Number.MAX_SAFE_INTEGER; ; ) {
      const { state, rest } = await this.#back(before, filter)
      const rows = rest[0] as [string, string][]
      for (const [place, key] of rows) {
        const { topics, isPrivate } = readKey(key)
        before = offsetOf(place)
        if (filter.admits(topics, isPrivate) && --left === 0) return before - 1
      }
      if (rows.length === 0) return state.first - 1
    }
  }

  /** @throws TidingsError `log_unavailable` where the log becomes another one meanwhile */
  async *members(): AsyncGenerator<readonly Member[], void, undefined> {
    const { epoch } = this.#store.state
    let cursor = '0'
    do {
      const { state, rest } = await this.#store.ask('look', ['members', cursor])
      if (state.epoch !== epoch) throw new TidingsError('log_unavailable', 'it began anew')
      const [next, pairs] = rest as [string, string[]]
      yield readMembers(pairs)
      cursor = next
    } while (cursor !== '0')
  }

  async locate(id: string): Promise<number | undefined> {
    const { rest } = await this.#store.ask('look', ['locate', id])
    return rest[0] === '' ? undefined : Number(rest[0])
  }

  #page(after: number, { topics }: Filter, limit: PageLimit): Promise<Answer> {
    const entries = Math.min(mostAtOnce, topics ? limit.entries : Math.max(stretch.entries, limit.entries))
    const bytes = topics ? limit.bytes : Math.max(stretch.bytes, limit.bytes)
    const known = [this.#traces.epoch, String(this.#traces.removals)]
    const bounds = [String(entries), topics ? '1' : '0', String(bytes)]
    return this.#store.ask('look', ['read', String(after), ...bounds, ...known, ...(topics ?? [])])
  }

  #back(before: number, { topics }: Filter): Promise<Answer> {
    const bounds = [String(stretch.entries), topics ? '1' : '0']
    return this.#store.ask('look', ['newest', String(before), ...bounds, ...(topics ?? [])])
  }
}

/** Takes what the filter admits, until the page is full. */
function fill(all: readonly Entry[], filter: Filter, limit: PageLimit) {
  const entries: Entry[] = []
  let bytes = 0
  let considered = 0
  for (const entry of all) {
    considered = entry.offset
    if (!filter.admits(entry.update.topics, entry.update.private === true)) continue
    entries.push(entry)
    bytes += sizeOf(entry.update)
    if (entries.length >= limit.entries || bytes >= limit.bytes) return { entries, considered, isFull: true }
  }
  return { entries, considered, isFull: false }
}
