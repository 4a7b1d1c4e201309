// `/updates`: history as JSON pages, long polling, conditional requests, and deletion.
import { request as httpRequest } from 'node:http'
import { describe, expect, it } from 'vitest'
import { type HandlerOptions, type HubOptions, MemoryLog } from '../../dist/index.js'
import { type Answer, ask, post, serve } from '../support/http/http.ts'
import { bearer, dialects, form, keys, serverWith, token } from '../support/http/mercure.ts'
import { listen } from '../support/http/sse-client.ts'

interface Page {
  readonly updates: readonly { readonly data: string; readonly id: string; readonly type: string }[]
  readonly lastEventId: string
  readonly gap: { readonly reason: string; readonly requested: string; readonly resumedAfter: string } | null
  readonly more: boolean
  readonly ended: boolean
}

const pageOf = (answer: Answer) => {
  expect(answer.status).toBe(200)
  return answer.json() as Page
}
const get = async (url: string, query = '') => pageOf(await ask(`${url}/updates${query && `?${query}`}`))
const dataOf = ({ updates }: Page) => updates.map(({ data }) => data)
const publish = async (url: string, topic: string, ...texts: string[]) => {
  for (const text of texts) await post(`${url}/publish?topic=${topic}`, text)
}
const afterId = (id: string) => `after=${encodeURIComponent(id)}`
const json = { Accept: 'application/json' }

/** A hub with fifteen updates of two topics: `a` has the even ones. */
const serveNumbers = async (hubOptions: HubOptions = {}, options: HandlerOptions = {}) => {
  const served = await serve(hubOptions, options)
  for (let number = 1; number <= 15; number++) await publish(served.url, number % 2 === 0 ? 'a' : 'b', String(number))
  return { ...served, id: (offset: number) => `#${served.hub.status.epoch}-${offset.toString(36)}` }
}

