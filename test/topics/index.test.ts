import * as fc from 'fast-check'
import { expect, it, vi } from 'vitest'
import { compile, Selection } from '../../dist/topics/matcher.js'
import { TopicIndex } from '../../dist/topics/topic-index.js'

const selector = fc.constantFrom('*', 'a', 'b', 'c/1', 'c/{id}', '{any}', 'c{/id}', 'bad{')
const topics = fc.array(fc.constantFrom('a', 'b', 'c', 'c/1', 'c/2', 'bad{'), { minLength: 1, maxLength: 3 })
const change = fc.record({ add: fc.boolean(), owner: fc.nat({ max: 5 }), selectors: fc.array(selector) })

it('finds exactly the owners whose selectors cover a topic, through any sequence of additions and removals', async () => {
  await fc.assert(
    fc.property(fc.array(fc.tuple(change, topics), { maxLength: 40 }), (steps) => {
      const index = new TopicIndex<number>()
      const held = new Map<number, readonly string[]>()
      for (const [{ add, owner, selectors }, topics] of steps) {
        index.remove(held.get(owner) ?? [], owner)
        held.delete(owner)
        if (add) {
          index.add(selectors, owner)
          held.set(owner, selectors)
        }
        const expected = [...held].filter(([, own]) => new Selection(own).coversAny(topics)).map(([found]) => found)
        expect([...index.match(topics)].sort()).toEqual(expected.sort())
      }
    })
  )
})

it('keeps nothing of removed owners', () => {
  const index = new TopicIndex<string>()
  const selectors = ['*', 'a', 'b/{id}']
  index.add(selectors, 'one')
  expect(index.size).toBe(3)
  index.remove(selectors, 'one')
  expect(index.size).toBe(0)
})

it('caches only a limited number of patterns for seen topics', () => {
  const index = new TopicIndex<number>()
  const selectors = Array.from({ length: 1_000 }, (_, number) => `{v${number}}`)
  // Before the others, which could displace it from the cache of compiled selectors.
  const spy = vi.spyOn(compile('{v0}'), 'matches')
  index.add(selectors, 1)
  for (let number = 0; number < 101; number++) index.match([`t${number}`])
  index.match(['t0'])
  expect(spy.mock.calls.length).toBe(102)
})
