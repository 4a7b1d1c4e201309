// Sweeps of an audience that is too large for one slice: what happens between two slices, and what observers hear.
import { setImmediate as tick } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { type Delivery, MemoryLog } from '../../dist/index.js'
import { cuttable } from '../support/hub/cuttable-log.ts'
import { FakeConnection } from '../support/hub/fake-connection.ts'
import { openHub } from '../support/hub/open-hub.ts'

/** Takes longer than a slice for its first write. */
class SlowWrite extends FakeConnection {
  override write(bytes: Buffer): boolean {
    const end = performance.now() + (this.writes.length === 0 ? 5 : 0)
    while (performance.now() < end);
    return super.write(bytes)
  }
}

/** An audience of forty; the first of them was written to by a sweep that has not come to the last. */
async function sweepInProgress() {
  const { hub, publish } = openHub()
  const join = async (connection: FakeConnection) => {
    const subscriber = hub.join(await hub.locate({ topics: ['a'] }), connection, [], { offer: hub.offerControl() })
    return { connection, subscriber }
  }
  const first = await join(new SlowWrite())
  for (let number = 1; number < 39; number++) await join(new FakeConnection())
  const last = await join(new FakeConnection())
  await publish('one', 'a')
  await tick()
  expect([first.connection.data, last.connection.data]).toEqual([['one'], []])
  return { hub, publish, first, last }
}

it('a sweep is finished before the next one of its audience begins', async () => {
  const { publish, first, last } = await sweepInProgress()
  await publish('two', 'a')
  await expect.poll(() => last.connection.data).toEqual(['one', 'two'])
  expect(first.connection.data).toEqual(['one', 'two'])
})

it('a change takes effect after the sweep in progress, also for a member that it has yet to visit', async () => {
  const { hub, publish, first, last } = await sweepInProgress()
  for (const { subscriber } of [first, last]) await hub.change(subscriber, { add: ['b'] })
  await publish('two', 'b')
  for (const { connection } of [first, last]) {
    await expect.poll(() => connection.data).toContain('two')
    expect(connection.data.filter((data) => !data.startsWith('{'))).toEqual(['one', 'two'])
  }
})

it('observers hear of each sweep with the number of deliveries and bytes', async () => {
  const deliveries: Delivery[] = []
  const { join, publish } = openHub({ observer: { delivered: (delivery) => deliveries.push(delivery) } })
  const { connection } = await join({ topics: ['a'] })
  await join({ topics: ['a'] })
  const { time } = await publish('one', 'a')
  await expect.poll(() => deliveries.length).toBe(1)
  const bytes = 2 * (connection.writes[0] as Buffer).length
  expect(deliveries).toEqual([{ by: 'sweep', entries: 1, deliveries: 2, bytes, oldestTime: time }])
})

it('a subscriber that missed entries of the log reads only what came after the last that its hub has seen', async () => {
  const reads: number[] = []
  class WatchedLog extends MemoryLog {
    override read(...request: Parameters<MemoryLog['read']>): ReturnType<MemoryLog['read']> {
      reads.push(request[0])
      return super.read(...request)
    }
  }
  const log = new WatchedLog()
  const link = cuttable(log)
  const { join, publish } = openHub({ log })
  const { connection } = await join({ topics: ['a'] })
  for (let number = 0; number < 10; number++) await publish('other', 'b')
  link.isCut = true
  await publish('missed', 'a')
  link.isCut = false
  await publish('next', 'a')
  await expect.poll(() => connection.data).toEqual(['missed', 'next'])
  expect(reads).toEqual([10])
})

it('an update that is larger than half the window is written from the window, and no sweep keeps it', async () => {
  const { join, publish } = openHub({ window: { bytes: 2_000 } })
  const { connection, subscriber } = await join()
  const large = 'x'.repeat(5_000)
  await publish(large)
  await expect.poll(() => [subscriber.state, ...connection.data]).toEqual(['live', large])
  // What waits for the next sweep of its audience.
  expect(subscriber.lag).toBe(0)
})