describe('GET /updates', () => {
  it('returns the envelopes of a page, and the id after which the next continues', async () => {
    const { url, id } = await serveNumbers()
    const page = await get(url, 'topic=a&after=earliest&limit=3')
    expect(page).toMatchObject({ lastEventId: id(6), gap: null, more: true, ended: false })
    expect(page.updates[0]).toMatchObject({ topic: 'a', topics: ['a'], id: id(2), type: 'message', data: '2' })
    const next = await get(url, `topic=a&limit=3&${afterId(page.lastEventId)}`)
    const last = await get(url, `topic=a&limit=3&${afterId(next.lastEventId)}`)
    expect([dataOf(page), dataOf(next), dataOf(last)]).toEqual([['2', '4', '6'], ['8', '10', '12'], ['14']])
    expect([next.more, last.more, last.lastEventId]).toEqual([true, false, id(15)])
  })

  it('says that there is no further page when the page is exactly full', async () => {
    const { url, id } = await serveNumbers()
    expect(await get(url, 'topic=a&after=earliest&limit=7')).toMatchObject({ more: false, lastEventId: id(15) })
    expect(await get(url, 'topic=a&after=earliest&limit=6')).toMatchObject({ more: true, lastEventId: id(12) })
  })

  it('takes the same selectors and positions as a stream', async () => {
    const { url, id } = await serveNumbers()
    expect(dataOf(await get(url, 'topic=a&topic=b&last=3'))).toEqual(['13', '14', '15'])
    expect(dataOf(await get(url, `${afterId(id(13))}`))).toEqual(['14', '15'])
    expect(dataOf(await get(url, `topic={name}&${afterId(id(14))}`))).toEqual(['15'])
    expect(await get(url)).toEqual({ updates: [], lastEventId: id(15), gap: null, more: false, ended: false })
  })

  it('has the gap of a stream', async () => {
    const { url, id } = await serveNumbers({ log: new MemoryLog({ entries: 5 }) })
    const page = await get(url, afterId(id(3)))
    expect(page.gap).toEqual({ requested: id(3), resumedAfter: id(10), reason: 'trimmed' })
    expect(dataOf(page)).toEqual(['11', '12', '13', '14', '15'])
    expect((await get(url, 'after=nobody')).gap).toMatchObject({ reason: 'unknown' })
    expect((await get(url, 'after=%23x-1')).gap).toMatchObject({ reason: 'epoch' })
  })

  it('says on the last page that all topics have ended', async () => {
    const { url, id } = await serveNumbers()
    await post(`${url}/publish?topic=a&end`, 'end')
    const page = await get(url, 'topic=a&after=earliest&limit=7')
    expect([page.more, page.ended]).toEqual([true, false])
    const last = await get(url, `topic=a&${afterId(page.lastEventId)}&wait=30s`)
    expect(last).toMatchObject({ updates: [{ data: 'end', end: true }], ended: true, lastEventId: id(16) })
    // Nothing can arrive, so it does not wait.
    expect(await get(url, `topic=a&${afterId(last.lastEventId)}&wait=30s`)).toMatchObject({ updates: [], ended: true })
  })

  it('does not block others while it searches a long history', async () => {
    const { hub, url } = await serve({ log: new MemoryLog({ entries: 500_000 }) })
    for (let batch = 0; batch < 30; batch++) {
      await hub.publishAll(Array.from({ length: 10_000 }, () => ({ topics: ['a/1'], data: 'x' })))
    }
    let turns = 0
    let isDone = false
    const count = (): void => {
      turns++
      if (!isDone) setImmediate(count)
    }
    setImmediate(count)
    expect(await get(url, 'topic=b/{id}&after=earliest')).toMatchObject({ updates: [], more: false })
    isDone = true
    // 300,000 entries are at least 73 pages.
    expect(turns).toBeGreaterThan(70)
  })

  it('ends a page at about 1 MiB', async () => {
    const { url } = await serve()
    for (let count = 0; count < 4; count++) await publish(url, 'a', 'x'.repeat(400_000))
    const page = await get(url, 'after=earliest')
    expect([page.updates.length, page.more]).toEqual([3, true])
    expect((await get(url, afterId(page.lastEventId))).updates.length).toBe(1)
  })

  it.each([
    ['limit=0', 'limit_invalid'],
    ['limit=1001', 'limit_invalid'],
    ['limit=ten', 'limit_invalid'],
    ['wait=61s', 'wait_invalid'],
    ['wait=30', 'wait_invalid'],
    ['wait=-1s', 'wait_invalid'],
    ['last=0', 'last_invalid'],
    ['topic=', 'selector_invalid'],
    ['after=a&after=b', 'parameter_repeated'],
    ['envelope=json', 'parameter_unknown']
  ])('refuses %s', async (query, code) => {
    const { url } = await serve()
    const answer = await ask(`${url}/updates?${query}`, { headers: json })
    expect([answer.status, answer.json()]).toMatchObject([400, { error: { code } }])
  })

  it('has an ETag for a complete page, and answers 304 while it is the same', async () => {
    const { url, hub } = await serveNumbers()
    const query = `${url}/updates?after=earliest&limit=5`
    const first = await ask(query)
    const { etag = '' } = first.headers
    expect(first.headers).toMatchObject({ 'cache-control': 'private, no-cache', etag: expect.stringMatching(/^".+"$/) })
    for (const tags of [etag, `"x", W/${etag}`, '*']) {
      const same = await ask(query, { headers: { 'If-None-Match': tags } })
      expect([same.status, same.text, same.headers.etag]).toEqual([304, '', etag])
    }
    await hub.delete({ id: `#${hub.status.epoch}-2` })
    const changed = await ask(query, { headers: { 'If-None-Match': etag } })
    expect(changed.status).toBe(200)
    expect(changed.headers.etag).not.toBe(etag)
  })

  it('does not let the last page be stored, which will grow', async () => {
    const { url } = await serveNumbers()
    const answer = await ask(`${url}/updates?after=earliest`)
    expect([answer.headers['cache-control'], answer.headers.etag]).toEqual(['no-store', undefined])
  })
})

