// Medians, percentiles and ranges of samples.

export interface Spread {
  median: number
  min: number
  max: number
}

export function median(values: ArrayLike<number>): number {
  const sorted = ascending(values)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** The nearest-rank percentile: a measured value, not an interpolated one. */
export function percentile(values: ArrayLike<number>, percent: number): number {
  const sorted = ascending(values)
  const rank = Math.ceil((percent / 100) * sorted.length)
  return sorted[Math.max(0, rank - 1)] ?? Number.NaN
}

export function spread(values: ArrayLike<number>): Spread {
  const sorted = ascending(values)
  return { median: median(sorted), min: sorted[0] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN }
}

// A typed array sorts by number and several times faster than an array with a comparator.
function ascending(values: ArrayLike<number>): Float64Array {
  return Float64Array.from(values).sort()
}
