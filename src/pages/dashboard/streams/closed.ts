// The streams that ended recently, filtered and sorted here: there are at most a few hundred.
import type { ClosedList, ClosedRow } from '../../../dashboard-api/streams.ts'
import { get } from '../data/api.ts'
import { addClosed } from '../data/feed.ts'
import { apiUrl } from '../data/urls.ts'
import type { StreamQuery, TableSort } from './query.ts'
import type { Rows } from './rows.ts'

/** Loads those that ended before the page was opened; the feed adds later ones. Returns the nodes that did not answer. */
export async function loadClosed(): Promise<readonly string[]> {
  const { rows, missing } = await get<ClosedList>(apiUrl('closed', { limit: 500 }))
  addClosed(rows)
  return missing
}

export function closedRows(all: readonly ClosedRow[], { filter, sort, order }: StreamQuery): Rows {
  const text = filter.toLowerCase()
  const matching = all.filter(
    ({ id, address, subject, topics }) =>
      id.toLowerCase() === text ||
      [address, subject ?? '', ...topics].some((field) => field.toLowerCase().includes(text))
  )
  const sign = order === 'asc' ? 1 : -1
  const sorted = matching.sort((one, other) => sign * compare(fieldOf(one, sort), fieldOf(other, sort)))
  return {
    matched: sorted.length,
    total: all.length,
    missing: [],
    error: undefined,
    isLoaded: true,
    row: (index) => sorted[index]
  }
}

function fieldOf(row: ClosedRow, sort: TableSort): string | number {
  if (sort === 'ended') return row.closed.at
  if (sort === 'state') return row.closed.reason
  if (sort === 'topics') return row.topics.join(' ')
  if (sort === 'subject') return row.subject ?? ''
  return row[sort]
}

function compare(one: string | number, other: string | number): number {
  if (typeof one === 'number' && typeof other === 'number') return one - other
  return String(one).localeCompare(String(other))
}
