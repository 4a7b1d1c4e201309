// The flight recorder: why a client missed an update, of open streams and of those that ended a while ago.
import { expect, it } from 'vitest'
import {
  describe,
  endedOf,
  read,
  rowOf,
  samplesOf,
  serveDashboard,
  startDashboard,
  watchOverview
} from '../support/dashboard/dashboard.ts'
import { openControlled } from '../support/http/control.ts'
import { ask, post } from '../support/http/http.ts'
import { listen } from '../support/http/sse-client.ts'

const kindsOf = async (url: string, id: string) => (await describe(url, id)).events.map(({ kind }) => kind)

it('of a stream that is live has three events, which take no memory', async () => {
  const { url, hub } = await serveDashboard()
  await listen(`${url}/subscribe?topic=a`)
  const { id } = await rowOf(url, 'a')
  const { stream, events, dropped } = await describe(url, id)
  expect(stream).toMatchObject({ id, state: 'live', topics: ['a'], closed: null, delivered: 0, lag: 0 })
  expect(events.map(({ kind }) => kind)).toEqual(['connected', 'position', 'live'])
  expect(dropped).toBe(0)
  await listen(`${url}/subscribe?topic=b`)
  const logs = [...hub.subscribers].map((one) => (one as unknown as { flight: unknown }).flight)
  expect(logs[0]).toBe(logs[1])
})

it('explains a gap', async () => {
  const { url, hub } = await serveDashboard({ retention: [{ match: '*', entries: 3 }] })
  const { id: first } = await hub.publish({ topics: ['a'], data: '0' })
  for (let number = 1; number < 10; number++) await hub.publish({ topics: ['a'], data: String(number) })
  const stream = await listen(`${url}/subscribe?topic=a`, { 'Last-Event-ID': first })
  await stream.received(4)
  const { events, stream: row } = await describe(url, (await rowOf(url, 'a')).id)
  expect(events.map(({ kind }) => kind)).toEqual(['connected', 'gap', 'live'])
  expect(events[1]).toMatchObject({
    reason: 'retention removed updates after the requested id',
    detail: { requested: first, reason: 'trimmed' }
  })
  expect(events[2]).toMatchObject({ offset: 10 })
  expect(row.delivered).toBe(3)
})

it('explains a client that read slowly: behind, then live again', async () => {
  const { url } = await serveDashboard()
  const stream = await listen(`${url}/subscribe?topic=a`)
  stream.pause()
  const data = 'x'.repeat(256 * 1_024)
  let count = 0
  while ((await rowOf(url, 'a')).state === 'live') {
    for (let number = 0; number < 8; number++, count++) await post(`${url}/publish?topic=a`, data)
  }
  const behind = await rowOf(url, 'a')
  expect(behind.buffered).toBeGreaterThan(0)
  const { total } = await read(url, 'overview')
  expect(total).toMatchObject({ behind: 1, live: 0 })
  stream.resume()
  await stream.received(count)
  await expect.poll(async () => (await rowOf(url, 'a')).state).toBe('live')
  const { events } = await describe(url, behind.id)
  expect(events.map(({ kind }) => kind).slice(0, 4)).toEqual(['connected', 'position', 'live', 'behind'])
  expect(events.at(-1)?.kind).toBe('live')
  expect(events[3]?.reason).toContain('reads slowly')
  expect(events[3]?.detail?.buffered).toBeGreaterThan(0)
  expect((await rowOf(url, 'a')).delivered).toBe(count)
})

it('has a change of topics', async () => {
  const { url } = await serveDashboard()
  const stream = await openControlled(url, 'topic=a')
  await stream.change({ add: ['b'] })
  const { events } = await describe(url, (await rowOf(url, 'b')).id)
  expect(events.map(({ kind }) => kind)).toEqual(['connected', 'position', 'live', 'behind', 'changed', 'live'])
  expect(events[4]?.detail).toEqual({ selectors: 2 })
})

it('keeps 32 changes, and says how many were dropped', async () => {
  const { url } = await serveDashboard()
  const stream = await openControlled(url, 'topic=a')
  for (let number = 0; number < 20; number++) await stream.change({ add: [`b${number}`] })
  const { stream: row, events, dropped } = await describe(url, (await rowOf(url, 'b19')).id)
  expect(dropped).toBe(28)
  expect(events).toHaveLength(35)
  // Twenty of its selectors, and the sign that there are more.
  expect(row.topics).toHaveLength(21)
  expect(row.topics.at(-1)).toBe('…')
})

it('keeps a stream that has ended, with the reason, and reports it to the page', async () => {
  const { url } = await serveDashboard()
  const watcher = await watchOverview(url)
  await watcher.until((client) => samplesOf(client).length >= 1)
  const stream = await listen(`${url}/subscribe?topic=a`)
  const { id, node } = await rowOf(url, 'a')
  await post(`${url}/publish?topic=a`, 'x')
  await stream.received(1)
  stream.close()
  await watcher.until((client) => endedOf(client).length === 1)
  expect(endedOf(watcher)[0]).toMatchObject({ id, node, state: 'closed', closed: { reason: 'client' }, lag: 0 })
  expect(await kindsOf(url, id)).toEqual(['connected', 'position', 'live', 'closed'])
  const { rows } = await read(url, 'closed', '?limit=1')
  expect(rows).toMatchObject([{ id, delivered: 1 }])
})

it('keeps the last 1,000 streams that ended, the newest first', async () => {
  const { url, hub } = await serveDashboard()
  const end = async (topic: string) => {
    const position = await hub.locate({ topics: [topic] })
    hub.leave(hub.join(position, silent), 'client')
  }
  await end('first')
  const [first] = (await read(url, 'closed')).rows
  for (let number = 0; number < 1_000; number++) await end(`t${number}`)
  const { rows } = await read(url, 'closed', '?limit=500')
  expect(rows).toHaveLength(500)
  expect(rows[0]?.topics).toEqual(['t999'])
  expect((await ask(`${url}/dashboard/api/streams/${first?.id}`)).status).toBe(404)
  expect((await describe(url, rows[0]?.id as string)).stream.closed?.reason).toBe('client')
})

const silent = { address: 'test', buffered: 0, write: () => true, onDrain: () => {}, end: () => {} }

it('has the reason why a stream ended', async () => {
  const { url } = await startDashboard('--max-age', '300ms')
  const stream = await listen(`${url}/subscribe?topic=a`)
  await stream.until(({ ended }) => ended)
  const { rows } = await read(url, 'closed')
  expect(rows[0]?.closed.reason).toBe('rotated')
  const { events } = await describe(url, rows[0]?.id as string)
  expect(events.at(-1)).toMatchObject({ kind: 'closed', detail: { reason: 'rotated' } })
})
