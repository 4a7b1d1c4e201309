// Topics that end: the last update of a topic closes the streams that wait only for ended topics, and an EventSource stops.
import { describe, expect, it } from 'vitest'
import { MemoryLog } from '../../dist/index.js'
import { ask, post, serve } from '../support/http/http.ts'
import { bearer, dialects, form, keys, serverWith, token } from '../support/http/mercure.ts'
import { listen } from '../support/http/sse-client.ts'

const publish = async (url: string, topic: string, data: string, more = '') => {
  const answer = await post(`${url}/publish?topic=${topic}${more}`, data)
  expect(answer.status).toBe(200)
  return answer.headers['event-id'] as string
}
const at = (url: string, query: string) => `${url}/subscribe?${query}`
const closesOf = (hub: { stats: { closes: readonly { reason: string }[] } }) =>
  hub.stats.closes.map(({ reason }) => reason)

describe('an end', () => {
  it('closes a live stream of its topic after the last event', async () => {
    const { hub, url } = await serve()
    const client = await listen(at(url, 'topic=a'))
    await publish(url, 'a', 'one')
    await publish(url, 'a', 'two', '&end&type=done')
    await client.until(({ ended }) => ended)
    expect(client.events.map(({ event, data }) => [event, data])).toEqual([
      [undefined, 'one'],
      ['done', 'two']
    ])
    expect(closesOf(hub)).toEqual(['ended'])
  })

  it('closes its stream later if the log could not be asked, and reports why', async () => {
    const log = new MemoryLog()
    const failures: unknown[] = []
    const { hub, url } = await serve({ log, observer: { failed: (error) => failures.push(error) } })
    const client = await listen(at(url, 'topic=a'))
    const ends = log.ends.bind(log)
    const refused = new Error('the disk is away')
    log.ends = () => {
      log.ends = ends
      return Promise.reject(refused)
    }
    await publish(url, 'a', 'last', '&end')
    await client.until(({ ended }) => ended)
    expect(failures).toEqual([refused])
    expect(client.data).toEqual(['last'])
    expect(closesOf(hub)).toEqual(['ended'])
  })

  it('fires tidings:end when it has no data, and keeps its type when it has one', async () => {
    const { url } = await serve()
    const client = await listen(at(url, 'topic=a&topic=b&topic=c'))
    await publish(url, 'a', '', '&end=true')
    await publish(url, 'b', '', '&end&type=done')
    await publish(url, 'c', 'data', '&end=1')
    await client.until(({ ended }) => ended)
    expect(client.events.map(({ event, data }) => [event, data])).toEqual([
      ['tidings:end', ''],
      ['done', ''],
      [undefined, 'data']
    ])
  })

  it('is a member of the envelope', async () => {
    const { url } = await serve()
    const client = await listen(at(url, 'topic=a&envelope=json'))
    await publish(url, 'a', 'x', '&end=false')
    await publish(url, 'a', '', '&end')
    await client.until(({ ended }) => ended)
    const envelopes = client.data.map((data) => JSON.parse(data) as Record<string, unknown>)
    expect(envelopes.map(({ type, data, end }) => [type, data, end])).toEqual([
      ['message', 'x', undefined],
      ['message', '', true]
    ])
    expect(client.events.map(({ event }) => event)).toEqual([undefined, undefined])
  })

  it('closes only when all topics of the stream have ended', async () => {
    const { url } = await serve()
    const client = await listen(at(url, 'topic=a&topic=b'))
    await publish(url, 'a', 'a1', '&end')
    await publish(url, 'b', 'b1')
    await publish(url, 'a', 'a2')
    await publish(url, 'b', 'b2', '&end')
    await publish(url, 'a', 'a3', '&end')
    await client.until(({ ended }) => ended)
    expect(client.data).toEqual(['a1', 'b1', 'a2', 'b2', 'a3'])
  })

  it.each(['topic=*', 'topic=x/{id}', 'topic=x/1&topic=x/{id}'])(
    'is an event for a stream with %s, which stays',
    async (query) => {
      const { url } = await serve()
      const client = await listen(at(url, query))
      await publish(url, 'x/1', 'one', '&end')
      await publish(url, 'x/1', 'two')
      expect(await client.received(2)).toEqual(['one', 'two'])
      expect(client.ended).toBe(false)
    }
  )

  it('closes a stream after the replay of its history', async () => {
    const { url } = await serve()
    for (const data of ['1', '2', '3']) await publish(url, 'a', data)
    await publish(url, 'a', '4', '&end')
    for (const query of ['last=2', 'last=100', 'last_event_id=earliest']) {
      const client = await listen(at(url, `topic=a&${query}`))
      await client.until(({ ended }) => ended)
      expect(client.data, query).toEqual(query === 'last=2' ? ['3', '4'] : ['1', '2', '3', '4'])
    }
  })

  it('closes a stream that caught up slowly, after everything', async () => {
    const { hub, url } = await serve({ slowTimeout: 30_000 }, { highWaterMark: 1 })
    const client = await listen(at(url, 'topic=a'))
    client.pause()
    const big = 'x'.repeat(200_000)
    for (let count = 0; count < 40; count++) await publish(url, 'a', big)
    await expect.poll(() => [...hub.subscribers][0]?.state).toBe('behind')
    await publish(url, 'a', 'last', '&end')
    client.resume()
    await client.until(({ ended }) => ended, 'the end of the stream')
    expect(client.events.length).toBe(41)
    expect(client.data.at(-1)).toBe('last')
  })

  it('is published as a form and as NDJSON too', async () => {
    const { url } = await serve()
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
    await post(`${url}/publish`, 'topic=a&data=x&end=on', headers)
    await post(`${url}/publish`, '{"topic":"b","data":"y","end":true}\n', { 'Content-Type': 'application/x-ndjson' })
    expect((await ask(at(url, 'topic=a&topic=b'))).status).toBe(204)
    const bad = await post(`${url}/publish?topic=a&end=maybe`, 'x', { Accept: 'application/json' })
    expect([bad.status, bad.json()]).toMatchObject([400, { error: { code: 'end_invalid' } }])
    const line = await post(`${url}/publish`, '{"end":1}\n', { 'Content-Type': 'application/x-ndjson' })
    expect(line.text).toContain('line 1: The value of end is invalid')
  })
})

