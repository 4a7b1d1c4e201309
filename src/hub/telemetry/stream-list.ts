// Lists streams: filters, sorts, and keeps only as many as a page needs. It works in slices, so that deliveries go on.
import type { StreamRow, StreamSort } from '../../dashboard-api/streams.ts'
import { textOf } from '../../topics/matcher.ts'
import type { Subscriber } from '../subscriber.ts'

export interface StreamQuery {
  readonly sort: StreamSort
  readonly order: 'asc' | 'desc'
  readonly state?: 'live' | 'behind'
  /** A part of the address, the subject, a topic or the id; in lower case. */
  readonly filter?: string
  readonly offset: number
  readonly limit: number
}

/** One node's part of a list. */
export interface StreamPage {
  readonly total: number
  readonly matched: number
  readonly rows: readonly StreamRow[]
}

type Key = string | number
type Keyed = Pick<StreamRow, StreamSort>

/** Milliseconds of one slice, and streams between two checks of the clock. */
const sliceMs = 2
const stride = 64
/** Streams that are collected before the first are chosen. */
const minCollected = 1_024

/** @param rowOf describes a stream; called for the streams of the page only, and for those that a filter has to look at */
export async function listStreams(
  subscribers: ReadonlySet<Subscriber>,
  query: StreamQuery,
  rowOf: (subscriber: Subscriber) => StreamRow
): Promise<StreamPage> {
  const { sort, state } = query
  const wanted = query.offset + query.limit
  const matches = filterOf(query, rowOf)
  const best = new Best(wanted, query.order)
  let total = 0
  let matched = 0
  let end = performance.now() + sliceMs
  for (const subscriber of subscribers) {
    if (++total % stride === 0 && performance.now() >= end) {
      await new Promise(setImmediate)
      end = performance.now() + sliceMs
    }
    if (subscriber.state === 'closed' || (state && subscriber.state !== state) || !matches(subscriber)) continue
    matched++
    best.add(keyOf(subscriber, sort), subscriber)
  }
  return { total, matched, rows: best.take().map(rowOf) }
}

/** The rows of a page of all nodes, from the first rows of each. */
export function mergeRows(pages: readonly StreamPage[], { sort, order, offset, limit }: StreamQuery): StreamRow[] {
  const rows = pages.flatMap((page) => page.rows)
  const keyed = rows.map((row) => ({ key: keyOfRow(row, sort), number: row.id, row }))
  const direction = order === 'asc' ? 1 : -1
  keyed.sort((one, other) => direction * compare(one.key, other.key) || compare(one.number, other.number))
  return keyed.slice(offset, offset + limit).map(({ row }) => row)
}

function keyOf(subscriber: Subscriber, sort: StreamSort): Key {
  switch (sort) {
    case 'address':
      return subscriber.connection.address
    case 'subject':
      return subscriber.connection.subject ?? ''
    case 'topics':
      return textsOf(subscriber)
    case 'buffered':
      return subscriber.connection.buffered
    default:
      return subscriber[sort]
  }
}

function keyOfRow(row: Keyed, sort: StreamSort): Key {
  return sort === 'topics' ? row.topics.join(' ') : (row[sort] ?? '')
}

function textsOf({ selectors }: Subscriber): string {
  return selectors.map(textOf).join(' ')
}

function filterOf({ filter }: StreamQuery, rowOf: (subscriber: Subscriber) => StreamRow) {
  if (filter === undefined || filter === '') return () => true
  /** Streams of one audience share the list of their selectors. */
  const byTopics = new Map<unknown, boolean>()
  const has = (text: string | null) => text?.toLowerCase().includes(filter) === true
  return (subscriber: Subscriber): boolean => {
    const { selectors, connection } = subscriber
    const known = byTopics.get(selectors)
    const isInTopics = known ?? has(textsOf(subscriber))
    if (known === undefined) byTopics.set(selectors, isInTopics)
    if (isInTopics || has(connection.address)) return true
    const { subject, id } = rowOf(subscriber)
    // Only as a whole: all ids of a node begin with its random name, of which a short filter may be a part.
    return has(subject) || id.toLowerCase() === filter
  }
}

function compare(one: Key, other: Key): number {
  if (one === other) return 0
  return one < other ? -1 : 1
}

interface Candidate {
  readonly key: Key
  readonly subscriber: Subscriber
}

/** The first so many of all candidates. */
class Best {
  readonly #wanted: number
  readonly #direction: number
  #candidates: Candidate[] = []
  /** No later candidate with this key, or one after it, is among the first: streams come in the order of their numbers. */
  #worst: Key | undefined

  constructor(wanted: number, order: 'asc' | 'desc') {
    this.#wanted = wanted
    this.#direction = order === 'asc' ? 1 : -1
  }

  add(key: Key, subscriber: Subscriber): void {
    if (this.#worst !== undefined && this.#direction * compare(key, this.#worst) >= 0) return
    this.#candidates.push({ key, subscriber })
    if (this.#candidates.length >= 2 * Math.max(this.#wanted, minCollected)) this.#choose()
  }

  take(): Subscriber[] {
    this.#choose()
    return this.#candidates.map(({ subscriber }) => subscriber)
  }

  #choose(): void {
    const order = (one: Candidate, other: Candidate) =>
      this.#direction * compare(one.key, other.key) || one.subscriber.number - other.subscriber.number
    this.#candidates = this.#candidates.sort(order).slice(0, this.#wanted)
    if (this.#candidates.length === this.#wanted) this.#worst = this.#candidates.at(-1)?.key
  }
}
