// Iterating over updates in this process: the guarantees of a stream, without HTTP.
import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { createHub, type Hub, MemoryLog, type SubscribeOptions, type SubscriptionItem } from '../../dist/index.js'
import { openHub } from '../support/hub/open-hub.ts'

const dataOf = (item: SubscriptionItem) => (item.type === 'update' ? item.entry.update.data : item.type)

/** Reads items until there are so many, or the iteration ends, and leaves. */
async function read(hub: Hub, options: SubscribeOptions, count = Infinity): Promise<SubscriptionItem[]> {
  const items: SubscriptionItem[] = []
  for await (const item of hub.subscribe(options)) {
    items.push(item)
    if (items.length >= count) break
  }
  return items
}

const numbers = (count: number, first = 0) => Array.from({ length: count }, (_, at) => String(first + at))

/** Publishes updates of one kilobyte, in batches; their data begins with a number. */
async function publishMany(hub: Hub, count: number, first = 0): Promise<void> {
  const updates = numbers(count, first).map((data) => ({ topics: ['t'], data: data.padEnd(1_000) }))
  for (let at = 0; at < count; at += 500) await hub.publishAll(updates.slice(at, at + 500))
}

describe('hub.subscribe', () => {
  it('iterates over history and new updates, in order, each once', async () => {
    const { hub, publish } = openHub()
    await publish('0')
    await publish('other', 'x')
    await publish('1')
    const updates = hub.subscribe({ topics: ['t'], from: 'earliest' })
    const first = [await updates.next(), await updates.next()]
    const third = updates.next()
    await expect.poll(() => [...hub.subscribers].map(({ state }) => state)).toEqual(['live'])
    await publish('2')
    const read = [...first, await third].map(({ value }) => dataOf(value as SubscriptionItem))
    expect(read).toEqual(['0', '1', '2'])
    await updates.return()
    expect(hub.subscribers.size).toBe(0)
  })

  it('continues after an id, and begins with the newest updates', async () => {
    const { hub, publish } = openHub()
    const ids = []
    for (const data of numbers(5)) ids.push((await publish(data)).id)
    expect((await read(hub, { from: ids[2] as string }, 2)).map(dataOf)).toEqual(['3', '4'])
    expect((await read(hub, { last: 2 }, 2)).map(dataOf)).toEqual(['3', '4'])
  })

  it('ends when all topics have ended', async () => {
    const { hub } = openHub()
    const reading = read(hub, { topics: ['a', 'b'], from: 'earliest' })
    await hub.publish({ topics: ['a'], data: '1', end: true })
    await hub.publish({ topics: ['b'], data: '2', end: true })
    expect((await reading).map(dataOf)).toEqual(['1', '2'])
    // Also for one that begins afterwards, with or without history.
    expect((await read(hub, { topics: ['a', 'b'], from: 'earliest' })).map(dataOf)).toEqual(['1', '2'])
    expect(await read(hub, { topics: ['a'] })).toEqual([])
    expect(hub.subscribers.size).toBe(0)
  })

  it('reports a gap', async () => {
    const { hub, publish } = openHub()
    await publish('0')
    const [gap, update] = await read(hub, { from: '#0-1' }, 2)
    expect(gap).toMatchObject({ type: 'gap', gap: { requested: '#0-1', reason: 'epoch' } })
    expect(dataOf(update as SubscriptionItem)).toBe('0')
  })

  it('reports a deletion', async () => {
    const { hub, publish } = openHub()
    await publish('0')
    const { id } = await hub.delete({ topics: ['t'] })
    const [item] = await read(hub, { topics: ['t'], from: 'earliest' }, 1)
    expect(item).toMatchObject({ type: 'deleted', entry: { id }, deletion: { topics: ['t'] } })
  })

  it('has private updates only of the topics that may be read', async () => {
    const { hub } = openHub()
    await hub.publish({ topics: ['t'], data: 'secret', private: true })
    await hub.publish({ topics: ['t'], data: 'public', end: true })
    expect((await read(hub, { topics: ['t'], from: 'earliest' })).map(dataOf)).toEqual(['public'])
    const readable = { topics: ['t'], readable: ['t'], from: 'earliest' }
    expect((await read(hub, readable)).map(dataOf)).toEqual(['secret', 'public'])
  })

  it('refuses an invalid request', async () => {
    const { hub } = openHub()
    await expect(read(hub, { topics: [''] })).rejects.toMatchObject({ code: 'selector_invalid' })
    await expect(read(hub, { last: 0 })).rejects.toMatchObject({ code: 'last_invalid' })
  })
})

