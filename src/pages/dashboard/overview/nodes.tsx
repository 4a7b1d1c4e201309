// The newest sample of each node and worker, and of all together. A name opens the charts of its node.
import type { Overview, Sample } from '../../../dashboard-api/overview.ts'
import { linkTo } from '../data/route.ts'
import { bytes, count, milliseconds, percent, perSecond, type Quantity, rate } from '../ui/format.ts'
import { Amount } from '../ui/parts.tsx'

interface Column {
  readonly title: string
  of(sample: Sample): Quantity | null
}

const columns: readonly Column[] = [
  { title: 'Subscribers', of: ({ subscribers }) => count(subscribers) },
  { title: 'Behind', of: ({ behind }) => count(behind) },
  { title: 'Audiences', of: ({ audiences }) => count(audiences) },
  { title: 'Polls', of: ({ polls }) => count(polls) },
  { title: 'Publishes', of: ({ published }) => rate(published) },
  { title: 'Deliveries', of: ({ delivered }) => rate(delivered) },
  { title: 'Bytes', of: (sample) => perSecond(bytes)(sample.bytes) },
  { title: 'p50', of: ({ latency }) => latency && milliseconds(latency.p50) },
  { title: 'p99', of: ({ latency }) => latency && milliseconds(latency.p99) },
  { title: 'Loop p99', of: ({ loop }) => milliseconds(loop.p99) },
  { title: 'Per sweep', of: ({ entriesPerSweep }) => count(entriesPerSweep) },
  { title: 'Max lag', of: ({ lag }) => count(lag.max) },
  { title: 'Buffered', of: ({ buffered }) => bytes(buffered) },
  { title: 'Memory', of: ({ memory }) => bytes(memory.rss) },
  { title: 'CPU', of: ({ cpu }) => percent(cpu) }
]

export function Nodes({ overview, chosen }: { readonly overview: Overview; readonly chosen: string }) {
  return (
    <section aria-labelledby="nodes-title">
      <h2 id="nodes-title">Nodes and workers</h2>
      <div class="scroller" role="group" aria-labelledby="nodes-title" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">Node</th>
              {columns.map(({ title }) => (
                <th scope="col" class="number" key={title}>
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {byName(overview.nodes).map((sample) => (
              <Row
                key={sample.node}
                sample={sample}
                name={sample.name}
                link={linkTo('overview', sample.node)}
                isChosen={sample.node === chosen}
              />
            ))}
          </tbody>
          <tfoot>
            <Row sample={overview.total} name="Total" link={linkTo('overview')} isChosen={chosen === ''} />
          </tfoot>
        </table>
      </div>
    </section>
  )
}

/** `worker 10` comes after `worker 9`. */
export function byName(nodes: readonly Sample[]): Sample[] {
  return [...nodes].sort((one, other) => one.name.localeCompare(other.name, 'en', { numeric: true }))
}

interface RowProps {
  readonly sample: Sample
  readonly name: string
  readonly link: string
  readonly isChosen: boolean
}

function Row({ sample, name, link, isChosen }: RowProps) {
  return (
    <tr data-chosen={isChosen}>
      <th scope="row">
        <a href={link} aria-current={isChosen ? 'true' : undefined}>
          {name}
        </a>
      </th>
      {columns.map(({ title, of }) => {
        const value = of(sample)
        return (
          <td class="number" key={title}>
            {value ? <Amount of={value} /> : '–'}
          </td>
        )
      })}
    </tr>
  )
}
