// The filter that the hub passes to its log names the requested topics, so that the log can use its topic index.
import { expect, it } from 'vitest'
import { createHub, type Filter, MemoryLog } from '../../dist/index.js'

class WatchedLog extends MemoryLog {
  readonly requests: Filter[] = []

  override newest(filter: Filter, count: number): Promise<number> {
    this.requests.push(filter)
    return super.newest(filter, count)
  }
}

it.each([
  [
    ['b', 'a'],
    ['a', 'b']
  ],
  [['books/{id}'], undefined],
  [['a', 'books/{id}'], undefined],
  [['a', '*'], undefined],
  [[], undefined]
])('passes the topics of a stream that follows %j as %j', async (topics, named) => {
  const log = new WatchedLog()
  await createHub({ log }).locate({ topics, last: 1 })
  expect(log.requests.map((filter) => filter.topics)).toEqual([named])
})
