// The statistics in the benchmark tables.
import { expect, it } from 'vitest'
import { median, percentile, spread } from '../../bench/support/stats.ts'

it('returns the middle value, or the mean of the two middle values', () => {
  expect(median([9, 1, 5])).toBe(5)
  expect(median([10, 2, 4, 8])).toBe(6)
})

it('computes percentiles by nearest rank, so that each is a measured value', () => {
  const oneToHundred = Array.from({ length: 100 }, (_, at) => at + 1)
  expect(percentile(oneToHundred, 50)).toBe(50)
  expect(percentile(oneToHundred, 99)).toBe(99)
  expect(percentile([7], 99)).toBe(7)
})

it('reports missing measurements as NaN, never as zero', () => {
  expect(spread([])).toEqual({ median: Number.NaN, min: Number.NaN, max: Number.NaN })
})
