// The right to read: what it covers, in what comes and in what was kept, and when it ends.
import { describe, expect, it, onTestFinished } from 'vitest'
import { createHub, type HubOptions, type SubscribeRequest } from '../../dist/index.js'
import { FakeConnection } from '../support/fake-connection.js'

function open(options: HubOptions = {}) {
  const hub = createHub({ heartbeat: 0, ...options })
  onTestFinished(() => hub.close())
  const join = async (request: SubscribeRequest = {}) => {
    const connection = new FakeConnection()
    return { connection, subscriber: hub.join(await hub.locate(request), connection) }
  }
  return { hub, join }
}

describe('a private update', () => {
  it('reaches those who may read one of its topics, live and replayed, and nobody else', async () => {
    const { hub, join } = open()
    const readers = {
      canonical: { readable: ['a'] },
      alternate: { readable: ['b/{id}'] },
      pattern: { readable: [{ match: 'x{y', type: 'exact' as const }, '*'] },
      other: { readable: ['c'] },
      nothing: {}
    }
    const live = await Promise.all(Object.values(readers).map((request) => join(request)))
    await hub.publish({ topics: ['a', 'b/1'], data: 'private', private: true })
    await hub.publish({ topics: ['a'], data: 'public' })
    const replayed = await Promise.all(
      Object.values(readers).map((request) => join({ ...request, lastEventId: 'earliest' }))
    )
    for (const crowd of [live, replayed]) {
      await expect
        .poll(() => crowd.map(({ connection }) => connection.data.join()))
        .toEqual(['private,public', 'private,public', 'private,public', 'public', 'public'])
    }
  })

  it('is not wanted by those who may read it and did not ask for it', async () => {
    const { hub, join } = open()
    const { connection } = await join({ topics: ['b'], readable: ['*'] })
    await hub.publish({ topics: ['a'], data: 'a', private: true })
    await hub.publish({ topics: ['b'], data: 'b', private: true })
    await expect.poll(() => connection.data).toEqual(['b'])
  })

  it('does not confirm its id to those who may not read it', async () => {
    const { hub } = open()
    const { id } = await hub.publish({ topics: ['a'], data: '', id: 'secret', private: true })
    await hub.publish({ topics: ['a'], data: '' })
    expect((await hub.locate({ lastEventId: id, checkVisibility: true })).visible).toBe(false)
    expect((await hub.locate({ lastEventId: id, checkVisibility: true, readable: ['a'] })).visible).toBe(true)
  })
})

describe('a right that ends', () => {
  it('ends the stream by then, and not long before', async () => {
    const { join } = open()
    const until = Date.now() + 600
    const { connection } = await join({ until })
    await expect.poll(() => connection.ended, { interval: 5 }).toBe('expired')
    // It is seen later where the machine is busy.
    expect(Date.now()).toBeLessThanOrEqual(until + 1_000)
    expect(Date.now()).toBeGreaterThan(until - 300)
  })

  it('ends also the stream of a client that reads nothing', async () => {
    const { hub, join } = open()
    const { connection } = await join({ until: Date.now() + 500 })
    connection.full = true
    await hub.publish({ topics: ['t'], data: '' })
    await expect.poll(() => connection.ended, { interval: 5 }).toBe('expired')
  })

  it('gives nothing where it is over', async () => {
    const { hub, join } = open()
    await hub.publish({ topics: ['t'], data: 'kept' })
    const { connection } = await join({ until: Date.now() - 1, lastEventId: 'earliest' })
    expect(connection.ended).toBe('expired')
    expect(connection.data).toEqual([])
    expect(hub.status.subscribers).toBe(0)
  })

  it('is refused where it is no time', async () => {
    const { hub } = open()
    await expect(hub.locate({ until: Number.NaN })).rejects.toMatchObject({ code: 'until_invalid' })
  })
})
