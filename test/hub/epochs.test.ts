// The log starts a new epoch while clients connect and catch up. An offset of one epoch is never used in another. The log is two
// memory logs: the second replaces the first, and the hub learns of the change later, as over a network.
import { describe, expect, it, onTestFinished } from 'vitest'
import { createHub, type Log, MemoryLog } from '../../dist/index.js'
import { FakeConnection } from '../support/hub/fake-connection.ts'

function open() {
  const before = new MemoryLog()
  const after = new MemoryLog()
  let now: Log = before
  const deliveries: (() => void)[] = []
  /** Reads that are delayed until the test releases them. */
  let gate = Promise.resolve()
  const log = new Proxy(before as Log, {
    get(_, name: keyof Log) {
      if (name === 'follow') {
        return async (deliver: Parameters<Log['follow']>[0]) => {
          await before.follow(deliver)
          await after.follow((entries) => void deliveries.push(() => deliver(entries)))
        }
      }
      if (name === 'read') {
        return async (...args: Parameters<Log['read']>) => {
          await gate
          return now.read(...args)
        }
      }
      const value: unknown = Reflect.get(now, name, now)
      return typeof value === 'function' ? value.bind(now) : value
    }
  })
  const hub = createHub({ log, heartbeat: 0, window: { entries: 4 } })
  onTestFinished(() => hub.close())
  const publish = async (log: Log, ...texts: string[]) => {
    for (const data of texts) await log.append([{ topics: ['t'], data }])
  }
  return {
    before,
    after,
    hub,
    publish,
    beginAnew: () => {
      now = after
    },
    hear: () => {
      for (const deliver of deliveries.splice(0)) deliver()
    },
    hold: () => {
      let letGo = () => {}
      gate = new Promise((resolve) => {
        letGo = resolve
      })
      return letGo
    }
  }
}

const texts = (name: string, count: number) => Array.from({ length: count }, (_, at) => `${name}${at + 1}`)

describe('when the log starts a new epoch', () => {
  it('does not continue reading at an offset of the previous epoch', async () => {
    const { before, after, hub, publish, beginAnew, hear, hold } = open()
    await publish(before, ...texts('a', 10))
    const connection = new FakeConnection()
    const place = await hub.locate({ lastEventId: `#${before.epoch}-2` })
    const letGo = hold()
    hub.join(place, connection)
    await publish(after, ...texts('b', 20))
    beginAnew()
    letGo()
    await expect.poll(() => connection.ended).toBe('gap')
    hear()
    expect(connection.data.filter((data) => data.startsWith('b'))).toEqual([])
  })

  it('does not admit a client whose position was resolved in the previous epoch', async () => {
    const { before, after, hub, publish, beginAnew, hear } = open()
    await publish(before, ...texts('a', 10))
    await publish(after, ...texts('b', 20))
    const connection = new FakeConnection()
    const place = await hub.locate({ lastEventId: `#${before.epoch}-a` })
    beginAnew()
    hear()
    hub.join(place, connection)
    await expect.poll(() => connection.ended).toBe('gap')
    expect(connection.data).toEqual([])
  })

  it('reports the gap, also when the epoch changes while a position is being resolved', async () => {
    const { before, after, hub, publish, beginAnew, hear, hold } = open()
    await publish(before, ...texts('a', 10))
    await publish(after, ...texts('b', 20))
    const letGo = hold()
    const locating = hub.locate({ lastEventId: `#${before.epoch}-2` })
    await new Promise(setImmediate)
    beginAnew()
    letGo()
    const place = await locating
    expect(place.gap).toMatchObject({ reason: 'epoch' })
    const connection = new FakeConnection()
    hub.join(place, connection)
    hear()
    await expect.poll(() => connection.data).toEqual(texts('b', 20))
  })

  it('serves clients that connect before the first entry of the epoch arrives, and closes earlier clients', async () => {
    const { before, after, hub, publish, beginAnew, hear } = open()
    await publish(before, ...texts('a', 10))
    const earlier = new FakeConnection()
    hub.join(await hub.locate({ lastEventId: 'earliest' }), earlier)
    await expect.poll(() => earlier.data.length).toBe(10)
    await publish(after, ...texts('b', 3))
    beginAnew()
    const later = new FakeConnection()
    const place = await hub.locate({ lastEventId: `#${before.epoch}-a` })
    expect(place.gap).toMatchObject({ reason: 'epoch', resumedAfter: `#${after.epoch}-0` })
    hub.join(place, later)
    await expect.poll(() => earlier.ended).toBe('gap')
    expect(later.ended).toBeUndefined()
    hear()
    await publish(after, 'b4')
    hear()
    await expect.poll(() => later.data).toEqual(texts('b', 4))
  })

  it('accepts an id of the new epoch that the hub has not received yet', async () => {
    const { before, after, hub, publish, beginAnew, hear } = open()
    await publish(before, ...texts('a', 10))
    await publish(after, ...texts('b', 3))
    beginAnew()
    const connection = new FakeConnection()
    hub.join(await hub.locate({ lastEventId: `#${after.epoch}-2` }), connection)
    hear()
    await publish(after, 'b4')
    hear()
    await expect.poll(() => connection.data).toEqual(['b3', 'b4'])
  })
})
