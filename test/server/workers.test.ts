// `--workers 2`: two worker processes are one hub. Streams of both have every update in order, and whatever concerns a stream reaches it
// through any worker.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openControlled, patchTo, updatesOf } from '../support/http/control.ts'
import { ask, post } from '../support/http/http.ts'
import { bearer, dialects, fresh, hubPath, keyed, keys, MercureServer, token } from '../support/http/mercure.ts'
import { dialectNames, publisher, reader } from '../support/http/mercure-dialects.ts'
import { listen } from '../support/http/sse-client.ts'
import { announcements, listPath, subscriptionsAt, watch } from '../support/hub/presence.ts'
import { askBoth, descriptionOf, killWorker, listenOnBoth, metricOf, withWorkers } from '../support/servers/workers.ts'

const server = new MercureServer()
const presence = ['--subscriptions', '--presence-timeout', '2s']
beforeAll(() => server.start([...keyed, ...withWorkers, ...presence, '--allow-delete']))
afterAll(() => server.stop())

const texts = (prefix: string, count: number) => Array.from({ length: count }, (_, number) => `${prefix}${number}`)
const rights = async (claims: Record<string, unknown> = {}) => bearer(await token('1.0', { subscribe: ['*'], claims }))
const publishing = async () => publisher('1.0')
const topicPath = (topic: string) => `/subscribe?topic=${encodeURIComponent(topic)}`
const publishPath = (topic: string, more = '') => `${server.url}/publish?topic=${encodeURIComponent(topic)}${more}`

describe('updates', () => {
  it('reach streams of both workers in one order, whichever connection publishes', async () => {
    const topic = fresh()
    const streams = await listenOnBoth(server.process, topicPath(topic), await rights())
    const headers = await publishing()
    await Promise.all(texts('', 20).map((text) => post(publishPath(topic), text, headers)))
    const [one, two] = await Promise.all(streams.map((stream) => stream.received(20)))
    expect(one).toEqual(two)
    expect(new Set(one)).toEqual(new Set(texts('', 20)))
  })

  it.each(dialects)('of Mercure %s reach streams of both workers, and are read by id on both', async (dialect) => {
    const topic = fresh()
    const { selector, lastEventId } = dialectNames[dialect]
    const path = `${hubPath}?${selector}=${encodeURIComponent(topic)}`
    const streams = await listenOnBoth(server.process, path, await reader(dialect))
    for (const data of texts('', 6)) await server.publish(dialect, { topic, data, id: `urn:${topic}:${data}` })
    for (const stream of streams) expect(await stream.received(6)).toEqual(texts('', 6))
    const after = `&${lastEventId}=${encodeURIComponent(`urn:${topic}:2`)}`
    for (const stream of await listenOnBoth(server.process, path + after, await reader(dialect))) {
      expect(await stream.received(3)).toEqual(['3', '4', '5'])
    }
  })

  it('are read as history by both workers at once after they were published, and wake a client that waits', async () => {
    const topic = fresh()
    const headers = await rights()
    const path = `${server.url}/updates?topic=${encodeURIComponent(topic)}`
    for (const text of texts('', 4)) {
      const { headers: published } = await post(publishPath(topic), text, await publishing())
      const pages = await askBoth(() => ask(`${path}&last=1`, { headers }))
      expect(pages.map(({ text }) => (JSON.parse(text) as { updates: { id: string }[] }).updates[0]?.id)).toEqual(
        Array(4).fill(published['event-id'])
      )
    }
    const waiting = [1, 2, 3, 4].map(() => ask(`${path}&wait=20s`, { headers }))
    await expect.poll(() => metricOf(server.url, 'polls', headers)).toBe(4)
    await post(publishPath(topic), 'new', await publishing())
    for (const { text } of await Promise.all(waiting)) expect(text).toContain('"data":"new"')
  })
})

