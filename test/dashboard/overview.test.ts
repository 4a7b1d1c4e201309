// The overview of the dashboard: its values agree with what was done, and nothing is measured while nobody watches.
import { expect, it } from 'vitest'
import { endedOf, isMeasuring, read, samplesOf, serveDashboard, watchOverview } from '../support/dashboard/dashboard.ts'
import { ask, post } from '../support/http/http.ts'
import { listen } from '../support/http/sse-client.ts'

/** The number of events that samples have counted: rates times the seconds between the samples. */
function counted(samples: ReturnType<typeof samplesOf>, name: 'published' | 'delivered' | 'connects' | 'closes') {
  return samples.slice(1).reduce((sum, { at, total }, number) => {
    return sum + (total[name] * (at - (samples[number]?.at ?? at))) / 1_000
  }, 0)
}

it('counts what was published, delivered, opened and closed', async () => {
  const { url } = await serveDashboard()
  const watcher = await watchOverview(url)
  await watcher.until((client) => samplesOf(client).length >= 1)
  const streams = await Promise.all([1, 2, 3].map(() => listen(`${url}/subscribe?topic=news`)))
  for (let number = 0; number < 20; number++) await post(`${url}/publish?topic=news`, 'x'.repeat(100))
  await Promise.all(streams.map((stream) => stream.received(20)))
  streams[0]?.close()
  await watcher.until((client) => endedOf(client).length === 1)
  await watcher.until((client) => Math.round(counted(samplesOf(client), 'closes')) === 1, 'the close in a sample')
  const samples = samplesOf(watcher)
  expect(counted(samples, 'published')).toBeCloseTo(20, -0.5)
  expect(counted(samples, 'delivered')).toBeCloseTo(60, -0.5)
  expect(counted(samples, 'connects')).toBeCloseTo(3, -0.5)
  const { total, log, nodes, missing } = samples.at(-1) as (typeof samples)[number]
  expect(total).toMatchObject({ subscribers: 2, live: 2, behind: 0, audiences: 1, name: 'total' })
  expect(log).toMatchObject({ head: 20, first: 1, entries: 20 })
  expect(log.bytes).toBeGreaterThan(2_000)
  expect(Date.now() - (log.oldest ?? 0)).toBeLessThan(30_000)
  expect(nodes).toHaveLength(1)
  expect(missing).toEqual([])
  expect(samples.some((sample) => sample.total.latency !== null)).toBe(true)
})

it('is one answer without a stream of samples', async () => {
  const { url, hub } = await serveDashboard()
  await listen(`${url}/subscribe?topic=news`)
  await hub.publish({ topics: ['news'], data: 'x' })
  const { total, nodes } = await read(url, 'overview')
  expect(total).toMatchObject({ subscribers: 1, live: 1 })
  expect(nodes[0]?.memory.rss).toBeGreaterThan(2 ** 20)
})

it('names the busiest topics first, with the streams that receive them', async () => {
  const { url, hub } = await serveDashboard()
  await listen(`${url}/subscribe?topic=often&topic=*`)
  await listen(`${url}/subscribe?topic=often`)
  const watcher = await watchOverview(url)
  await watcher.until((client) => samplesOf(client).length >= 1)
  for (let number = 0; number < 30; number++) await hub.publish({ topics: ['often'], data: 'x'.repeat(50) })
  for (let number = 0; number < 10; number++) await hub.publish({ topics: ['seldom'], data: 'x' })
  await watcher.until((client) => (samplesOf(client).at(-1)?.log.head ?? 0) >= 40)
  await expect.poll(async () => (await read(url, 'topics')).rows[0]?.rate).toBeGreaterThan(0)
  const { rows } = await read(url, 'topics', '?limit=5')
  expect(rows.map(({ topic, total, subscribers }) => [topic, total, subscribers])).toEqual([
    ['often', 30, 2],
    ['seldom', 10, 1]
  ])
})

it('stops measuring some seconds after the last stream of samples has ended', async () => {
  const { url, hub } = await serveDashboard()
  expect(isMeasuring(hub)).toBe(false)
  const watcher = await watchOverview(url)
  await watcher.until((client) => samplesOf(client).length >= 1)
  expect(isMeasuring(hub)).toBe(true)
  watcher.close()
  await expect.poll(() => isMeasuring(hub), { interval: 200 }).toBe(false)
})

it('resumes the stream of samples by id, and nothing of it is in the history of the hub', async () => {
  const { url, hub } = await serveDashboard()
  const watcher = await watchOverview(url)
  await watcher.until((client) => samplesOf(client).length >= 2)
  const [, first] = watcher.events
  watcher.close()
  const again = await listen(`${url}/dashboard/updates?topic=overview&envelope=json`, {
    'Last-Event-ID': first?.id ?? ''
  })
  await again.until((client) => samplesOf(client).length >= 1)
  expect(samplesOf(again)[0]).toEqual(samplesOf(watcher)[1])
  expect(hub.status.head).toBe(0)
})

it.each([
  ['updates?topic=news', 'selector_invalid'],
  ['updates', 'selector_invalid'],
  ['api/overview?x=1', 'parameter_unknown'],
  ['api/streams?sort=size', 'sort_invalid'],
  ['api/streams?order=up', 'order_invalid'],
  ['api/streams?state=closed', 'state_invalid'],
  ['api/streams?limit=501', 'limit_invalid'],
  ['api/streams?limit=0', 'limit_invalid'],
  ['api/streams?offset=9990&limit=100', 'offset_invalid'],
  ['api/streams?offset=x', 'offset_invalid'],
  ['api/streams?lag=1', 'parameter_unknown'],
  ['api/streams?sort=lag&sort=age', 'parameter_repeated'],
  [`api/streams?filter=${'x'.repeat(201)}`, 'filter_invalid'],
  ['api/inspect', 'topic_invalid'],
  ['api/inspect?topic=a&private=maybe', 'private_invalid'],
  ['api/topics?limit=-1', 'limit_invalid'],
  ['api/streams/none', 'not_found'],
  ['api/streams/a.1', 'not_found'],
  ['api/nothing', 'not_found']
])('refuses %s with %s', async (path, code) => {
  const { url } = await serveDashboard()
  const answer = await ask(`${url}/dashboard/${path}`, { headers: { Accept: 'application/json' } })
  expect((answer.json() as { error: { code: string } }).error.code).toBe(code)
})
