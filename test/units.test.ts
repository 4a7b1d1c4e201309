import { expect, it } from 'vitest'
import { formatDuration, formatSize, parseDuration, parseSize } from '../dist/units.js'

it.each([
  ['500ms', 500],
  ['10s', 10_000],
  ['1.5m', 90_000],
  ['24h', 86_400_000],
  ['7d', 604_800_000],
  [' 2 w', 1_209_600_000],
  ['0', 0],
  [250, 250]
])('%s is %d milliseconds', (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds)
})

it.each([
  ['64MiB', 67_108_864],
  ['1GiB', 1_073_741_824],
  ['10kB', 10_000],
  ['0.5 KiB', 512],
  ['1024', 1_024],
  [1_024, 1_024]
])('%s is %d bytes', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes)
})

it.each(['', 'soon', '10 parsecs', '-5s', '1e3', '5S', '5 constructor', '5toString', Number.NaN, -1])(
  '%j is neither a duration nor a size, and the error states the expected format',
  (text) => {
    expect(() => parseDuration(text)).toThrow(
      `expected a duration with a unit such as 10s, got ${JSON.stringify(text)}`
    )
    expect(() => parseSize(text)).toThrow(/expected a size such as 64MiB, got /)
  }
)

it.each(['5', '1.5', ' 250 '])('%j is not a duration, because it has no unit', (text) => {
  expect(() => parseDuration(text)).toThrow(`expected a duration with a unit such as 10s, got ${JSON.stringify(text)}`)
})

it.each([0, 1, 250, 1_000, 1_500, 90_000, 86_400_000, 604_800_000])(
  'formats %d milliseconds so that they parse to the same value',
  (milliseconds) => expect(parseDuration(formatDuration(milliseconds))).toBe(milliseconds)
)

it.each([
  [formatDuration(15_000), '15s'],
  [formatDuration(604_800_000), '7d'],
  [formatSize(2 ** 20), '1MiB'],
  [formatSize(1_000), '1kB'],
  [formatSize(0), '0']
])('formats %s', (text, expected) => expect(text).toBe(expected))
