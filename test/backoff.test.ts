import { expect, it } from 'vitest'
import { backoffMs, fullJitterMs, readRetryAfter } from '../dist/backoff.js'

const shortest = () => 0
const longest = () => 1

it('doubles the delay after each failure, up to the maximum', () => {
  const delays = [1, 2, 3, 4, 100].map((failures) => backoffMs(failures, { firstMs: 100, maxMs: 500 }, longest))
  expect(delays).toEqual([100, 200, 400, 500, 500])
})

it('is random between half of the delay and all of it', () => {
  const options = { firstMs: 100, maxMs: 10_000, growth: 3 }
  expect([backoffMs(3, options, shortest), backoffMs(3, options, longest)]).toEqual([450, 900])
})

it('is random between nothing and the delay with full jitter', () => {
  const options = { firstMs: 100, maxMs: 1_000 }
  expect([fullJitterMs(3, options, shortest), fullJitterMs(3, options, longest)]).toEqual([0, 400])
  expect(fullJitterMs(30, options, longest)).toBe(1_000)
})

it('never waits less than the first requested delay, even if the maximum is shorter', () => {
  expect(backoffMs(1, { firstMs: 2_000, maxMs: 1_000 }, longest)).toBe(2_000)
})

it.each([
  ['3', 3_000],
  ['Thu, 01 Jan 1970 00:00:05 GMT', 4_000],
  ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
  ['999999', 10_000],
  ['soon', 0],
  [undefined, 0]
])('reads Retry-After: %s', (value, expected) => {
  expect(readRetryAfter(value, 10_000, 1_000)).toBe(expected)
})
