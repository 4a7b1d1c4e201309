// The overview: charts of all nodes together or of one of them, the log, and a table of all nodes.
import { useMemo } from 'preact/hooks'
import { secondsTime } from '../../shared/clock.ts'
import { samples } from '../data/feed.ts'
import { go, linkTo, route } from '../data/route.ts'
import { useStore } from '../data/store.ts'
import { Missing } from '../ui/parts.tsx'
import { Card } from './card.tsx'
import { pointed } from './chart.tsx'
import { LogFacts } from './log.tsx'
import { metrics } from './metrics.ts'
import { byName, Nodes } from './nodes.tsx'
import { columnsOf, sampleOf, seriesOf } from './series.ts'

export function OverviewView() {
  const kept = useStore(samples)
  const { id } = useStore(route)
  const newest = kept.at(-1)
  const known = newest && sampleOf(newest, id)
  const node = known ? id : ''
  const series = useMemo(() => seriesOf(kept, node), [kept, node])
  const columns = useMemo(() => metrics.map((metric) => columnsOf(series, metric)), [series])
  if (!newest) return <Waiting />
  return (
    <>
      <div class="bar">
        <h1>Overview</h1>
        <NodeChoice nodes={byName(newest.nodes)} chosen={node} />
        <ShownTime times={series.times} />
      </div>
      <Missing nodes={newest.missing} />
      <LogFacts log={newest.log} at={newest.at} />
      <div class="cards">
        {metrics.map((metric, index) => (
          <Card key={metric.title} metric={metric} columns={columns[index] ?? [[]]} />
        ))}
      </div>
      <Nodes overview={newest} chosen={node} />
    </>
  )
}

function Waiting() {
  return (
    <>
      <div class="bar">
        <h1>Overview</h1>
      </div>
      <p class="empty">Waiting for the first sample. The server takes one per second while a dashboard is open.</p>
    </>
  )
}

function NodeChoice({
  nodes,
  chosen
}: {
  readonly nodes: readonly { node: string; name: string }[]
  readonly chosen: string
}) {
  return (
    <label class="choice">
      Charts of{' '}
      <select value={chosen} onChange={(event) => go(linkTo('overview', event.currentTarget.value))}>
        <option value="">all nodes</option>
        {nodes.map(({ node, name }) => (
          <option key={node} value={node}>
            {name}
          </option>
        ))}
      </select>
    </label>
  )
}

/** The time that the values have: now, or that below the pointer. */
function ShownTime({ times }: { readonly times: readonly number[] }) {
  const back = useStore(pointed) ?? 0
  const shown = times.at(-1 - back) ?? 0
  const time = new Date(shown * 1000)
  const ago = Math.round((times.at(-1) ?? 0) - shown)
  return (
    <p class="soft end">
      <time dateTime={time.toISOString()}>{secondsTime(time)}</time>
      {ago > 0 ? `, ${ago} s ago` : ', one sample per second'}
    </p>
  )
}
