// Which streams the table shows, and in which order. The query of the route holds it, so that a table can be linked.
import type { StreamSort, StreamState } from '../../../dashboard-api/streams.ts'
import { linkTo, type Route } from '../data/route.ts'

export interface StreamQuery {
  readonly sort: StreamSort
  readonly order: 'asc' | 'desc'
  /** Empty for all open streams; `closed` for those that ended recently. */
  readonly state: StreamState | ''
  readonly filter: string
}

export const sorts: readonly StreamSort[] = [
  'address',
  'subject',
  'topics',
  'state',
  'age',
  'lag',
  'buffered',
  'delivered'
]
const states: readonly StreamState[] = ['live', 'behind', 'closed']

export function queryOf({ query }: Route): StreamQuery {
  return {
    sort: sorts.find((one) => one === query.sort) ?? 'age',
    order: query.order === 'desc' ? 'desc' : 'asc',
    state: states.find((one) => one === query.state) ?? '',
    filter: query.filter ?? ''
  }
}

/** @param id the stream that is opened; empty for none */
export function linkOf({ sort, order, state, filter }: StreamQuery, id = ''): string {
  const isDefault = sort === 'age' && order === 'asc'
  return linkTo('streams', id, { filter, state, ...(!isDefault && { sort, order }) })
}

/** Numbers begin with the largest, text with A. A second click reverses the order. */
export function sortedBy(query: StreamQuery, sort: StreamSort): StreamQuery {
  if (query.sort === sort) return { ...query, order: query.order === 'asc' ? 'desc' : 'asc' }
  const isText = sort === 'address' || sort === 'subject' || sort === 'topics' || sort === 'state'
  return { ...query, sort, order: isText || sort === 'age' ? 'asc' : 'desc' }
}
