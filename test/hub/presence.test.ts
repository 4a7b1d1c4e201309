// Presence announcements: log entries like all others. They are not lost, and they do not delay other updates.
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createHub, type Hub, type HubOptions, MemoryLog, type Subscription } from '../../dist/index.js'
import { FakeConnection } from '../support/hub/fake-connection.ts'

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

function subscription(name: string): Subscription {
  const topic = `presence/${name}`
  return {
    topic,
    announce: (active) => ({ topics: [topic], data: `${name} ${active ? 'joined' : 'left'}`, private: true })
  }
}

const member = (name: string) => ({ topic: `presence/${name}`, record: '', end: subscription(name).announce(false) })
const listed = async (hub: Hub) => [...(await hub.subscriptions()).keys()]

describe('presence', () => {
  it('announces the start and end of a subscription to clients that may read them', async () => {
    const { hub, join, watch } = open()
    const watcher = await watch()
    const subscriber = await join(subscription('ann'), subscription('bob'))
    await expect.poll(() => watcher.data).toEqual(['ann joined', 'bob joined'])
    hub.leave(subscriber, 'client')
    await expect.poll(() => watcher.data).toEqual(['ann joined', 'bob joined', 'ann left', 'bob left'])
  })

  it('lists exactly the subscriptions that were announced', async () => {
    const { hub, join } = open()
    const subscriber = await join(subscription('ann'))
    expect(await listed(hub)).toEqual([])
    await expect.poll(() => listed(hub)).toEqual(['presence/ann'])
    expect(hub.lastEventId).toBe(`#${hub.status.epoch}-1`)
    hub.leave(subscriber, 'client')
    await expect.poll(async () => (await listed(hub)).length).toBe(0)
    expect(hub.lastEventId).toBe(`#${hub.status.epoch}-2`)
  })

  it('groups a burst of connects into few appends, and does not block publishing', async () => {
    const log = new MemoryLog()
    const batches: number[] = []
    const announce = log.roster.announce.bind(log)
    log.roster.announce = (announcements) => {
      batches.push(announcements.length)
      return announce(announcements)
    }
    const { hub, join } = open({ log })
    await Promise.all(Array.from({ length: 2_000 }, (_, number) => join(subscription(String(number)))))
    await hub.publish({ topics: ['t'], data: '' })
    expect((await listed(hub)).length).toBeLessThan(2_000)
    await expect.poll(async () => (await listed(hub)).length).toBe(2_000)
    expect(Math.max(...batches)).toBeLessThanOrEqual(256)
    expect(batches.length).toBeLessThan(20)
  })

  it('omits subscribers that connect and disconnect while 10,000 others wait', async () => {
    const log = new MemoryLog()
    const { hub, join, watch } = open({ log })
    const watcher = await watch()
    const crowd = await Promise.all(Array.from({ length: 10_001 }, (_, number) => join(subscription(String(number)))))
    hub.leave(await join(subscription('brief')), 'client')
    await expect.poll(async () => (await listed(hub)).length).toBe(crowd.length)
    expect(watcher.data.filter((data) => data.startsWith('brief'))).toEqual([])
  })

  it('keeps a correct list when the log rejects an announcement, and reports the error', async () => {
    const log = new MemoryLog()
    log.roster.announce = () => Promise.reject(new Error('disk full'))
    const failures: unknown[] = []
    const { hub, join } = open({ log, observer: { failed: (error) => failures.push(error) } })
    const subscriber = await join(subscription('ann'))
    await expect.poll(async () => (await listed(hub)).length).toBe(1)
    hub.leave(subscriber, 'client')
    await expect.poll(async () => (await listed(hub)).length).toBe(0)
    expect(failures).toHaveLength(2)
  })

  it('announces the end of every stream before the log closes', async () => {
    const log = new MemoryLog()
    const hub = createHub({ log })
    const place = await hub.locate({})
    for (const name of ['ann', 'bob']) hub.join(place, new FakeConnection(), [subscription(name)])
    await hub.close()
    expect(log.head).toBe(4)
  })

  it('retries announcements that the log rejected until it accepts them', async () => {
    const log = new MemoryLog()
    const announce = log.roster.announce.bind(log)
    let isAway = true
    log.roster.announce = (announcements) => (isAway ? Promise.reject(new Error('away')) : announce(announcements))
    const { join, watch } = open({ log })
    const watcher = await watch()
    await join(subscription('ann'))
    await expect.poll(() => log.head).toBe(0)
    isAway = false
    await expect.poll(() => watcher.data).toEqual(['ann joined'])
  })

  it('announces once when the result of an append is unknown', async () => {
    const log = new MemoryLog()
    const announce = log.roster.announce.bind(log)
    let attempts = 0
    // The entry is in the log, but the caller receives an error.
    log.roster.announce = async (announcements) => {
      await announce(announcements)
      if (attempts++ < 2) throw new Error('unanswered')
    }
    const { hub, join, watch } = open({ log })
    const watcher = await watch()
    const subscriber = await join(subscription('ann'))
    await expect.poll(() => attempts).toBe(3)
    hub.leave(subscriber, 'client')
    await expect.poll(() => watcher.data).toEqual(['ann joined', 'ann left'])
  })
})