describe('with keys', () => {
  const server = serverWith('--anonymous')

  it.each(dialects)('has the private updates that the token may read, with tokens of %s', async (dialect) => {
    const topic = `https://example.com/history/${dialect}`
    const publisher = bearer(await token(dialect, { publish: ['*'], key: keys.publish }))
    const reader = bearer(await token(dialect, { subscribe: [topic], key: keys.subscribe }))
    const url = `${server.url}/updates?${form({ topic, after: 'earliest' })}`
    const send = (data: string, more = {}) =>
      ask(`${server.url}/publish?${form({ topic, private: 'on', ...more })}`, {
        method: 'POST',
        body: data,
        headers: { ...publisher, 'Content-Type': 'text/plain' }
      })
    await send('one')
    await send('two', { end: 'on' })
    const page = pageOf(await ask(url, { headers: reader }))
    expect([dataOf(page), page.ended]).toEqual([['one', 'two'], true])
    const anonymous = pageOf(await ask(url))
    expect([dataOf(anonymous), anonymous.ended]).toEqual([[], false])
    expect((await ask(url, { headers: bearer('x'.repeat(50)) })).status).toBe(401)
  })

  it('does not wait longer than the token is valid', async () => {
    const topic = 'https://example.com/history/expiring'
    const reader = bearer(await token('0.x', { subscribe: [topic], key: keys.subscribe, expiresIn: 4 }))
    const page = pageOf(await ask(`${server.url}/updates?${form({ topic, wait: '60s' })}`, { headers: reader }))
    expect(page.updates).toEqual([])
  })
})

describe('long polling', () => {
  it('answers as soon as an update arrives', async () => {
    const { url, hub } = await serve()
    const waiting = get(url, 'topic=a&wait=30s')
    await expect.poll(() => hub.status.polls).toBe(1)
    await publish(url, 'b', 'other')
    await publish(url, 'a', 'one')
    expect(dataOf(await waiting)).toEqual(['one'])
    expect(hub.status).toMatchObject({ polls: 0, audiences: 0 })
  })

  it('answers empty after the timeout, with the position of the head', async () => {
    const { url, hub } = await serve()
    const waiting = get(url, 'topic=a&wait=300ms')
    while (hub.status.polls === 0) await new Promise(setImmediate)
    await hub.publish({ topics: ['b'], data: 'other' })
    expect(await waiting).toMatchObject({ updates: [], lastEventId: `#${hub.status.epoch}-1` })
  })

  it('does not wait when there is something, or a gap', async () => {
    const { url } = await serveNumbers()
    expect(dataOf(await get(url, 'last=1&wait=30s'))).toEqual(['15'])
    expect((await get(url, 'after=nobody&wait=30s')).gap).not.toBeNull()
  })

  it('receives everything, in order, while others publish', async () => {
    const { url, hub } = await serve()
    const seen: string[] = []
    const poll = async () => {
      let id = 'earliest'
      while (seen.at(-1) !== 'last') {
        const page = await get(url, `topic=a&limit=7&wait=5s&${afterId(id)}`)
        seen.push(...dataOf(page))
        id = page.lastEventId
      }
    }
    const polling = poll()
    for (let number = 0; number < 300; number++) {
      await hub.publish({ topics: [number % 3 === 0 ? 'a' : 'b'], data: String(number) })
      if (number % 20 === 0) await new Promise(setImmediate)
    }
    await hub.publish({ topics: ['a'], data: 'last' })
    await polling
    expect(seen).toEqual([...Array.from({ length: 100 }, (_, at) => String(at * 3)), 'last'])
  })

  it('is over when the client disconnects, and when the hub stops', async () => {
    const { url, hub } = await serve()
    const gone = httpRequest(`${url}/updates?wait=30s`, { agent: false }).on('error', () => {})
    gone.end()
    await expect.poll(() => hub.status.polls).toBe(1)
    gone.destroy()
    await expect.poll(() => hub.status.polls).toBe(0)
    const waiting = get(url, 'wait=30s')
    await expect.poll(() => hub.status.polls).toBe(1)
    await hub.drain(0)
    expect(await waiting).toMatchObject({ updates: [], more: false })
    expect(hub.status.polls).toBe(0)
  })

  it('is refused at once when the client is revoked', async () => {
    const { url, hub } = await serve()
    const waiting = ask(`${url}/updates?topic=a&wait=30s`, { headers: json })
    await expect.poll(() => hub.status.polls).toBe(1)
    await hub.revoke({ topic: 'b', until: Date.now() + 60_000 })
    await hub.revoke({ address: '127.0.0.1', until: Date.now() + 60_000 })
    const answer = await waiting
    expect([answer.status, answer.json()]).toMatchObject([403, { error: { code: 'revoked' } }])
  })

  it('counts towards the limit of streams', async () => {
    const { url, hub } = await serve({}, { maxConnections: 2, maxConnectionsPerAddress: 2 })
    const waiting = [get(url, 'topic=a&wait=30s'), get(url, 'topic=a&wait=30s')]
    await expect.poll(() => hub.status.polls).toBe(2)
    expect((await ask(`${url}/updates?topic=a`)).status).toBe(503)
    await publish(url, 'a', 'x')
    expect((await Promise.all(waiting)).map(dataOf)).toEqual([['x'], ['x']])
    expect((await ask(`${url}/updates?topic=a`)).status).toBe(200)
  })
})

