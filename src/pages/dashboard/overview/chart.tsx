// A line chart of the last minutes. All charts have the same time axis, and show the same time below the pointer.
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import { keptSamples } from '../data/feed.ts'
import { Store, useStore } from '../data/store.ts'
import { shownTheme } from '../shell/theme.ts'
import { tick } from '../ui/format.ts'
import type { Metric } from './metrics.ts'

/** The sample below the pointer, counted from the newest; undefined without a pointer. */
export const pointed = new Store<number | undefined>(undefined)

export type Columns = [number[], ...(number | null)[][]]

const height = 96
/** Pixels at the left edge where a time would cover the zero of the other axis. */
const labelSpace = 12
const group = 'overview'

interface Props {
  readonly metric: Metric
  readonly columns: Columns
}

export function Chart({ metric, columns }: Props) {
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(null)
  const theme = useStore(shownTheme)
  const newest = useRef(columns)
  newest.current = columns
  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme changes the colors that the options contain
  useEffect(() => {
    const element = place.current as HTMLDivElement
    const made = new uPlot(optionsOf(metric, element), newest.current as uPlot.AlignedData, element)
    plot.current = made
    const resize = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }))
    resize.observe(element)
    return () => {
      resize.disconnect()
      made.destroy()
    }
  }, [metric, theme])
  useEffect(() => plot.current?.setData(columns as uPlot.AlignedData), [columns])
  return <div class="chart" ref={place} aria-hidden="true" />
}

function optionsOf(metric: Metric, element: HTMLElement): uPlot.Options {
  const colors = ['--series-1', '--series-2'].map((name) => colorOf(name, element))
  const [ink, line] = [colorOf('--soft', element), colorOf('--line', element)]
  const font = `10px ${getComputedStyle(element).fontFamily}`
  return {
    width: element.clientWidth,
    height,
    padding: [6, 0, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: false, y: false },
      points: { size: 6 },
      sync: { key: group, scales: ['x', null] }
    },
    scales: {
      x: { range: (_, __, max) => [max - keptSamples, max] },
      y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] }
    },
    axes: [
      {
        stroke: ink,
        font,
        size: 16,
        gap: 2,
        ticks: { show: false },
        grid: { stroke: line, width: 1 },
        incrs: [60, 120, 300],
        space: 36,
        values: (plot, splits) => splits.map((time) => (plot.valToPos(time, 'x') < labelSpace ? '' : minuteOf(time)))
      },
      {
        stroke: ink,
        font,
        size: 46,
        gap: 4,
        space: 24,
        ticks: { show: false },
        grid: { stroke: line, width: 1 },
        values: (_, splits) => distinct(splits.map((value) => tick(value, metric.format)))
      }
    ],
    series: [
      {},
      ...metric.lines.map(({ name }, index) => ({
        label: name || metric.title,
        stroke: colors[index] ?? ink,
        width: 1.5,
        points: { show: false },
        ...(index === 0 && metric.lines.length === 1 && { fill: colorOf('--series-fill', element) }),
        ...(index === 1 && { dash: [4, 3] })
      }))
    ],
    hooks: {
      setCursor: [({ cursor: { idx }, data: [times] }) => pointed.set(idx == null ? undefined : times.length - 1 - idx)]
    }
  }
}

/** Small values of a coarse unit have equal labels, of which one is enough. */
function distinct(labels: readonly string[]): string[] {
  return labels.map((label, index) => (labels.indexOf(label) === index ? label : ''))
}

function minuteOf(seconds: number): string {
  const date = new Date(seconds * 1000)
  return `${date.getHours()}:${String(date.getMinutes()).padStart(2, '0')}`
}

/** A canvas needs the color that a variable has in the present theme. */
function colorOf(variable: string, element: HTMLElement): string {
  const probe = element.appendChild(document.createElement('i'))
  probe.style.color = `var(${variable})`
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}
