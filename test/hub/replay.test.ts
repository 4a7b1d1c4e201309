// Many clients replay from the log on disk at once. Live clients are served meanwhile, and every client receives every entry.
import { setImmediate as tick } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { type Connection, createHub } from '../../dist/index.js'
import { FakeConnection } from '../support/hub/fake-connection.ts'
import { openLog } from '../support/log/log-folder.ts'

/** Counts the events that it receives, and keeps none of them. */
class Counter implements Connection {
  readonly address = 'fake'
  readonly buffered = 0
  events = 0

  write(bytes: Buffer): boolean {
    for (let at = bytes.indexOf('data: '); at !== -1; at = bytes.indexOf('data: ', at + 1)) this.events++
    return true
  }

  onDrain(): void {}
  end(): void {}
}

it('a thousand replaying clients do not delay a live client', async () => {
  const hub = createHub({ log: await openLog(), heartbeat: 0 })
  onTestFinished(() => hub.close())
  const history = 1_500
  await hub.publishAll(Array.from({ length: history }, (_, number) => ({ topics: ['t'], data: String(number) })))
  const live = new FakeConnection()
  hub.join(await hub.locate({ topics: ['live'] }), live)
  const place = await hub.locate({ lastEventId: 'earliest' })
  const counters = Array.from({ length: 1_000 }, () => new Counter())
  for (const counter of counters) hub.join(place, counter)
  for (let number = 1; number <= 5; number++) {
    await hub.publish({ topics: ['live'], data: String(number) })
    while (live.data.length < number) await tick()
  }
  const waiting = counters.filter(({ events }) => events < history).length
  expect(waiting, 'clients still replaying when the live client had all entries').toBeGreaterThan(0)
  while (counters.some(({ events }) => events < history + 5)) await tick()
  expect(counters.filter(({ events }) => events > history + 5)).toEqual([])
})
