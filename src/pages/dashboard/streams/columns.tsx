// The columns of the table of streams.
import type { ComponentChildren } from 'preact'
import type { Closed, StreamRow } from '../../../dashboard-api/streams.ts'
import { secondsTime } from '../../shared/clock.ts'
import { bytes, count, duration, plain } from '../ui/format.ts'
import { StateLabel } from '../ui/parts.tsx'
import type { StreamQuery, TableSort } from './query.ts'

export interface Column {
  readonly sort: TableSort
  readonly title: string
  readonly isNumber: boolean
  show(row: StreamRow & { readonly closed?: Closed }): ComponentChildren
}

const openColumns: readonly Column[] = [
  {
    sort: 'state',
    title: 'State',
    isNumber: false,
    show: ({ state, closed }) =>
      closed ? <StateLabel state="closed" detail={closed.reason} /> : <StateLabel state={state} />
  },
  { sort: 'address', title: 'Address', isNumber: false, show: ({ address }) => address },
  { sort: 'subject', title: 'Subject', isNumber: false, show: ({ subject }) => subject ?? '–' },
  { sort: 'topics', title: 'Topics', isNumber: false, show: ({ topics }) => <Topics topics={topics} /> },
  { sort: 'age', title: 'Age', isNumber: true, show: ({ age }) => duration(age) },
  { sort: 'lag', title: 'Lag', isNumber: true, show: ({ lag }) => plain(count(lag)) },
  { sort: 'buffered', title: 'Buffered', isNumber: true, show: ({ buffered }) => plain(bytes(buffered)) },
  { sort: 'delivered', title: 'Delivered', isNumber: true, show: ({ delivered }) => plain(count(delivered)) }
]

const closedColumns = openColumns.map((column): Column => {
  if (column.sort === 'state') return { ...column, title: 'Reason' }
  if (column.sort !== 'buffered') return column
  return {
    sort: 'ended',
    title: 'Ended',
    isNumber: true,
    show: ({ closed }) => closed && secondsTime(new Date(closed.at))
  }
})

export function columnsOf({ state }: StreamQuery): readonly Column[] {
  return state === 'closed' ? closedColumns : openColumns
}

/** The number of topics comes first, since the cell cuts a long list. */
function Topics({ topics }: { readonly topics: readonly string[] }) {
  return (
    <>
      {topics.length > 1 && <span class="soft">{topics.length}: </span>}
      {topics.join(', ')}
    </>
  )
}