describe('a slow consumer', () => {
  it('is behind, costs a bounded queue, and receives everything', async () => {
    const { hub } = openHub({ window: { entries: 100 }, log: new MemoryLog({ retention: [{ match: '*' }] }) })
    const updates = hub.subscribe({ topics: ['t'], from: 'earliest' })
    await publishMany(hub, 1)
    const first = await updates.next()
    await publishMany(hub, 4_999, 1)
    const [subscriber] = hub.subscribers
    await expect.poll(() => subscriber?.state).toBe('behind')
    // The high-water mark, and one batch.
    expect(subscriber?.connection.buffered).toBeLessThan((64 + 256) * 1_024)
    const items = [first.value as SubscriptionItem]
    for await (const item of updates) {
      items.push(item)
      if (items.length === 5_000) break
    }
    expect(items.map((item) => dataOf(item).trim())).toEqual(numbers(5_000))
  })

  it('joins again when the hub has ended its stream as slow', async () => {
    const { hub } = openHub({ slowTimeout: 20 })
    const updates = hub.subscribe({ topics: ['t'], from: 'earliest' })
    await publishMany(hub, 1)
    const items = [(await updates.next()).value as SubscriptionItem]
    await publishMany(hub, 999, 1)
    await expect.poll(() => hub.stats.closes.map(({ reason }) => reason)).toEqual(['slow'])
    expect(hub.subscribers.size).toBe(0)
    for await (const item of updates) {
      items.push(item)
      if (items.length === 1_000) break
    }
    expect(items.map((item) => dataOf(item).trim())).toEqual(numbers(1_000))
  })

  it('learns of a gap when retention has removed what it did not read', async () => {
    const retention = [{ match: '*', entries: 100 }]
    const { hub } = openHub({ retention, window: { entries: 10 } })
    const updates = hub.subscribe({ topics: ['t'], from: 'earliest' })
    await publishMany(hub, 1)
    await updates.next()
    await publishMany(hub, 2_000, 1)
    const read: string[] = []
    for await (const item of updates) {
      read.push(dataOf(item).trim())
      if (item.type === 'gap') expect(item.gap.reason).toBe('trimmed')
      if (read.at(-1) === '2000') break
    }
    const gap = read.indexOf('gap')
    // Nothing is missing silently: the numbers before the gap, and those after it, have no holes.
    expect(read.slice(0, gap)).toEqual(numbers(gap, 1))
    expect(read.slice(gap + 1)).toEqual(numbers(100, 1_901))
  })

  it('receives nothing twice after a rotation, also if a publisher uses one id for all updates', async () => {
    const { hub } = openHub({ maxAge: 30 })
    const updates = hub.subscribe({ topics: ['t'], from: 'earliest' })
    const read: string[] = []
    for (const data of numbers(20)) {
      await hub.publish({ topics: ['t'], id: 'same', data })
      const item = (await updates.next()).value as SubscriptionItem
      read.push(dataOf(item))
      const closes = hub.stats.closes.length
      if (Number(data) < 3) await expect.poll(() => hub.stats.closes.length).toBeGreaterThan(closes)
    }
    expect(read).toEqual(numbers(20))
    await updates.return()
  })
})

describe('the end of an iteration', () => {
  it('leaves the hub when the consumer leaves the loop, or throws', async () => {
    const { hub, publish } = openHub()
    await publish('0')
    await read(hub, { from: 'earliest' }, 1)
    expect(hub.subscribers.size).toBe(0)
    const failing = async () => {
      for await (const _ of hub.subscribe({ from: 'earliest' })) throw new Error('mine')
    }
    await expect(failing()).rejects.toThrow('mine')
    expect(hub.subscribers.size).toBe(0)
  })

  it.each(['while it waits', 'before it begins', 'between two items'])('comes with the signal: %s', async (when) => {
    const { hub, publish } = openHub()
    const { signal, abort } = abortable()
    for (const data of numbers(2)) await publish(data)
    if (when === 'before it begins') abort()
    const updates = hub.subscribe({ topics: ['t'], from: when === 'while it waits' ? undefined : 'earliest', signal })
    if (when === 'between two items') expect(dataOf((await updates.next()).value as SubscriptionItem)).toBe('0')
    const next = updates.next()
    if (when === 'while it waits') await expect.poll(() => hub.subscribers.size).toBe(1)
    abort()
    const results = [await next, await updates.next()]
    expect(results.at(-1)?.done).toBe(true)
    expect(hub.subscribers.size).toBe(0)
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('leaves no listener behind on a signal that is never aborted', async () => {
    const { hub, publish } = openHub()
    const { signal } = abortable()
    const updates = hub.subscribe({ topics: ['t'], signal })
    for (const data of numbers(50)) {
      const next = updates.next()
      await expect.poll(() => [...hub.subscribers].map(({ state }) => state)).toEqual(['live'])
      await publish(data)
      expect(dataOf((await next).value as SubscriptionItem)).toBe(data)
    }
    expect(getEventListeners(signal, 'abort').length).toBeLessThanOrEqual(1)
    await updates.return()
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('is an error when the hub closes, and when it is closed', async () => {
    const hub = createHub()
    const waiting = read(hub, {})
    await expect.poll(() => hub.subscribers.size).toBe(1)
    const failed = expect(waiting).rejects.toMatchObject({ code: 'closed' })
    await hub.close()
    await failed
    await expect(read(hub, {})).rejects.toMatchObject({ code: 'closed' })
  })

  it('is an error when the topic is revoked', async () => {
    const { hub } = openHub()
    const waiting = read(hub, { topics: ['t'] })
    await expect.poll(() => hub.subscribers.size).toBe(1)
    const failed = expect(waiting).rejects.toMatchObject({ code: 'revoked' })
    await hub.revoke({ topic: 't', until: Date.now() + 60_000 })
    await failed
    expect(hub.subscribers.size).toBe(0)
  })

  it('is an error when the history cannot be read', async () => {
    const log = new MemoryLog()
    const { hub, publish } = openHub({ log })
    await publish('0')
    log.read = () => Promise.reject(new Error('broken'))
    await expect(read(hub, { from: 'earliest' })).rejects.toMatchObject({ code: 'log_unavailable' })
    expect(hub.subscribers.size).toBe(0)
  })
})

function abortable() {
  const controller = new AbortController()
  return { signal: controller.signal, abort: () => controller.abort() }
}
