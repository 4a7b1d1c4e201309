// The samples of one node as columns for charts.
import type { Overview, Sample } from '../../../dashboard-api/overview.ts'
import type { Metric } from './metrics.ts'

/** A longer silence is a break in the line. */
const breakMs = 3_500

export interface Series {
  /** Seconds since 1970, as uPlot expects. */
  readonly times: readonly number[]
  /** Undefined where the node has no sample. */
  readonly samples: readonly (Sample | undefined)[]
}

/** @param node empty for the total */
export function sampleOf(overview: Overview, node: string): Sample | undefined {
  return node === '' ? overview.total : overview.nodes.find((one) => one.node === node)
}

export function seriesOf(overviews: readonly Overview[], node: string): Series {
  const times: number[] = []
  const samples: (Sample | undefined)[] = []
  let last = Number.POSITIVE_INFINITY
  for (const overview of overviews) {
    if (overview.at - last > breakMs) {
      times.push((last + 1) / 1000)
      samples.push(undefined)
    }
    times.push(overview.at / 1000)
    samples.push(sampleOf(overview, node))
    last = overview.at
  }
  return { times, samples }
}

export function columnsOf({ times, samples }: Series, { lines }: Metric): [number[], ...(number | null)[][]] {
  return [[...times], ...lines.map((line) => samples.map((sample) => (sample ? line.of(sample) : null)))]
}
