// The topics with the most updates per second. A topic leads to the inspector.
import { useState } from 'preact/hooks'
import type { TopicList, TopicRow } from '../../../dashboard-api/overview.ts'
import { secondsTime } from '../../shared/clock.ts'
import { linkTo, route } from '../data/route.ts'
import { useStore } from '../data/store.ts'
import { Filter } from '../ui/filter.tsx'
import { bytes, count, perSecond, rate } from '../ui/format.ts'
import { Amount } from '../ui/parts.tsx'

export function Busiest({ list }: { readonly list: TopicList | undefined }) {
  const [filter, setFilter] = useState('')
  const rows = list?.rows.filter(({ topic }) => topic.toLowerCase().includes(filter.toLowerCase())) ?? []
  return (
    <section aria-labelledby="busiest-title">
      <div class="bar">
        <h2 id="busiest-title">Busiest topics</h2>
        <Filter label="Filter topics" value={filter} onInput={setFilter} />
        {list && <p class="soft end">counted since {secondsTime(new Date(list.since))}</p>}
      </div>
      {rows.length > 0 ? <Table rows={rows} /> : <p class="empty">{emptyText(list, filter)}</p>}
    </section>
  )
}

function emptyText(list: TopicList | undefined, filter: string): string {
  if (!list) return 'Loading…'
  if (filter && list.rows.length > 0) return 'None of the busiest topics contains this text.'
  return 'No update has arrived since the server began to count, which it does while this view is open.'
}

function Table({ rows }: { readonly rows: readonly TopicRow[] }) {
  const { topic: chosen } = useStore(route).query
  const highest = Math.max(...rows.map(({ rate }) => rate), 1e-9)
  return (
    <div class="scroller" role="group" aria-labelledby="busiest-title" tabIndex={0}>
      <table class="busiest">
        <thead>
          <tr>
            <th scope="col">Topic</th>
            <th scope="col" class="number">
              Updates
            </th>
            <th scope="col" class="share">
              <span class="unseen">Compared with the busiest</span>
            </th>
            <th scope="col" class="number">
              Bytes
            </th>
            <th scope="col" class="number">
              Streams
            </th>
            <th scope="col" class="number">
              Total
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.topic} data-chosen={row.topic === chosen}>
              <th scope="row">
                <a
                  href={linkTo('topics', '', { topic: row.topic })}
                  aria-current={row.topic === chosen ? 'true' : undefined}
                >
                  {row.topic}
                </a>
              </th>
              <td class="number">
                <Amount of={rate(row.rate)} />
              </td>
              <td class="share">
                <span class="meter" style={{ width: `${(100 * row.rate) / highest}%` }} />
              </td>
              <td class="number">
                <Amount of={perSecond(bytes)(row.bytes)} />
              </td>
              <td class="number">
                <Amount of={count(row.subscribers)} />
              </td>
              <td class="number">
                <Amount of={count(row.total)} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