describe('presence on nodes that share a log', () => {
  it('is the same on every node, also on a node that joins later', async () => {
    const log = new MemoryLog()
    const [one, two] = [open({ log }), open({ log })]
    const subscriber = await one.join(subscription('ann'))
    await two.join(subscription('bob'))
    const all = ['presence/ann', 'presence/bob']
    for (const { hub } of [one, two]) await expect.poll(async () => (await listed(hub)).sort()).toEqual(all)
    const three = open({ log })
    expect((await listed(three.hub)).sort()).toEqual(all)
    one.hub.leave(subscriber, 'client')
    for (const { hub } of [one, two, three]) await expect.poll(() => listed(hub)).toEqual(['presence/bob'])
  })

  it('removes the subscriptions of a crashed node once, after its lease expires', async () => {
    const log = new MemoryLog()
    await log.roster.announce([
      { update: subscription('ann').announce(true), member: { ...member('ann'), node: 'dead' } },
      { update: subscription('bob').announce(true), member: { ...member('bob'), node: 'dead' } }
    ])
    await log.roster.renew('dead', 60_000)
    const nodes = [open({ log, presenceTimeout: 1_000 }), open({ log, presenceTimeout: 1_000 })]
    const watcher = await (nodes[0] as (typeof nodes)[0]).watch()
    for (const { hub } of nodes) expect(await listed(hub)).toEqual(['presence/ann', 'presence/bob'])
    const began = performance.now()
    await log.roster.renew('dead', 1)
    for (const { hub } of nodes) await expect.poll(() => listed(hub)).toEqual([])
    expect(performance.now() - began).toBeLessThan(3_000)
    await expect.poll(() => watcher.data).toEqual(['ann left', 'bob left'])
    expect(log.head).toBe(4)
  })

  it('does not treat nodes as dead while the log is unavailable', async () => {
    const log = new MemoryLog()
    await log.roster.announce([
      { update: subscription('ann').announce(true), member: { ...member('ann'), node: 'other' } }
    ])
    const renew = log.roster.renew.bind(log)
    let isAway = false
    log.roster.renew = (node, lease) => (isAway ? Promise.reject(new Error('away')) : renew(node, lease))
    await renew('other', 60_000)
    const { hub } = open({ log, presenceTimeout: 1_000 })
    await listed(hub)
    isAway = true
    await renew('other', 1)
    await sleep(1_500)
    expect(await listed(hub)).toEqual(['presence/ann'])
    isAway = false
    // The other node renews its lease a little later.
    await sleep(100)
    const telling = setInterval(() => void renew('other', 1_000), 100)
    onTestFinished(() => clearInterval(telling))
    await sleep(1_500)
    expect(await listed(hub)).toEqual(['presence/ann'])
  })

  it('recovers when other nodes removed a node that was only slow', async () => {
    const log = new MemoryLog()
    const one = open({ log })
    const watcher = await one.watch()
    const subscriber = await one.join(subscription('ann'))
    await expect.poll(() => listed(one.hub)).toEqual(['presence/ann'])
    await log.roster.announce([{ update: subscription('ann').announce(false), member: null }])
    await expect.poll(() => watcher.data).toEqual(['ann joined', 'ann left', 'ann joined'])
    await expect.poll(() => listed(one.hub)).toEqual(['presence/ann'])
    one.hub.leave(subscriber, 'client')
    await expect.poll(() => listed(one.hub)).toEqual([])
  })
})
