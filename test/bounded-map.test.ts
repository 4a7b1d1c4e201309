// The map behind the caches: its limits and its expiry.
import { expect, it } from 'vitest'
import { BoundedMap } from '../dist/bounded-map.js'

const keysOf = (map: BoundedMap<string, unknown>, keys: string) => [...keys].filter((key) => map.get(key) !== undefined)

it('evicts the oldest entry beyond its size', () => {
  const map = new BoundedMap<string, number>({ maxEntries: 2 })
  for (const key of 'abc') map.set(key, 1)
  expect(keysOf(map, 'abc')).toEqual(['b', 'c'])
})

it('setting an entry again makes it the newest, and reading it does not', () => {
  const map = new BoundedMap<string, number>({ maxEntries: 2 })
  map.set('a', 1)
  map.set('b', 1)
  map.set('a', 2)
  map.get('b')
  map.set('c', 1)
  expect(keysOf(map, 'abc')).toEqual(['a', 'c'])
  expect(map.get('a')).toBe(2)
})

it('evicts the oldest entries beyond its weight, and keeps no value that is too heavy alone', () => {
  const map = new BoundedMap<string, string>({ maxEntries: 9, maxWeight: 10, weightOf: ({ length }) => length })
  map.set('a', 'x'.repeat(4))
  map.set('b', 'x'.repeat(4))
  map.set('b', 'x'.repeat(5))
  expect(keysOf(map, 'ab')).toEqual(['a', 'b'])
  map.set('c', 'xx')
  expect(keysOf(map, 'abc')).toEqual(['b', 'c'])
  map.set('d', 'x'.repeat(11))
  expect(map.size).toBe(0)
  map.set('e', 'x'.repeat(10))
  expect(keysOf(map, 'e')).toEqual(['e'])
})

it('deletes an expired entry when it is read', () => {
  let now = 0
  const map = new BoundedMap<string, number>({ maxEntries: 2, isExpired: (until) => now >= until })
  map.set('a', 10)
  expect(map.get('a')).toBe(10)
  now = 10
  expect(map.get('a')).toBeUndefined()
  expect(map.size).toBe(0)
})
