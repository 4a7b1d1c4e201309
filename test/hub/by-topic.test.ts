// What a hub tells its log about who is asking, so that the log need not read what nobody wants.
import { expect, it } from 'vitest'
import { createHub, type Filter, MemoryLog } from '../../dist/index.js'

class WatchedLog extends MemoryLog {
  readonly asked: Filter[] = []

  override newest(filter: Filter, count: number): Promise<number> {
    this.asked.push(filter)
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
])('names the topics of a stream that follows %j as %j', async (topics, named) => {
  const log = new WatchedLog()
  await createHub({ log }).locate({ topics, last: 1 })
  expect(log.asked.map((filter) => filter.topics)).toEqual([named])
})
