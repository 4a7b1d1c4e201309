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
