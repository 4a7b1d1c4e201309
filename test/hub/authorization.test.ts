// Read permission: what it covers, for live delivery and for replay, and what happens when it expires.
import { describe, expect, it, onTestFinished } from 'vitest'
import { openHub } from '../support/hub/open-hub.ts'

describe('a private update', () => {
  it('reaches only subscribers that may read one of its topics, live and on replay', async () => {
    const { hub, join } = openHub()
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

  it('is not sent to a permitted subscriber that did not select its topics', async () => {
    const { hub, join } = openHub()
    const { connection } = await join({ topics: ['b'], readable: ['*'] })
    await hub.publish({ topics: ['a'], data: 'a', private: true })
    await hub.publish({ topics: ['b'], data: 'b', private: true })
    await expect.poll(() => connection.data).toEqual(['b'])
  })

  it('does not confirm its id to a client without read permission', async () => {
    const { hub } = openHub()
    const { id } = await hub.publish({ topics: ['a'], data: '', id: 'secret', private: true })
    await hub.publish({ topics: ['a'], data: '' })
    expect((await hub.locate({ lastEventId: id, checkVisibility: true })).visible).toBe(false)
    expect((await hub.locate({ lastEventId: id, checkVisibility: true, readable: ['a'] })).visible).toBe(true)
  })
})

describe('an expiring permission', () => {
  it('ends the stream when it expires, and not much earlier', async () => {
    const { join } = openHub()
    const until = Date.now() + 600
    const { connection } = await join({ until })
    let isLate = false
    const late = setTimeout(
      () => {
        isLate = !connection.ended
      },
      until + 1_000 - Date.now()
    )
    onTestFinished(() => clearTimeout(late))
    await expect.poll(() => connection.ended, { interval: 5 }).toBe('expired')
    // Timers of one process fire in their order, also when it was paused.
    expect(isLate).toBe(false)
    expect(Date.now()).toBeGreaterThan(until - 300)
  })

  it('also ends the stream of a client that does not read', async () => {
    const { hub, join } = openHub()
    const { connection } = await join({ until: Date.now() + 500 })
    connection.full = true
    await hub.publish({ topics: ['t'], data: '' })
    await expect.poll(() => connection.ended, { interval: 5 }).toBe('expired')
  })

  it('delivers nothing after it has expired', async () => {
    const { hub, join } = openHub()
    await hub.publish({ topics: ['t'], data: 'kept' })
    const { connection } = await join({ until: Date.now() - 1, lastEventId: 'earliest' })
    expect(connection.ended).toBe('expired')
    expect(connection.data).toEqual([])
    expect(hub.status.subscribers).toBe(0)
  })

  it('is rejected when the expiry is not a valid time', async () => {
    const { hub } = openHub()
    await expect(hub.locate({ until: Number.NaN })).rejects.toMatchObject({ code: 'until_invalid' })
  })
})