describe('a client that connects to ended topics', () => {
  it('gets 204 with nothing left to receive, on every endpoint', async () => {
    const { url } = await serve()
    const id = await publish(url, 'a', 'x', '&end')
    const resumed = await ask(at(url, 'topic=a'), { headers: { 'Last-Event-ID': id } })
    expect([resumed.status, resumed.text, resumed.headers['last-event-id']]).toEqual([204, '', id])
    expect(resumed.headers['content-type']).toBeUndefined()
    expect((await ask(at(url, 'topic=a'))).status).toBe(204)
    expect((await ask(at(url, 'topic=a'), { method: 'HEAD' })).status).toBe(204)
    for (const query of ['topic=a', 'match=a', `match=a&last_event_id=${encodeURIComponent(id)}`]) {
      expect((await ask(`${url}/.well-known/mercure?${query}`)).status, query).toBe(204)
    }
  })

  it('gets what is left first', async () => {
    const { url } = await serve()
    const id = await publish(url, 'a', '1')
    await publish(url, 'a', '2', '&end')
    const client = await listen(at(url, 'topic=a'), { 'Last-Event-ID': id })
    await client.until(({ ended }) => ended)
    expect([client.status, client.data]).toEqual([200, ['2']])
  })

  it('gets 204 with empty=skip if there is nothing to replay, and a stream otherwise', async () => {
    const { url } = await serve()
    await publish(url, 'other', 'x')
    const query = 'topic=a&last_event_id=earliest&empty=skip'
    expect((await ask(at(url, query))).status).toBe(204)
    expect((await ask(at(url, query), { method: 'HEAD' })).status).toBe(204)
    const id = await publish(url, 'a', 'one')
    const client = await listen(at(url, query))
    expect(await client.received(1)).toEqual(['one'])
    const after = `topic=a&empty=skip&last_event_id=${encodeURIComponent(id)}`
    expect((await ask(at(url, after))).status).toBe(204)
    // A gap is something to report.
    const gap = await listen(at(url, 'topic=b&empty=skip&last_event_id=unknown'))
    await gap.until(({ events }) => events[0]?.event === 'tidings:gap')
    await publish(url, 'a', 'two', '&end')
    await client.until(({ ended }) => ended)
    const replayed = await listen(at(url, query))
    await replayed.until(({ ended }) => ended)
    expect(replayed.data).toEqual(['one', 'two'])
    expect((await ask(at(url, 'topic=a&empty=yes'))).status).toBe(400)
  })

  it('gets 204 in spite of history with ended=skip', async () => {
    const { url } = await serve()
    await publish(url, 'a', '1', '&end')
    expect((await ask(at(url, 'topic=a&last=10&ended=skip'))).status).toBe(204)
    const bad = await ask(at(url, 'ended=yes'), { headers: { Accept: 'application/json' } })
    expect([bad.status, bad.json()]).toMatchObject([400, { error: { code: 'ended_invalid' } }])
  })

  it('waits for a topic that was never published to, and for one that was reopened', async () => {
    const { url } = await serve()
    await publish(url, 'a', '1', '&end')
    await publish(url, 'a', '2')
    const never = await listen(at(url, 'topic=never&topic=a'))
    const reopened = await listen(at(url, 'topic=a&ended=skip'))
    expect([never.status, reopened.status]).toEqual([200, 200])
    await publish(url, 'a', '3', '&end')
    await reopened.until(({ ended }) => ended)
    expect(reopened.data).toEqual(['3'])
    expect(never.ended).toBe(false)
  })

  it('gets the gap before the stream ends', async () => {
    const { url } = await serve({ log: new MemoryLog({ entries: 2 }) })
    const id = await publish(url, 'a', '1')
    for (const data of ['2', '3']) await publish(url, 'a', data)
    await publish(url, 'a', '4', '&end')
    const client = await listen(at(url, 'topic=a'), { 'Last-Event-ID': id })
    await client.until(({ ended }) => ended)
    expect(client.events.map(({ event }) => event)).toEqual(['tidings:gap', undefined, undefined])
    const unknown = await listen(at(url, 'topic=a'), { 'Last-Event-ID': 'unknown' })
    await unknown.until(({ ended }) => ended)
    expect(unknown.events.map(({ event }) => event)).toEqual(['tidings:gap'])
  })
})