describe('HEAD', () => {
  it('returns the position from which a page that is rendered now continues', async () => {
    const { url, id } = await serveNumbers()
    for (const path of ['/updates', '/subscribe', '/updates?topic=a', '/subscribe?topic=never']) {
      const answer = await ask(url + path, { method: 'HEAD' })
      expect([answer.status, answer.headers['last-event-id']], path).toEqual([200, id(15)])
    }
    const named = await ask(`${url}/updates?topic=a&last=1`, { method: 'HEAD' })
    expect(named.headers['last-event-id']).toBe(id(13))
    const empty = await serve()
    const head = await ask(`${empty.url}/subscribe`, { method: 'HEAD' })
    expect(head.headers['last-event-id']).toBe(`#${empty.hub.status.epoch}-0`)
    expect((await get(empty.url, afterId(head.headers['last-event-id'] as string))).gap).toBeNull()
  })
})

describe('hub.history', () => {
  it('offers the same in process', async () => {
    const { hub, id } = await serveNumbers()
    const page = await hub.history({ topics: ['a'], lastEventId: 'earliest', limit: 2 })
    expect(page).toMatchObject({ lastEventId: id(4), more: true, ended: false })
    expect(page.updates.map(({ update }) => update.data)).toEqual(['2', '4'])
    const { lastEventId } = hub
    const waiting = hub.history({ topics: ['a'], lastEventId, wait: 30_000 })
    await hub.publish({ topics: ['a'], data: 'new' })
    expect((await waiting).updates.map(({ update }) => update.data)).toEqual(['new'])
    await expect(hub.history({ limit: 0 })).rejects.toMatchObject({ code: 'limit_invalid' })
    const stop = new AbortController()
    const aborted = hub.history({ wait: 30_000 }, stop.signal)
    stop.abort(new Error('enough'))
    await expect(aborted).rejects.toThrow('enough')
  })
})

