// Which streams the table shows, and in which order. The query of the route holds it, so that a table can be linked.
import type { StreamSort, StreamState } from '../../../dashboard-api/streams.ts'
import { linkTo, type Route } from '../data/route.ts'

/** Open streams have no end, and closed ones buffer nothing. */
export type TableSort = StreamSort | 'ended'

interface Order {
  readonly sort: TableSort
  readonly order: 'asc' | 'desc'
}

export interface StreamQuery extends Order {
  /** Empty for all open streams; `closed` for those that ended recently. */
  readonly state: StreamState | ''
  readonly filter: string
}

const states: readonly StreamState[] = ['live', 'behind', 'closed']
const shared: readonly TableSort[] = ['address', 'subject', 'topics', 'state', 'age', 'lag', 'delivered']
const texts: readonly TableSort[] = ['address', 'subject', 'topics', 'state']

export function queryOf({ query }: Route): StreamQuery {
  const state = states.find((one) => one === query.state) ?? ''
  const sorts: readonly TableSort[] = [...shared, state === 'closed' ? 'ended' : 'buffered']
  const sort = sorts.find((one) => one === query.sort)
  const order = query.order === 'desc' ? 'desc' : 'asc'
  return { state, filter: query.filter ?? '', ...(sort ? { sort, order } : firstOrder(state)) }
}

/** The newest first. */
function firstOrder(state: StreamQuery['state']): Order {
  return state === 'closed' ? { sort: 'ended', order: 'desc' } : { sort: 'age', order: 'asc' }
}

/** @param id the stream that is opened; empty for none */
export function linkOf({ sort, order, state, filter }: StreamQuery, id = ''): string {
  const first = firstOrder(state)
  const isFirst = sort === first.sort && order === first.order
  return linkTo('streams', id, { filter, state, ...(!isFirst && { sort, order }) })
}

/** Numbers begin with the largest, text with A. A second click reverses the order. */
export function sortedBy(query: StreamQuery, sort: TableSort): StreamQuery {
  if (query.sort === sort) return { ...query, order: query.order === 'asc' ? 'desc' : 'asc' }
  return { ...query, sort, order: texts.includes(sort) || sort === 'age' ? 'asc' : 'desc' }
}

/** Open and closed streams have orders of their own. */
export function showing(query: StreamQuery, state: StreamQuery['state']): StreamQuery {
  const isSameKind = (query.state === 'closed') === (state === 'closed')
  return { ...query, state, ...(!isSameKind && firstOrder(state)) }
}
