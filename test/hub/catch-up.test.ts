// Subscribers that read history: how many read at a time, and what is written to them.
import { expect, it, onTestFinished } from 'vitest'
import { createHub, type Hub, MemoryLog } from '../../dist/index.js'
import { FakeConnection } from '../support/hub/fake-connection.ts'

/** Counts the reads of history that are in progress, and holds them until `release` is called. */
class HeldReads extends MemoryLog {
  reading = 0
  most = 0
  isHeld = true
  #waiting: (() => void)[] = []

  override async read(...request: Parameters<MemoryLog['read']>): ReturnType<MemoryLog['read']> {
    this.most = Math.max(this.most, ++this.reading)
    if (this.isHeld) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.reading--
    return super.read(...request)
  }

  release(): void {
    this.isHeld = false
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

function open(log: MemoryLog): Hub {
  const hub = createHub({ heartbeat: 0, log })
  onTestFinished(() => hub.close())
  return hub
}

async function join(hub: Hub, connection: FakeConnection, topic: string): Promise<void> {
  hub.join(await hub.locate({ topics: [topic], lastEventId: 'earliest' }), connection)
}

it('a hundred subscribers read history at most four at a time, and each gets all of it', async () => {
  const log = new HeldReads()
  const hub = open(log)
  for (const data of ['one', 'two']) await hub.publish({ topics: ['a'], data })
  const connections = Array.from({ length: 100 }, () => new FakeConnection())
  for (const connection of connections) await join(hub, connection, 'a')
  await expect.poll(() => log.reading).toBe(4)
  log.release()
  for (const connection of connections) await expect.poll(() => connection.data).toEqual(['one', 'two'])
  expect(log.most).toBe(4)
})

it('nothing is written for history that a subscriber may not have', async () => {
  const hub = open(new MemoryLog())
  for (let number = 0; number < 10; number++) await hub.publish({ topics: ['a'], data: `${number}` })
  const connection = new FakeConnection()
  await join(hub, connection, 'b')
  await expect.poll(() => [...hub.subscribers].map(({ state }) => state)).toEqual(['live'])
  expect(connection.writes).toEqual([])
})

it('a change that arrives while history is read repeats and loses nothing up to its position', async () => {
  const log = new HeldReads()
  const hub = open(log)
  for (const data of ['0', '1', '2']) await hub.publish({ topics: ['a'], data })
  const connection = new FakeConnection()
  const position = await hub.locate({ topics: ['a'], lastEventId: 'earliest' })
  const subscriber = hub.join(position, connection, [], { offer: hub.offerControl() })
  await expect.poll(() => log.reading).toBe(1)
  await hub.change(subscriber, { add: ['b'] })
  log.release()
  await expect.poll(() => subscriber.selectors).toEqual(['a', 'b'])
  for (const topic of ['a', 'b']) await hub.publish({ topics: [topic], data: '3' })
  const numbers = () => connection.data.filter((data) => /^\d$/.test(data))
  await expect.poll(numbers).toEqual(['0', '1', '2', '3', '3'])
  expect(log.most).toBe(1)
})

it('nothing is written or counted for a subscriber that leaves while its history is read', async () => {
  const log = new HeldReads()
  let deliveries = 0
  const observer = {
    delivered: (delivery: { readonly deliveries: number }) => {
      deliveries += delivery.deliveries
    }
  }
  const hub = createHub({ heartbeat: 0, log, observer })
  onTestFinished(() => hub.close())
  await hub.publish({ topics: ['a'], data: 'one' })
  const [leaving, staying] = [new FakeConnection(), new FakeConnection()]
  await join(hub, leaving, 'a')
  await join(hub, staying, 'a')
  await expect.poll(() => log.reading).toBe(2)
  const [first] = hub.subscribers
  if (first) hub.leave(first, 'client')
  log.release()
  await expect.poll(() => staying.data).toEqual(['one'])
  expect(leaving.writes).toEqual([])
  expect(deliveries).toBe(1)
})

it('a subscriber that falls behind gets recent entries in pages of a limited size', async () => {
  const hub = open(new MemoryLog())
  const connection = new FakeConnection()
  hub.join(await hub.locate({ topics: ['a'] }), connection)
  connection.full = true
  await hub.publish({ topics: ['a'], data: 'first' })
  await expect.poll(() => [...hub.subscribers].map(({ state }) => state)).toEqual(['behind'])
  await hub.publishAll(Array.from({ length: 60 }, () => ({ topics: ['a'], data: 'x'.repeat(10_000) })))
  connection.drain()
  await expect.poll(() => connection.data.length).toBe(61)
  // A page ends with the first entry that exceeds 128 KiB.
  expect(Math.max(...connection.writes.map(({ length }) => length))).toBeLessThan(128 * 1_024 + 11_000)
})

it('a connection that drains while history is read does not start another read', async () => {
  const log = new HeldReads()
  const hub = createHub({ heartbeat: 20, log })
  onTestFinished(() => hub.close())
  await hub.publish({ topics: ['a'], data: 'one' })
  const connection = new FakeConnection()
  connection.full = true
  await join(hub, connection, 'a')
  // A heartbeat fills the connection.
  await expect.poll(() => connection.writes.length).toBeGreaterThan(0)
  expect(log.reading).toBe(1)
  connection.drain()
  await new Promise(setImmediate)
  log.release()
  await expect.poll(() => connection.data).toEqual(['one'])
  expect(log.most).toBe(1)
})
