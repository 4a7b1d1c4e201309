// A log that begins anew while clients come and catch up: no offset of one epoch is ever taken for one of another. The log is two
// logs in memory, of which the second takes the place of the first, and is heard of a little later, as over a network.
import { describe, expect, it, onTestFinished } from 'vitest'
import { createHub, type Log, MemoryLog } from '../../dist/index.js'
import { FakeConnection } from '../support/fake-connection.js'

function open() {
  const before = new MemoryLog()
  const after = new MemoryLog()
  let now: Log = before
  const deliveries: (() => void)[] = []
  /** Reads that are held back until the test lets go of them. */
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

describe('a log that begins anew', () => {
  it('is not read from where a client was in the one before', async () => {
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

  it('is not entered by a client whose place was found in the one before', async () => {
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

  it('is told of, also where it began while the place was looked for', async () => {
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

  it('serves who comes before its first entry was heard of, and closes who came earlier', async () => {
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

  it('serves an id of its own that the hub has yet to hear of', async () => {
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