describe('gap=close', () => {
  it('answers 410 with the gap as JSON instead of a stream with a gap', async () => {
    const { hub, url } = await serve({ log: new MemoryLog({ entries: 2 }) })
    const id = await publish(url, 'a', '1')
    for (const data of ['2', '3', '4']) await publish(url, 'a', data)
    const answer = await ask(at(url, 'topic=a&gap=close'), { headers: { 'Last-Event-ID': id } })
    expect([answer.status, answer.headers['content-type']]).toEqual([410, 'application/json'])
    const resumedAfter = `#${hub.status.epoch}-2`
    expect(answer.json()).toMatchObject({ requested: id, resumedAfter, reason: 'trimmed', error: { code: 'gap' } })
    const stale = await ask(at(url, 'gap=close&last_event_id=%23other-1'))
    expect([stale.status, stale.json()]).toMatchObject([410, { reason: 'epoch' }])
  })

  it('changes nothing for a stream without a gap', async () => {
    const { url } = await serve()
    const id = await publish(url, 'a', '1')
    const client = await listen(at(url, 'topic=a&gap=close'), { 'Last-Event-ID': id })
    expect(client.status).toBe(200)
    expect((await ask(at(url, 'gap=open'))).status).toBe(400)
  })
})

describe('a private end', () => {
  const server = serverWith('--anonymous')

  it.each(dialects)('closes the streams of those who may read it, with tokens of %s', async (dialect) => {
    const topic = `https://example.com/private/${dialect}`
    const body = form({ topic, data: 'x', private: 'on', end: 'on' })
    const headers = bearer(await token(dialect, { publish: ['*'], key: keys.publish }))
    const reader = bearer(await token(dialect, { subscribe: ['*'], key: keys.subscribe }))
    const url = at(server.url, form({ topic }))
    const [may, mayNot] = [await listen(url, reader), await listen(url)]
    const type = { 'Content-Type': 'application/x-www-form-urlencoded' }
    const answer = await ask(`${server.url}/.well-known/mercure`, {
      method: 'POST',
      body,
      headers: { ...headers, ...type }
    })
    expect(answer.status).toBe(200)
    await may.until(({ ended }) => ended)
    expect((await ask(url, { headers: reader })).status).toBe(204)
    // Those who may not read it do not learn that the topic has ended.
    expect((await listen(url)).status).toBe(200)
    expect(mayNot.ended).toBe(false)
  })
})
