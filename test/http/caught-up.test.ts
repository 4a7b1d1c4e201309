// What a stream with control=1 says about catching up: `live` in its opening, and the event `tidings:live` when it has caught up.
import { describe, expect, it } from 'vitest'
import { MemoryLog } from '../../dist/index.js'
import { openControlled, updatesOf } from '../support/http/control.ts'
import { ask, serve } from '../support/http/http.ts'
import { listen, type SseClient } from '../support/http/sse-client.ts'

const numbers = (count: number) => Array.from({ length: count }, (_, at) => at)
const hasLive = ({ events }: SseClient) => events.some(({ event }) => event === 'tidings:live')
/** The types of the hub's events, and the data of updates. */
const kindsOf = ({ events }: SseClient) =>
  events.map(({ event, data }) => (event?.startsWith('tidings:') ? event : data))

async function begin(...[hubOptions, handlerOptions]: Parameters<typeof serve>) {
  const served = await serve(hubOptions, handlerOptions)
  const { hub, url } = served
  return {
    ...served,
    publish: (data: string, topics = ['a'], more = {}) => hub.publish({ topics, data, ...more }),
    idOf: (offset: number) => `#${hub.status.epoch}-${offset.toString(36)}`,
    resume: (id: string, query = 'topic=a') => openControlled(url, query, { 'Last-Event-ID': id })
  }
}

describe('the opening of a stream with control=1', () => {
  it.each([
    [undefined, 15_000],
    [2_500, 2_500],
    [0, 0]
  ])('has the heartbeat of the hub: %s', async (heartbeat, expected) => {
    const { url } = await serve(heartbeat === undefined ? {} : { heartbeat })
    expect((await openControlled(url)).opening.heartbeat).toBe(expected)
  })

  it('is live without a position, and then tidings:live never comes', async () => {
    const { url, publish } = await begin()
    await publish('before')
    const { client, opening, change } = await openControlled(url, 'topic=a')
    expect(opening.live).toBe(true)
    await publish('1')
    await change({ add: ['b'], from: 'earliest' })
    await publish('2', ['b'])
    await client.until(() => updatesOf(client).length === 2)
    expect(kindsOf(client)).toEqual(['tidings:open', '1', 'tidings:changed', '2'])
  })

  it('is live if the stream resumes at the head, by an id of the hub or of the publisher', async () => {
    const { publish, resume, idOf, url } = await begin()
    expect((await openControlled(url, 'last_event_id=earliest')).opening.live).toBe(true)
    await publish('1')
    await publish('2', ['b'], { id: 'mine' })
    expect((await resume(idOf(2))).opening.live).toBe(true)
    expect((await resume('mine')).opening.live).toBe(true)
    expect((await resume(idOf(1))).opening.live).toBe(false)
    expect((await openControlled(url, 'last_event_id=earliest')).opening.live).toBe(false)
    expect((await openControlled(url, 'last=1')).opening.live).toBe(false)
  })
})

