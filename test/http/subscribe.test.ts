import { describe, expect, it } from 'vitest'
import { MemoryLog } from '../../dist/index.js'
import { ask, post, serve } from '../support/http/http.ts'
import { listen } from '../support/http/sse-client.ts'

const publishNumbers = async (url: string, from: number, to: number, topic = 'default') => {
  for (let number = from; number <= to; number++) await post(`${url}/publish?topic=${topic}`, String(number))
}

describe('GET /subscribe', () => {
  it('streams new updates, and sends its first bytes at once', async () => {
    const { hub, url } = await serve()
    await post(`${url}/publish`, 'before')
    const client = await listen(`${url}/subscribe`)
    await client.until(({ raw }) => raw === `:\nid: #${hub.status.epoch}-1\n\n`)
    await post(`${url}/publish`, 'one\r\ntwo')
    expect(await client.received(1)).toEqual(['one\ntwo'])
    expect(client.status).toBe(200)
    expect(client.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-store, no-transform',
      'x-accel-buffering': 'no'
    })
    expect(client.headers['last-event-id']).toBeUndefined()
  })

  it('follows exact topics, templates and everything', async () => {
    const { url } = await serve()
    const books = 'https%3A%2F%2Fexample.com%2Fbooks%2F'
    const some = await listen(`${url}/subscribe?topic=a&topic=${books}%7Bid%7D`)
    const all = await listen(`${url}/subscribe?topic=*`)
    for (const topic of ['a', 'b', `${books}1`, `${books}1%2F2`]) await post(`${url}/publish?topic=${topic}`, topic)
    expect(await all.received(4)).toEqual(['a', 'b', `${books}1`, `${books}1%2F2`])
    expect(await some.received(2)).toEqual(['a', `${books}1`])
  })

  it('wraps each event in an envelope for clients that need the topics', async () => {
    const { hub, url } = await serve()
    const client = await listen(`${url}/subscribe?envelope=json`)
    await post(`${url}/publish?topic=a&topic=b&type=greeting`, 'hello\n"you"')
    await client.received(1)
    const [event] = client.events
    const id = `#${hub.status.epoch}-1`
    expect(event).toMatchObject({ id, event: undefined })
    const { time, ...envelope } = JSON.parse(event?.data as string)
    expect(envelope).toEqual({ topic: 'a', topics: ['a', 'b'], id, type: 'greeting', data: 'hello\n"you"' })
    expect(Math.abs(time - Date.now())).toBeLessThan(60_000)
  })

  it('sends heartbeat comments on an idle stream', async () => {
    const { url } = await serve({ heartbeat: 30 })
    const client = await listen(`${url}/subscribe`)
    await client.until(({ raw }) => /^:\nid: \S+\n\n(:\n){3}/.test(raw))
  })
})

describe('resuming', () => {
  it.each([
    ['the header', (id: string) => ['', { 'Last-Event-ID': id }] as const],
    ['last_event_id', (id: string) => [`?last_event_id=${encodeURIComponent(id)}`, {}] as const],
    ['lastEventID', (id: string) => [`?lastEventID=${encodeURIComponent(id)}`, {}] as const],
    ['lastEventId', (id: string) => [`?lastEventId=${encodeURIComponent(id)}`, {}] as const]
  ])('resumes after the id in %s, and repeats it in the response', async (_, ask) => {
    const { hub, url } = await serve()
    await publishNumbers(url, 1, 5)
    const id = `#${hub.status.epoch}-3`
    const [query, headers] = ask(id)
    const client = await listen(`${url}/subscribe${query}`, headers)
    expect(await client.received(2)).toEqual(['4', '5'])
    expect(client.headers).toMatchObject({ 'last-event-id': id, 'mercure-last-event-id': id })
  })

  it('prefers the header to the query when they have different ids', async () => {
    const { hub, url } = await serve()
    await publishNumbers(url, 1, 5)
    const { epoch } = hub.status
    const client = await listen(`${url}/subscribe?last_event_id=earliest`, { 'Last-Event-ID': `#${epoch}-4` })
    expect(await client.received(1)).toEqual(['5'])
  })

  it("resumes after a publisher's own id with any characters", async () => {
    const { url } = await serve()
    await post(`${url}/publish?id=${encodeURIComponent('größe 1')}`, '1')
    await post(`${url}/publish`, '2')
    const header = Buffer.from('größe 1').toString('latin1')
    const client = await listen(`${url}/subscribe`, { 'Last-Event-ID': header })
    expect(await client.received(1)).toEqual(['2'])
    expect(client.headers['last-event-id']).toBe(header)
  })

  it('replays all retained updates for earliest', async () => {
    const { hub, url } = await serve({ log: new MemoryLog({ entries: 3 }) })
    await publishNumbers(url, 1, 5)
    const client = await listen(`${url}/subscribe?last_event_id=earliest`)
    expect(await client.received(3)).toEqual(['3', '4', '5'])
    expect(client.headers['last-event-id']).toBe(`#${hub.status.epoch}-2`)
  })

  it('starts with the newest N matching updates, then becomes live', async () => {
    const { url } = await serve()
    await publishNumbers(url, 1, 5, 'a')
    await publishNumbers(url, 6, 9, 'b')
    const client = await listen(`${url}/subscribe?topic=a&last=2`)
    expect(await client.received(2)).toEqual(['4', '5'])
    await publishNumbers(url, 10, 10, 'a')
    expect(await client.received(3)).toEqual(['4', '5', '10'])
  })

  it('loses nothing when it is disconnected before its first event', async () => {
    const { url } = await serve()
    const first = await listen(`${url}/subscribe`)
    await first.until(({ raw }) => raw.endsWith('\n\n') && raw.includes('id: '))
    const id = first.raw.match(/id: (\S+)/)?.[1] as string
    first.close()
    await publishNumbers(url, 1, 1)
    const second = await listen(`${url}/subscribe`, { 'Last-Event-ID': id })
    expect(await second.received(1)).toEqual(['1'])
  })

  it('replays a long history to a slow reader, without a gap', async () => {
    const { hub, url } = await serve({ window: { entries: 10 } })
    const data = 'x'.repeat(10_000)
    await hub.publishAll(Array.from({ length: 2_000 }, (_, number) => ({ topics: ['t'], data: `${number} ${data}` })))
    const client = await listen(`${url}/subscribe?last_event_id=earliest`)
    client.pause()
    await expect.poll(() => [...hub.subscribers][0]?.full).toBe(true)
    client.resume()
    const numbers = (await client.received(2_000)).map((text) => Number.parseInt(text, 10))
    expect(numbers).toEqual(Array.from({ length: 2_000 }, (_, number) => number))
  })
})

