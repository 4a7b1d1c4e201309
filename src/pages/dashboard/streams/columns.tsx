// The columns of the table of streams.
import type { ComponentChildren } from 'preact'
import type { Closed, StreamRow, StreamSort } from '../../../dashboard-api/streams.ts'
import { bytes, count, duration } from '../ui/format.ts'
import { Amount, StateLabel } from '../ui/parts.tsx'

export interface Column {
  readonly sort: StreamSort
  readonly title: string
  readonly isNumber: boolean
  show(row: StreamRow & { readonly closed?: Closed }): ComponentChildren
}

export const columns: readonly Column[] = [
  {
    sort: 'state',
    title: 'State',
    isNumber: false,
    show: ({ state, closed }) =>
      closed ? <StateLabel state="closed" detail={closed.reason} /> : <StateLabel state={state} />
  },
  { sort: 'address', title: 'Address', isNumber: false, show: ({ address }) => <span class="mono">{address}</span> },
  { sort: 'subject', title: 'Subject', isNumber: false, show: ({ subject }) => subject ?? <span class="soft">–</span> },
  { sort: 'topics', title: 'Topics', isNumber: false, show: ({ topics }) => <Topics topics={topics} /> },
  { sort: 'age', title: 'Age', isNumber: true, show: ({ age }) => duration(age) },
  { sort: 'lag', title: 'Lag', isNumber: true, show: ({ lag }) => <Amount of={count(lag)} /> },
  { sort: 'buffered', title: 'Buffered', isNumber: true, show: ({ buffered }) => <Amount of={bytes(buffered)} /> },
  { sort: 'delivered', title: 'Delivered', isNumber: true, show: ({ delivered }) => <Amount of={count(delivered)} /> }
]

/** The number of topics comes first, since the cell cuts a long list. */
function Topics({ topics }: { readonly topics: readonly string[] }) {
  return (
    <>
      {topics.length > 1 && <span class="soft">{topics.length}: </span>}
      {topics.join(', ')}
    </>
  )
}