describe('DELETE', () => {
  const remove = (url: string, path: string, headers: Record<string, string> = {}) =>
    ask(`${url}/updates${path}`, { method: 'DELETE', headers: { ...json, ...headers } })

  it('deletes the updates of topics, tells their streams, and is no gap', async () => {
    const { url, id } = await serveNumbers({}, { allowDelete: true })
    const client = await listen(`${url}/subscribe?topic=a`)
    const other = await listen(`${url}/subscribe?topic=c`)
    const answer = await remove(url, '?topic=a&topic=x')
    expect([answer.status, answer.json(), answer.headers['event-id']]).toEqual([200, { id: id(16) }, id(16)])
    await client.received(1)
    expect(client.events[0]).toMatchObject({ event: 'tidings:deleted', id: id(16) })
    expect(JSON.parse(client.data[0] as string)).toEqual({ topics: ['a', 'x'], through: id(15) })
    const resumed = await get(url, `topic=a&topic=b&${afterId(id(1))}`)
    expect(resumed.gap).toBeNull()
    expect(dataOf(resumed).slice(0, 7)).toEqual(['3', '5', '7', '9', '11', '13', '15'])
    expect(resumed.updates.length).toBe(8)
    expect(other.events).toEqual([])
  })

  it('deletes one update by its id, also by one of the publisher', async () => {
    const { url, id } = await serveNumbers({}, { allowDelete: true })
    await post(`${url}/publish?topic=a&id=mine%2F1`, 'mine')
    await post(`${url}/publish?topic=a&id=mine%2F1`, 'mine again')
    // Twice, since a publisher used the id twice.
    const [encoded, client] = [encodeURIComponent(id(4)), await listen(`${url}/subscribe?topic=a&envelope=json`)]
    expect((await remove(url, `/${encoded}`)).status).toBe(200)
    expect((await remove(url, '/mine%2F1')).status).toBe(200)
    expect((await remove(url, '/mine%2F1')).status).toBe(200)
    await client.received(3)
    expect(client.events.map(({ event }) => event)).toEqual(Array(3).fill('tidings:deleted'))
    expect(client.data.map((data) => JSON.parse(data))).toMatchObject([
      { id: id(4) },
      { id: 'mine/1' },
      { id: 'mine/1' }
    ])
    const left = await get(url, 'topic=a&after=earliest')
    expect(left.updates.filter(({ type }) => type === 'message').map(({ data }) => data)).toEqual([
      '2',
      '6',
      '8',
      '10',
      '12',
      '14'
    ])
    for (const gone of [encoded, 'mine%2F1', 'never', '%23x-1', encodeURIComponent(id(0))]) {
      const answer = await remove(url, `/${gone}`)
      expect([answer.status, answer.json()], gone).toMatchObject([404, { error: { code: 'update_missing' } }])
    }
  })

  it('does not delete the announcements of the hub, by no id', async () => {
    const { hub, url } = await serveNumbers({}, { allowDelete: true })
    await hub.revoke({ jti: 'x' })
    const answer = await remove(url, `/${encodeURIComponent(`#${hub.status.epoch}-g`)}`)
    expect([answer.status, answer.json()]).toMatchObject([403, { error: { code: 'topic_reserved' } }])
  })

  it('announces the deletion of a private topic only to those who may read it, also next to a public one', async () => {
    const { hub, url } = await serve({}, { allowDelete: true })
    await hub.publish({ topics: ['secret'], data: 's', private: true })
    await hub.publish({ topics: ['news'], data: 'n' })
    const client = await listen(`${url}/subscribe?topic=news`)
    expect((await remove(url, '?topic=news&topic=secret')).status).toBe(200)
    await publish(url, 'news', 'next')
    expect(await client.received(1)).toEqual(['next'])
    expect(dataOf(await get(url, 'topic=news&after=earliest'))).toEqual(['next'])
  })

  it('hides deleted updates from streams that are behind', async () => {
    const { url, hub } = await serve({ slowTimeout: 30_000 }, { allowDelete: true, highWaterMark: 1 })
    const client = await listen(`${url}/subscribe?topic=a`)
    client.pause()
    const big = 'x'.repeat(200_000)
    for (let count = 0; count < 40; count++) await publish(url, 'a', big)
    await expect.poll(() => [...hub.subscribers][0]?.state).toBe('behind')
    await publish(url, 'a', 'secret')
    await remove(url, '?topic=a')
    client.resume()
    await client.until(({ events }) => events.at(-1)?.event === 'tidings:deleted')
    expect(client.data).not.toContain('secret')
  })

  it('answers 404 when there is nothing to delete', async () => {
    const { url } = await serve({}, { allowDelete: true })
    expect((await remove(url, '?topic=a')).status).toBe(404)
  })

  it.each([
    ['', 'delete_target_missing'],
    ['?topic=', 'topic_invalid'],
    ['?topic=*', 'topic_invalid'],
    ['?after=x', 'parameter_unknown'],
    ['/x?topic=a', 'parameter_unknown'],
    ['/%ff', 'encoding_invalid']
  ])('refuses DELETE /updates%s', async (path, code) => {
    const { url } = await serve({}, { allowDelete: true })
    const answer = await remove(url, path)
    expect([answer.status, answer.json()]).toMatchObject([400, { error: { code } }])
  })

  it('is off by default, and refused for pages of other origins and for reserved topics', async () => {
    const off = await serveNumbers()
    const refused = await remove(off.url, '?topic=a')
    expect([refused.status, refused.json()]).toMatchObject([403, { error: { code: 'deletion_disabled' } }])
    const { url } = await serveNumbers({}, { allowDelete: true })
    expect((await remove(url, '?topic=a', { Origin: 'https://evil.example' })).status).toBe(403)
    const reserved = await remove(url, '?topic=/.well-known/mercure/subscriptions/x')
    expect([reserved.status, reserved.json()]).toMatchObject([403, { error: { code: 'topic_reserved' } }])
    expect((await get(url, 'after=earliest')).updates.length).toBe(15)
  })

  describe('with keys', () => {
    const server = serverWith('--anonymous', '--allow-delete')

    it.each(dialects)('requires a token that covers every topic of what is deleted, of %s', async (dialect) => {
      const topics = ['a', 'b'].map((name) => `https://example.com/${dialect}/${name}`)
      const all = bearer(await token(dialect, { publish: ['*'], key: keys.publish }))
      const onlyA = bearer(await token(dialect, { publish: topics.slice(0, 1), key: keys.publish }))
      const type = { 'Content-Type': 'text/plain' }
      const send = (topic: readonly string[], data: string) =>
        ask(`${server.url}/publish?${form({ topic, private: 'on' })}`, {
          method: 'POST',
          body: data,
          headers: { ...all, ...type }
        })
      await send(topics.slice(0, 1), 'a')
      const shared = await send(topics, 'a and b')
      const id = encodeURIComponent(shared.headers['event-id'] as string)
      const [a, b] = topics.map((topic) => `?${form({ topic })}`)
      for (const path of [a, b, `/${id}`]) {
        expect((await remove(server.url, path as string)).status, path).toBe(401)
        expect((await remove(server.url, path as string, onlyA)).status, path).toBe(403)
      }
      // Only private updates are deleted, so the announcement, which names the topics, is private too.
      const stranger = await listen(`${server.url}/subscribe?${form({ topic: topics })}`)
      expect((await remove(server.url, `/${id}`, all)).status).toBe(200)
      expect((await remove(server.url, a as string, onlyA)).status).toBe(403)
      expect((await remove(server.url, a as string, all)).status).toBe(200)
      await ask(`${server.url}/publish?${form({ topic: topics })}`, {
        method: 'POST',
        body: 'public',
        headers: { ...all, ...type }
      })
      expect(await stranger.received(1)).toEqual(['public'])
      // The announcement of a topic alone is covered by its grant.
      expect((await remove(server.url, a as string, all)).status).toBe(200)
      await send(topics.slice(0, 1), 'again')
      expect((await remove(server.url, a as string, onlyA)).status).toBe(200)
    })
  })
})
