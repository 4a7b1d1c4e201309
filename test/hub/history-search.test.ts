// Searches of history: at most a fixed number run at once, and they yield to other work.
import { setImmediate as tick } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { Window } from '../../dist/hub/delivery/window.js'
import { createHub, type Filter, MemoryLog } from '../../dist/index.js'
import { openHub } from '../support/hub/open-hub.ts'
import { slowFilter } from '../support/hub/slow-filter.ts'

/** Records the highest number of concurrent searches. */
class CountingLog extends MemoryLog {
  running = 0
  most = 0
  searches = 0

  override async newest(filter: Filter, count: number): Promise<number> {
    this.searches++
    this.most = Math.max(this.most, ++this.running)
    await tick()
    const found = await super.newest(filter, count)
    this.running--
    return found
  }
}

function hubOf(log: CountingLog) {
  const hub = createHub({ log })
  onTestFinished(() => hub.close())
  return hub
}

it('at most four searches of history run at once, and all of them finish', async () => {
  const log = new CountingLog()
  const hub = hubOf(log)
  const places = await Promise.all(Array.from({ length: 20 }, () => hub.locate({ last: 5 })))
  expect({ places: places.length, most: log.most }).toEqual({ places: 20, most: 4 })
})

it('a search whose client has disconnected is not started', async () => {
  const log = new CountingLog()
  const hub = hubOf(log)
  const gone = new AbortController()
  const kept = Array.from({ length: 4 }, () => hub.locate({ last: 5 }))
  const left = hub.locate({ last: 5 }, gone.signal)
  gone.abort(new Error('gone'))
  await expect(left).rejects.toThrow('gone')
  await Promise.all(kept)
  expect(log.searches).toBe(4)
})

it('a window scan ends early when the filter is slow', () => {
  const window = new Window({ entries: 5_000, bytes: 2 ** 30 }, 0)
  for (let offset = 1; offset <= 2_000; offset++) {
    window.push({ epoch: 'e', offset, id: `#e-${offset}`, time: 0, update: { topics: ['t'], data: 'x' } })
  }
  const { cursor } = window.after(0, slowFilter, 'plain', 1_000)
  expect(cursor).toBeGreaterThan(0)
  expect(cursor).toBeLessThan(1_000)
})

it('observers hear of each page of history, with the number of its updates', async () => {
  const pages: number[] = []
  const { hub, publish } = openHub({ observer: { paged: (updates) => pages.push(updates) } })
  for (const data of ['one', 'two']) await publish(data, 'a')
  for (const topic of ['a', 'nobody']) await hub.history({ topics: [topic], lastEventId: 'earliest', limit: 10 })
  expect(pages).toEqual([2, 0])
})