describe('a gap is reported', () => {
  it.each([
    ['unknown', () => 'nobody', 5],
    ['epoch', () => '#gone-2', 2],
    ['trimmed', (epoch: string) => `#${epoch}-1`, 2]
  ])('%s: as the first event, and in the header', async (reason, idOf, after) => {
    const { hub, url } = await serve({ log: new MemoryLog({ entries: 3 }) })
    await publishNumbers(url, 1, 5)
    const { epoch } = hub.status
    const [requested, resumedAfter] = [idOf(epoch), `#${epoch}-${after}`]
    const client = await listen(`${url}/subscribe`, { 'Last-Event-ID': requested })
    await publishNumbers(url, 6, 6)
    await client.received(2 + 5 - after)
    const data = JSON.stringify({ requested, resumedAfter, reason })
    expect(client.events[0]).toEqual({ event: 'tidings:gap', id: resumedAfter, data })
    expect(client.data.slice(1)).toEqual(['3', '4', '5', '6'].slice(after === 5 ? 3 : 0))
    expect(client.headers).toMatchObject({ 'last-event-id': resumedAfter, 'mercure-last-event-id': resumedAfter })
  })

  it('but not when retention removed only updates of other topics', async () => {
    const { hub, url } = await serve({ log: new MemoryLog({ entries: 3 }) })
    await publishNumbers(url, 1, 1, 'rare')
    await publishNumbers(url, 2, 9, 'busy')
    const id = `#${hub.status.epoch}-1`
    const client = await listen(`${url}/subscribe?topic=rare`, { 'Last-Event-ID': id })
    await publishNumbers(url, 10, 10, 'rare')
    expect(await client.received(1)).toEqual(['10'])
    expect(client.headers['last-event-id']).toBe(id)
  })
})

describe('HEAD /subscribe', () => {
  it('responds with the headers of the stream, and adds no subscriber', async () => {
    const { hub, url } = await serve()
    await publishNumbers(url, 1, 2)
    const answer = await ask(`${url}/subscribe?last_event_id=nobody`, { method: 'HEAD' })
    expect(answer).toMatchObject({ status: 200, text: '' })
    expect(answer.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'last-event-id': `#${hub.status.epoch}-2`
    })
    expect(hub.status.subscribers).toBe(0)
  })
})

describe('GET /subscribe rejects', () => {
  it.each([
    ['tpoic=a', '"tpoic"; the parameters are topic, last, envelope'],
    ['topic=', 'it is empty; leave topic out to follow every topic'],
    [`topic=${'t'.repeat(4_097)}`, 'the limit is 4096 bytes, got 4097'],
    ['topic=a&'.repeat(1_001), 'the limit is 1000, got 1001'],
    ['topic=a%0Ab', 'it contains a control character'],
    ['last=0', 'the range is 1 to 100000'],
    ['last=few', 'last must be a whole number: got "few"'],
    ['last=1&last=2', 'The parameter was given more than once: "last"'],
    ['envelope=xml', 'envelope must be json: got "xml"'],
    ['last_event_id=a%0Ab', 'it contains a control character'],
    [`last_event_id=${'x'.repeat(1_025)}`, 'the limit is 1024 characters, got 1025'],
    ['topic=%ff', 'not valid UTF-8']
  ])('%s', async (query, why) => {
    const { hub, url } = await serve()
    const answer = await ask(`${url}/subscribe?${query}`)
    expect(answer.status).toBe(400)
    expect(answer.text).toContain(why)
    expect(hub.status).toMatchObject({ subscribers: 0, audiences: 0 })
  })
})