describe('a stream', () => {
  it('is changed with its control URL through either worker', async () => {
    const [one, two] = [fresh(), fresh()]
    const { client, control } = await openControlled(server.url, `topic=${encodeURIComponent(one)}`, await rights())
    const headers = await rights()
    const body = { add: [two], remove: [one] }
    for (const answer of await askBoth(() => patchTo(control, body, headers))) expect(answer.status).toBe(202)
    await client.until(({ events }) => events.filter(({ event }) => event === 'tidings:changed').length === 4)
    await post(publishPath(one), 'not wanted', await publishing())
    await post(publishPath(two), 'wanted', await publishing())
    await client.until(() => updatesOf(client).length > 0)
    expect(updatesOf(client)).toEqual(['wanted'])
  })

  it('ends on both workers when its topic ends, and both answer 204 from then on', async () => {
    const topic = fresh()
    const headers = await rights()
    const streams = await listenOnBoth(server.process, topicPath(topic), headers)
    const { headers: last } = await post(publishPath(topic, '&end=1'), 'last', await publishing())
    for (const stream of streams) await stream.until(({ ended }) => ended)
    expect(streams.map(({ data }) => data)).toEqual([['last'], ['last']])
    const resumed = { ...headers, 'Last-Event-ID': String(last['event-id']) }
    const again = await askBoth(() => ask(server.url + topicPath(topic), { headers: resumed }))
    expect(again.map(({ status }) => status)).toEqual([204, 204, 204, 204])
  })

  it('receives the announcement of a deletion on both workers, and neither replays what was deleted', async () => {
    const topic = fresh()
    const headers = await rights()
    const streams = await listenOnBoth(server.process, topicPath(topic), headers)
    await post(publishPath(topic), 'deleted', await publishing())
    const path = `${server.url}/updates?topic=${encodeURIComponent(topic)}`
    expect((await ask(path, { method: 'DELETE', headers: await publishing() })).status).toBe(200)
    for (const stream of streams) {
      await stream.until(({ events }) => events.some(({ event }) => event === 'tidings:deleted'))
    }
    for (const { text } of await askBoth(() => ask(path, { headers }))) expect(text).not.toContain('"deleted"')
  })

  it('is ended on both workers by a revocation, and both refuse the token', async () => {
    const headers = await rights({ jti: 'revoked' })
    const streams = await listenOnBoth(server.process, '/subscribe', headers)
    const other = await listen(`${server.url}/subscribe`, await rights({ jti: 'other' }))
    const details = [{ type: 'tidings:operate' }]
    const operator = await token('1.0', { key: keys.publish, claims: { authorization_details: details } })
    const revoking = { 'Content-Type': 'application/json', ...bearer(operator) }
    const body = JSON.stringify({ jti: 'revoked' })
    expect((await ask(`${server.url}/revoke`, { method: 'POST', headers: revoking, body })).status).toBe(204)
    for (const stream of streams) await stream.until(({ ended }) => ended)
    const again = await askBoth(() => ask(`${server.url}/subscribe`, { method: 'HEAD', headers }))
    expect(again.map(({ status }) => status)).toEqual([401, 401, 401, 401])
    expect(other.ended).toBe(false)
  })
})

describe('what is reported', () => {
  it('lists the subscriptions of both workers, and those of a killed worker disappear', async () => {
    const watcher = await watch(server, '0.x')
    const topic = fresh()
    const path = `${hubPath}?topic=${encodeURIComponent(topic)}`
    const [one, two] = await listenOnBoth(server.process, path, await reader('0.x'))
    const listed = async () =>
      (await subscriptionsAt(server, '0.x', listPath)).filter((found) => found.topic === topic).length
    await expect.poll(() => askBoth(listed)).toEqual([2, 2, 2, 2])
    await killWorker(server.process, 1)
    await one.until(({ ended }) => ended)
    expect(two.ended).toBe(false)
    await expect.poll(async () => Promise.all([listed(), listed(), listed()])).toEqual([1, 1, 1])
    const ends = () => announcements(watcher, topic).filter(({ active }) => !active)
    await watcher.until(({ ended }) => ended || ends().length > 0)
    if (!watcher.ended) expect(ends()).toHaveLength(1)
  })

  it('counts an update once, and its deliveries on both workers', async () => {
    const headers = await rights()
    const topic = fresh()
    const streams = await listenOnBoth(server.process, topicPath(topic), headers)
    const names = ['published_total', 'delivered_total', 'head'] as const
    const values = () => Promise.all(names.map((name) => metricOf(server.url, name, headers)))
    // Without further streams, nobody announces one.
    const before = await values()
    await post(publishPath(topic), 'counted', await publishing())
    for (const stream of streams) await stream.received(1)
    const after = await values()
    expect(after.map((value, at) => value - (before[at] as number))).toEqual([1, 2, 1])
    const description = await descriptionOf(server.url, headers)
    expect(description).toMatchObject({ head: after[2], subscribers: 2 })
    expect(description.subscriptions).toHaveLength(2)
  })
})
