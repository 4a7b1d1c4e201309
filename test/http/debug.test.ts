import { expect, it } from 'vitest'
import { ask, post, serve } from '../support/http/http.ts'
import { listen } from '../support/http/sse-client.ts'

const json = { headers: { Accept: 'application/json' } }

it('prints the number of subscriptions', async () => {
  const { url } = await serve()
  expect(await ask(`${url}/debug`)).toMatchObject({ status: 200, text: 'Currently 0 subscriptions' })
  await listen(`${url}/subscribe`)
  expect((await ask(`${url}/debug`)).text).toBe('Currently 1 subscription')
  await listen(`${url}/subscribe?topic=a`)
  expect((await ask(`${url}/debug`)).text).toBe('Currently 2 subscriptions')
})

it('prints the state of the hub and of each subscriber', async () => {
  const { hub, url } = await serve()
  const client = await listen(`${url}/subscribe?topic=b&topic=a`)
  const gone = await listen(`${url}/subscribe`)
  await post(`${url}/publish?topic=a`, 'hello')
  await client.received(1)
  await gone.received(1)
  gone.close()
  await expect.poll(() => hub.status.subscribers).toBe(1)
  expect((await ask(`${url}/debug`, json)).json()).toMatchObject({
    epoch: hub.status.epoch,
    head: 1,
    window: { entries: 1, first: 1 },
    audiences: 1,
    subscribers: 1,
    published: 1,
    delivered: 2,
    entriesPerSweep: 1,
    subscriptions: [{ state: 'live', cursor: 1, lag: 0, buffered: 0, topics: ['a', 'b'], age: expect.any(Number) }],
    closes: [{ reason: 'client', at: expect.any(Number), address: expect.stringMatching(/^127\.0\.0\.1:\d+$/) }]
  })
})

it('prints how far a slow reader is behind, and its buffered bytes', async () => {
  const { hub, url } = await serve()
  const client = await listen(`${url}/subscribe`)
  client.pause()
  const update = { topics: ['t'], data: 'x'.repeat(100_000) }
  while (![...hub.subscribers][0]?.full) await hub.publish(update).then(() => new Promise(setImmediate))
  for (let count = 0; count < 5; count++) await hub.publish(update)
  const { subscriptions } = (await ask(`${url}/debug`, json)).json() as { subscriptions: Record<string, number>[] }
  expect(subscriptions).toMatchObject([{ state: 'behind' }])
  expect(subscriptions[0]?.lag).toBeGreaterThanOrEqual(5)
  expect(subscriptions[0]?.buffered).toBeGreaterThan(64 * 1_024)
})

it('lists at most the requested number, and counts all', async () => {
  const { url } = await serve()
  for (let count = 0; count < 3; count++) await listen(`${url}/subscribe`)
  const two = (await ask(`${url}/debug?limit=2`, json)).json() as { subscriptions: unknown[] }
  expect(two).toMatchObject({ subscribers: 3, shown: 2 })
  expect(two.subscriptions.length).toBe(2)
  expect((await ask(`${url}/debug?limit=many`, json)).status).toBe(400)
})

it('keeps the newest fifty closed streams', async () => {
  const { hub, url } = await serve()
  for (let count = 0; count < 55; count++) (await listen(`${url}/subscribe`)).close()
  await expect.poll(() => hub.status.subscribers).toBe(0)
  const { closes } = (await ask(`${url}/debug`, json)).json() as { closes: unknown[] }
  expect(closes.length).toBe(50)
})
