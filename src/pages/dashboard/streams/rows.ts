// The rows of the table, of which the browser holds only the parts that were shown. The server sorts and filters.
import type { StreamList, StreamRow } from '../../../dashboard-api/streams.ts'
import { sentenceFor } from '../../shared/refusal.ts'
import { get } from '../data/api.ts'
import { Store } from '../data/store.ts'
import { apiUrl } from '../data/urls.ts'
import type { StreamQuery } from './query.ts'

const pageRows = 100
const maxPages = 5
/** The server sends no rows after this one. */
export const maxRows = 10_000
const refreshMs = 2_000

export interface Rows {
  /** Streams that match, and all of them. */
  readonly matched: number
  readonly total: number
  readonly missing: readonly string[]
  readonly error: string | undefined
  /** Whether an answer to this query has arrived. */
  readonly isLoaded: boolean
  row(index: number): StreamRow | undefined
}

type Pages = ReadonlyMap<number, readonly StreamRow[]>

export class OpenStreams {
  readonly rows: Store<Rows>
  readonly #query: StreamQuery
  readonly #abort = new AbortController()
  #pages: Pages = new Map()
  #first = 0
  #last = pageRows - 1
  #isAsking = false
  /** Pages with rows that are younger than one refresh. */
  readonly #fresh = new Set<number>()
  readonly #timer: ReturnType<typeof setInterval>

  constructor(query: StreamQuery) {
    this.#query = query
    this.rows = new Store<Rows>({
      matched: 0,
      total: 0,
      missing: [],
      error: undefined,
      isLoaded: false,
      row: () => undefined
    })
    this.#timer = setInterval(() => this.refresh(), refreshMs)
    void this.#ask()
  }

  /** The rows that are on the screen. */
  show(first: number, last: number): void {
    this.#first = first
    this.#last = Math.min(last, maxRows - 1)
    void this.#ask()
  }

  refresh(): void {
    if (document.hidden) return
    this.#fresh.clear()
    void this.#ask()
  }

  close(): void {
    clearInterval(this.#timer)
    this.#abort.abort()
  }

  /** Requests the shown pages that are not fresh, and afterwards those that have become visible meanwhile. */
  async #ask(): Promise<void> {
    if (this.#isAsking || this.#abort.signal.aborted) return
    const wanted = this.#wanted()
    if (!wanted) return
    this.#isAsking = true
    const [from, count] = wanted
    try {
      const list = await get<StreamList>(this.#url(from, count), this.#abort.signal)
      this.#keep(from, count, list)
    } catch (error) {
      for (let page = from; page < from + count; page++) this.#fresh.add(page)
      if (!this.#abort.signal.aborted) this.rows.set({ ...this.rows.value, error: sentenceFor(error) })
    }
    this.#isAsking = false
    void this.#ask()
  }

  #wanted(): [from: number, count: number] | undefined {
    let [from, to] = [Math.floor(this.#first / pageRows), Math.floor(this.#last / pageRows)]
    while (from <= to && this.#fresh.has(from)) from++
    while (to >= from && this.#fresh.has(to)) to--
    return from > to ? undefined : [from, Math.min(to - from + 1, maxPages)]
  }

  #url(from: number, count: number): URL {
    return apiUrl('streams', { ...this.#query, offset: from * pageRows, limit: count * pageRows })
  }

  #keep(from: number, count: number, { rows, matched, total, missing }: StreamList): void {
    const pages = new Map(this.#pages)
    for (let page = 0; page < count; page++) {
      pages.set(from + page, rows.slice(page * pageRows, (page + 1) * pageRows))
      this.#fresh.add(from + page)
    }
    this.#pages = pages
    const row = (index: number) => pages.get(Math.floor(index / pageRows))?.[index % pageRows]
    this.rows.set({ matched, total, missing, error: undefined, isLoaded: true, row })
  }
}