describe('tidings:live', () => {
  it('follows the history, once, with the position', async () => {
    const { publish, resume, idOf } = await begin()
    for (const number of numbers(4)) await publish(String(number))
    const { client, opening } = await resume(idOf(1))
    expect(opening.live).toBe(false)
    await client.until(hasLive)
    await publish('new')
    await client.until(() => updatesOf(client).at(-1) === 'new')
    expect(kindsOf(client)).toEqual(['tidings:open', '1', '2', '3', 'tidings:live', 'new'])
    const id = idOf(4)
    expect(client.raw).toContain(`event: tidings:live\nid: ${id}\ndata: {"lastEventId":"${id}"}\n\n`)
  })

  it('also comes if the history has nothing for the client, and its id is a position to resume from', async () => {
    const { publish, resume, idOf } = await begin()
    for (const number of numbers(40)) await publish(String(number), ['b'])
    const { client, opening } = await resume(idOf(1))
    expect(opening.live).toBe(false)
    await client.until(hasLive)
    expect(client.events[1]).toMatchObject({ event: 'tidings:live', id: idOf(40) })
    const again = await resume(client.events[1]?.id as string)
    expect(again.opening.live).toBe(true)
    await publish('next')
    await again.client.until(() => updatesOf(again.client).length === 1)
    expect(kindsOf(again.client)).toEqual(['tidings:open', 'next'])
  })

  it('has no envelope', async () => {
    const { publish, resume, idOf } = await begin()
    await publish('1')
    const { client } = await resume(idOf(0), 'topic=a&envelope=json')
    await client.until(hasLive)
    expect(client.events[2]).toEqual({ event: 'tidings:live', id: idOf(1), data: `{"lastEventId":"${idOf(1)}"}` })
  })

  it('follows what is kept after a gap, and does not come if a gap moves the stream to the head', async () => {
    const { publish, resume, idOf } = await begin({ log: new MemoryLog({ entries: 2 }) })
    for (const number of numbers(5)) await publish(String(number))
    const trimmed = await resume(idOf(1))
    expect(trimmed.opening.live).toBe(false)
    await trimmed.client.until(hasLive)
    expect(kindsOf(trimmed.client)).toEqual(['tidings:open', 'tidings:gap', '3', '4', 'tidings:live'])
    const old = await resume('#old-1')
    expect(old.opening.live).toBe(false)
    await old.client.until(hasLive)
    const unknown = await resume('nobody')
    expect(unknown.opening.live).toBe(true)
    await publish('5')
    await unknown.client.until(() => updatesOf(unknown.client).length === 1)
    expect(kindsOf(unknown.client)).toEqual(['tidings:open', 'tidings:gap', '5'])
  })

  it('comes before a stream of ended topics closes', async () => {
    const { publish, resume, idOf } = await begin()
    await publish('1')
    await publish('', ['a'], { end: true })
    const { client } = await resume(idOf(0))
    await client.until(({ ended }) => ended)
    expect(kindsOf(client)).toEqual(['tidings:open', '1', 'tidings:end', 'tidings:live'])
    expect(client.raw).toMatch(/data: \{"lastEventId":"[^"]+"\}\n\nretry: \d+\n\n$/)
    // With a gap, there is something left for a client at the head: a stream that is live from the start, and closes.
    const gap = await resume('nobody')
    await gap.client.until(({ ended }) => ended)
    expect([gap.opening.live, kindsOf(gap.client)]).toEqual([true, ['tidings:open', 'tidings:gap']])
  })

  it('follows a change that was accepted while the client caught up, and its replay', async () => {
    const { hub, publish, resume, idOf } = await begin({}, { highWaterMark: 1 })
    const text = 'x'.repeat(10_000)
    await hub.publishAll(numbers(2_000).map((number) => ({ topics: [number % 2 ? 'b' : 'a'], data: text })))
    const { client, patch } = await resume(idOf(0))
    client.pause()
    const [subscriber] = hub.subscribers
    await expect.poll(() => subscriber?.connection.buffered).toBeGreaterThan(0)
    expect((await patch({ add: ['b'], from: 'earliest' })).status).toBe(202)
    await publish('later', ['b'])
    client.resume()
    await client.until(hasLive)
    expect(updatesOf(client)).toHaveLength(2_001)
    expect(kindsOf(client).filter((kind) => kind !== text)).toEqual([
      'tidings:open',
      'tidings:changed',
      'later',
      'tidings:live'
    ])
  })

  it('comes before the confirmation of a change that was accepted later', async () => {
    const { publish, resume, idOf } = await begin()
    await publish('1')
    const { client, change } = await resume(idOf(0))
    await client.until(hasLive)
    await change({ add: ['b'], from: 'earliest' })
    await publish('2', ['b'])
    await client.until(() => updatesOf(client).length === 2)
    expect(kindsOf(client)).toEqual(['tidings:open', '1', 'tidings:live', 'tidings:changed', '2'])
  })
})

describe('a stream without control', () => {
  it('contains neither, byte for byte', async () => {
    const { publish, idOf, url } = await begin()
    for (const number of numbers(3)) await publish(String(number))
    const plain = await listen(`${url}/subscribe?topic=a`, { 'Last-Event-ID': idOf(1) })
    const mercure = await listen(`${url}/.well-known/mercure?topic=a`, { 'Last-Event-ID': idOf(1) })
    for (const client of [plain, mercure]) await client.until(({ events }) => events.length === 2)
    await publish('new')
    for (const client of [plain, mercure]) await client.until(({ events }) => events.length === 3)
    const [two, three, four] = [2, 3, 4].map(idOf)
    const expected = `:\nid: ${two}\ndata: 1\n\nid: ${three}\ndata: 2\n\nid: ${four}\ndata: new\n\n`
    expect([plain.raw, mercure.raw]).toEqual([expected, expected])
    const head = await ask(`${url}/subscribe?control=1&last_event_id=earliest`, { method: 'HEAD' })
    expect([head.status, head.text]).toEqual([200, ''])
  })
})
