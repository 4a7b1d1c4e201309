// A metric: its value in large type, now or at the time below the pointer, above its chart.
import { useId } from 'preact/hooks'
import { useStore } from '../data/store.ts'
import { Amount } from '../ui/parts.tsx'
import { Chart, type Columns, pointed } from './chart.tsx'
import type { Metric } from './metrics.ts'

interface Props {
  readonly metric: Metric
  readonly columns: Columns
}

export function Card({ metric, columns }: Props) {
  const id = useId()
  const back = useStore(pointed) ?? 0
  const [first, ...others] = metric.lines.map(({ name }, index) => {
    const values = columns[index + 1] ?? []
    return { name, value: values[values.length - 1 - back] ?? null }
  })
  if (!first) return null
  return (
    <section class="card" aria-labelledby={id} data-metric={metric.title}>
      <h2 id={id} title={metric.help}>
        {metric.title}
      </h2>
      <p class="values">
        <span class="now">
          <Value of={first.value} metric={metric} />
          {first.name && <Legend name={first.name} series={1} />}
        </span>
        {others.map(({ name, value }) => (
          <span class="other" key={name}>
            <Value of={value} metric={metric} />
            <Legend name={name} series={2} />
          </span>
        ))}
      </p>
      <Chart metric={metric} columns={columns} />
    </section>
  )
}

function Value({ of, metric }: { readonly of: number | null; readonly metric: Metric }) {
  return <b>{of === null ? '–' : <Amount of={metric.format(of)} />}</b>
}

function Legend({ name, series }: { readonly name: string; readonly series: number }) {
  return (
    <span class="legend" data-series={series}>
      {name}
    </span>
  )
}
