// Ends that meet a stream that is behind: it closes later, when it has everything.
import { expect, it } from 'vitest'
import { openHub } from '../support/hub/open-hub.ts'

it('a stream whose connection is full when its topics end closes after it has drained, with a reconnection time', async () => {
  const { hub, join } = openHub()
  const [slow, other] = [await join({ topics: ['a'] }), await join({ topics: ['a'] })]
  slow.connection.full = true
  await hub.publish({ topics: ['a'], data: 'last', end: true })
  // One check closes the streams of all members.
  await expect.poll(() => other.connection.ended).toBe('ended')
  expect([slow.subscriber.state, slow.connection.ended]).toEqual(['behind', undefined])
  slow.connection.drain()
  await expect.poll(() => slow.connection.ended).toBe('ended')
  expect(slow.connection.data).toEqual(['last'])
  expect(slow.connection.writes.at(-1)?.toString()).toMatch(/^retry: \d+\n\n$/)
})

it('an end that is too large to wait for a sweep closes its stream after catch-up has written it', async () => {
  const { hub, join } = openHub({ window: { bytes: 2_000 } })
  const { connection, subscriber } = await join({ topics: ['a'] })
  const data = 'x'.repeat(5_000)
  await hub.publish({ topics: ['a'], data, end: true })
  await expect.poll(() => connection.data).toEqual([data])
  await expect.poll(() => connection.ended).toBe('ended')
  expect(subscriber.delivered).toBe(1)
})

it('a stream that joins at the head of a topic that has ended closes at once', async () => {
  const { hub, join } = openHub()
  await hub.publish({ topics: ['a'], data: 'last', end: true })
  const { connection } = await join({ topics: ['a'] })
  await expect.poll(() => connection.ended).toBe('ended')
  expect(connection.data).toEqual([])
})
