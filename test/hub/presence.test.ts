// Announcements of who is subscribed: entries like all others, which neither get lost nor hold anything up.
import { describe, expect, it, onTestFinished } from 'vitest'
import { createHub, type HubOptions, MemoryLog, type Subscription } from '../../dist/index.js'
import { FakeConnection } from '../support/fake-connection.js'

function open(options: HubOptions = {}) {
  const hub = createHub({ heartbeat: 0, ...options })
  onTestFinished(() => hub.close())
  const join = async (...subscriptions: Subscription[]) =>
    hub.join(await hub.locate({ topics: ['nothing'] }), new FakeConnection(), subscriptions)
  const watch = async () => {
    const connection = new FakeConnection()
    hub.join(await hub.locate({ topics: ['presence/{who}'], readable: ['*'] }), connection)
    return connection
  }
  return { hub, join, watch }
}

function subscription(who: string): Subscription {
  const topic = `presence/${who}`
  return {
    topic,
    announce: (active) => ({ topics: [topic], data: `${who} ${active ? 'joined' : 'left'}`, private: true })
  }
}

describe('presence', () => {
  it('tells when a subscription begins and ends, to those who may read it', async () => {
    const { hub, join, watch } = open()
    const watcher = await watch()
    const subscriber = await join(subscription('ann'), subscription('bob'))
    await expect.poll(() => watcher.data).toEqual(['ann joined', 'bob joined'])
    hub.leave(subscriber, 'client')
    await expect.poll(() => watcher.data).toEqual(['ann joined', 'bob joined', 'ann left', 'bob left'])
  })

  it('lists those of whom it has told, and no others', async () => {
    const { hub, join } = open()
    const subscriber = await join(subscription('ann'))
    expect([...hub.subscriptions.keys()]).toEqual([])
    await expect.poll(() => [...hub.subscriptions.keys()]).toEqual(['presence/ann'])
    expect(hub.lastEventId).toBe(`#${hub.status.epoch}-1`)
    hub.leave(subscriber, 'client')
    await expect.poll(() => hub.subscriptions.size).toBe(0)
    expect(hub.lastEventId).toBe(`#${hub.status.epoch}-2`)
  })

  it('appends a storm of connects in few batches, and lets publishing through', async () => {
    const log = new MemoryLog()
    const batches: number[] = []
    const append = log.append.bind(log)
    log.append = (updates) => {
      batches.push(updates.length)
      return append(updates)
    }
    const { hub, join } = open({ log })
    await Promise.all(Array.from({ length: 2_000 }, (_, number) => join(subscription(String(number)))))
    await hub.publish({ topics: ['t'], data: '' })
    expect(hub.subscriptions.size).toBeLessThan(2_000)
    await expect.poll(() => hub.subscriptions.size).toBe(2_000)
    expect(Math.max(...batches)).toBeLessThanOrEqual(256)
    expect(batches.length).toBeLessThan(20)
  })

  it('leaves out who came and went while ten thousand others waited', async () => {
    const log = new MemoryLog()
    const { hub, join, watch } = open({ log })
    const watcher = await watch()
    const crowd = await Promise.all(Array.from({ length: 10_001 }, (_, number) => join(subscription(String(number)))))
    hub.leave(await join(subscription('brief')), 'client')
    await expect.poll(() => hub.subscriptions.size, { timeout: 10_000 }).toBe(crowd.length)
    expect(watcher.data.filter((data) => data.startsWith('brief'))).toEqual([])
  })

  it('lists rightly what the log could not take, and says that it could not', async () => {
    const log = new MemoryLog()
    log.append = () => Promise.reject(new Error('disk full'))
    const failures: unknown[] = []
    const { hub, join } = open({ log, observer: { failed: (error) => failures.push(error) } })
    const subscriber = await join(subscription('ann'))
    await expect.poll(() => hub.subscriptions.size).toBe(1)
    hub.leave(subscriber, 'client')
    await expect.poll(() => hub.subscriptions.size).toBe(0)
    expect(failures).toHaveLength(2)
  })

  it('tells the ends of all streams before the log is closed', async () => {
    const log = new MemoryLog()
    const hub = createHub({ log })
    const place = await hub.locate({})
    for (const who of ['ann', 'bob']) hub.join(place, new FakeConnection(), [subscription(who)])
    await hub.close()
    expect(log.head).toBe(4)
  })
})
