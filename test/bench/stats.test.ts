// The arithmetic behind the tables.
import { expect, it } from 'vitest'
import { median, percentile, spread } from '../../bench/support/stats.ts'

it('takes the middle value, or the mean of the two in the middle', () => {
  expect(median([9, 1, 5])).toBe(5)
  expect(median([10, 2, 4, 8])).toBe(6)
})

it('takes percentiles by nearest rank, so that each is a value that was measured', () => {
  const oneToHundred = Array.from({ length: 100 }, (_, at) => at + 1)
  expect(percentile(oneToHundred, 50)).toBe(50)
  expect(percentile(oneToHundred, 99)).toBe(99)
  expect(percentile([7], 99)).toBe(7)
})

it('says that nothing was measured with NaN, and never with zero', () => {
  expect(spread([])).toEqual({ median: Number.NaN, min: Number.NaN, max: Number.NaN })
})
