// Counts durations in buckets that grow by a twelfth of an octave, so that a percentile is off by 3 % at most. Its counts only grow: two
// readings give the percentiles of the time between them, to any number of readers.
import type { Percentiles } from '../../dashboard-api/overview.ts'

/** The upper end of the first bucket, in milliseconds. What is shorter counts as 0. */
const firstMs = 0.05
const perOctave = 12
/** The last bucket begins at about 100 seconds. */
const buckets = 21 * perOctave

export class Histogram {
  readonly #counts = new Array<number>(buckets).fill(0)
  /** The buckets after this one are empty. */
  #last = -1

  add(ms: number, weight = 1): void {
    const at = ms <= firstMs ? 0 : Math.min(buckets - 1, 1 + Math.floor(Math.log2(ms / firstMs) * perOctave))
    this.#counts[at] = (this.#counts[at] as number) + weight
    if (at > this.#last) this.#last = at
  }

  /** The counts without the empty buckets at the end. */
  get counts(): number[] {
    return this.#counts.slice(0, this.#last + 1)
  }
}

/** The percentiles of what was added between two readings; null if nothing was. */
export function percentilesBetween(before: readonly number[], after: readonly number[]): Percentiles | null {
  const added = after.map((count, at) => Math.max(0, count - (before[at] ?? 0)))
  const total = added.reduce((sum, count) => sum + count, 0)
  return total === 0 ? null : { p50: percentile(added, total * 0.5), p99: percentile(added, total * 0.99) }
}

/** The percentiles of several readings together. */
export function addCounts(all: readonly (readonly number[])[]): number[] {
  const length = Math.max(0, ...all.map((counts) => counts.length))
  return Array.from({ length }, (_, at) => all.reduce((sum, counts) => sum + (counts[at] ?? 0), 0))
}

function percentile(counts: readonly number[], wanted: number): number {
  let seen = 0
  const at = counts.findIndex((count) => {
    seen += count
    return seen >= wanted
  })
  if (at === 0) return 0
  const middle = firstMs * 2 ** ((at - 0.5) / perOctave)
  return Math.round(middle * 100) / 100
}
