// Changing a live stream with PATCH: what is accepted, what is refused, and what the stream contains then.
import { createServer } from 'node:http'
import { connect } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import * as fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createHandler, createHub, MemoryLog } from '../../dist/index.js'
import { legacy, now, secret, sign } from '../support/auth/tokens.ts'
import { confirmationOf, openControlled, patchTo, updatesOf } from '../support/http/control.ts'
import { ask, listenUntilDone, serve } from '../support/http/http.ts'
import { listen } from '../support/http/sse-client.ts'
import { seed } from '../support/random.ts'

const numbers = (count: number) => Array.from({ length: count }, (_, at) => at)
const keyed = { publisherKey: secret, subscriberKey: secret }

async function begin(query = 'topic=a', ...[hubOptions, handlerOptions]: Parameters<typeof serve>) {
  const served = await serve(hubOptions, handlerOptions)
  const publish = (data: string, topics = ['a'], more = {}) => served.hub.publish({ topics, data, ...more })
  return { ...served, publish, ...(await openControlled(served.url, query)) }
}

describe('the opening of a stream with control=1', () => {
  it('is an event with a control URL below the mount, and the position as its id', async () => {
    const { client, hub } = await begin()
    const id = `#${hub.status.epoch}-0`
    expect(client.raw).toMatch(
      /^:\nevent: tidings:open\nid: \S+\ndata: \{"control":"control\/[\w-]+\.[\w-]{32}","heartbeat":15000,"live":true\}\n\n$/
    )
    expect(client.events[0]?.id).toBe(id)
  })

  it('comes before a gap, and when a stream resumes', async () => {
    const { hub, url, publish } = await begin('', { log: new MemoryLog({ entries: 3 }) })
    for (const number of numbers(6)) await publish(String(number))
    const { epoch } = hub.status
    const { client } = await openControlled(url, '', { 'Last-Event-ID': `#${epoch}-1` })
    await client.until(({ events }) => events.length === 6)
    expect(client.events.map(({ event }) => event)).toEqual([
      'tidings:open',
      'tidings:gap',
      ...numbers(3).map(() => undefined),
      'tidings:live'
    ])
    const resumed = await openControlled(url, '', { 'Last-Event-ID': `#${epoch}-5` })
    await resumed.client.until(({ events }) => events.length === 3)
    expect(resumed.client.events[0]?.id).toBe(`#${epoch}-5`)
    expect(updatesOf(resumed.client)).toEqual(['5'])
  })

  it('has another secret for each stream', async () => {
    const { url, control } = await begin()
    const others = await Promise.all(numbers(20).map(() => openControlled(url)))
    expect(new Set([control, ...others.map((one) => one.control)]).size).toBe(21)
  })

  it('is right behind a mount', async () => {
    const hub = createHub()
    const port = await listenUntilDone(createServer(createHandler(hub, { basePath: '/events' })), hub)
    const { control, change } = await openControlled(`http://127.0.0.1:${port}/events`)
    expect(new URL(control).pathname).toMatch(/^\/events\/control\//)
    expect(await change({ add: ['x'] })).toMatchObject({ event: 'tidings:changed', topics: ['*', 'x'] })
  })

  it('is not sent without the parameter, on HEAD, and by Mercure', async () => {
    const { url } = await serve()
    const plain = await listen(`${url}/subscribe`)
    await plain.until(({ raw }) => raw.includes('id:'))
    expect(plain.raw).not.toContain('control')
    expect((await ask(`${url}/subscribe?control=1`, { method: 'HEAD' })).status).toBe(200)
    const mercure = await listen(`${url}/.well-known/mercure?topic=a&control=1`)
    await mercure.until(({ raw }) => raw !== '')
    expect(mercure.raw).toBe(':\n')
  })

  it.each(['0', '', 'true', '2', '1&control=1'])('refuses control=%s', async (value) => {
    const { url } = await serve()
    const answer = await ask(`${url}/subscribe?control=${value}`)
    expect([answer.status, answer.headers['content-type']]).toEqual([400, 'text/plain; charset=utf-8'])
  })
})

describe('PATCH', () => {
  it('adds and removes selectors without a reconnect, at an exact position', async () => {
    const { client, change, publish, hub } = await begin()
    await publish('a1')
    await publish('b1', ['b'])
    const { epoch } = hub.status
    const added = await change({ add: ['b', 'c/{id}'] })
    expect(added).toMatchObject({ event: 'tidings:changed', topics: ['a', 'b', 'c/{id}'], lastEventId: `#${epoch}-2` })
    expect(added.id).toBe(added.lastEventId)
    for (const [data, topic] of [
      ['a2', 'a'],
      ['b2', 'b'],
      ['c2', 'c/7'],
      ['d2', 'd']
    ] as const)
      await publish(data, [topic])
    expect(await change({ remove: ['a', 'not there'] })).toMatchObject({
      topics: ['b', 'c/{id}'],
      lastEventId: `#${epoch}-6`
    })
    for (const [data, topic] of [
      ['a3', 'a'],
      ['b3', 'b']
    ] as const)
      await publish(data, [topic])
    await client.until(() => updatesOf(client).length === 5)
    expect(updatesOf(client)).toEqual(['a1', 'a2', 'b2', 'c2', 'b3'])
  })

  it('answers 202 with text, which names no secret', async () => {
    const { patch, control } = await begin()
    const answer = await patch({ add: ['b'] })
    expect(answer).toMatchObject({ status: 202, text: 'The change is accepted; the stream will confirm it.\n' })
    expect(JSON.stringify(answer.headers)).not.toContain(control.split('.').at(-1))
  })

  it('replays added topics in order, without an id field, and without what the stream has delivered', async () => {
    const { client, change, publish, hub } = await begin('topic=a&envelope=json')
    const topicsOf = [['a'], ['b'], ['a', 'b'], ['b', 'c']]
    for (const number of numbers(8)) await publish(String(number), topicsOf[number % 4])
    const { epoch } = hub.status
    expect(await change({ add: ['b'], from: `#${epoch}-2` })).toMatchObject({ lastEventId: `#${epoch}-8` })
    await publish('8', ['b'])
    await client.until(() => updatesOf(client).length === 8)
    const seen = client.events.filter(({ event }) => event === undefined)
    expect(seen.map(({ data }) => JSON.parse(data).data)).toEqual(['0', '2', '4', '6', '3', '5', '7', '8'])
    const withId = (id: string | undefined) => id !== undefined
    expect(seen.map(({ id }) => withId(id))).toEqual([true, true, true, true, false, false, false, true])
    expect(JSON.parse(seen[5]?.data as string).id).toBe(`#${epoch}-6`)
    // The order of the stream: all of the replay, then the confirmation.
    const kinds = client.events.map(({ event = 'message', id }) => (id === undefined ? 'replay' : event))
    expect(kinds.slice(5, 10)).toEqual(['replay', 'replay', 'replay', 'tidings:changed', 'message'])
  })

  it('replays a topic again that was removed meanwhile, and the older part of one that it has', async () => {
    const { change, client, publish } = await begin()
    for (const number of numbers(4)) await publish(String(number), ['b'])
    await change({ add: ['b'] })
    await publish('4', ['b'])
    await change({ add: ['b'], from: 'earliest' })
    await client.until(() => updatesOf(client).length === 5)
    expect(updatesOf(client)).toEqual(['4', '0', '1', '2', '3'])
    await change({ add: ['b'], from: 'earliest' })
    await change({ remove: ['b'] })
    await change({ add: ['b'], from: 'earliest' })
    expect(updatesOf(client).slice(5)).toEqual(['0', '1', '2', '3', '4'])
  })

  it('loses nothing when the client is cut within a replay, resumes, and repeats the change', async () => {
    const { url, publish, client, patch, hub } = await begin('topic=a&envelope=json', {}, { highWaterMark: 1 })
    const text = 'x'.repeat(10_000)
    await hub.publishAll(
      numbers(2_000).map((number) => ({ topics: [number % 4 ? 'b' : 'a'], data: `${number} ${text}` }))
    )
    await client.until(() => updatesOf(client).length === 500)
    client.pause()
    expect((await patch({ add: ['b'], from: 'earliest' })).status).toBe(202)
    const [subscriber] = hub.subscribers
    await expect.poll(() => subscriber?.connection.buffered).toBeGreaterThan(0)
    await publish('meanwhile', ['a'])
    client.resume()
    await client.until(({ events }) => events.length > 600)
    client.close()
    expect(client.events.some(({ event }) => event === 'tidings:changed')).toBe(false)
    // What a browser has as its last event id: that of the newest event with one.
    const last = client.events.findLast(({ id }) => id !== undefined)?.id as string
    expect(last).toBe(`#${hub.status.epoch}-${(1_997).toString(36)}`)
    const next = await openControlled(url, 'topic=a&envelope=json', { 'Last-Event-ID': last })
    await next.client.until(() => updatesOf(next.client).length === 1)
    await next.change({ add: ['b'], from: 'earliest' })
    const numberOf = (data: string) => JSON.parse(data).data.split(' ')[0]
    const [first, ...replayed] = updatesOf(next.client).map(numberOf)
    expect(first).toBe('meanwhile')
    expect(replayed).toEqual(
      numbers(2_000)
        .filter((number) => number % 4 > 0)
        .map(String)
    )
  })

  it('reports what is missing of a replay', async () => {
    const { change, client, publish, hub } = await begin('topic=z', { log: new MemoryLog({ entries: 3 }) })
    for (const number of numbers(6)) await publish(String(number), ['a'])
    const { epoch } = hub.status
    const head = `#${epoch}-6`
    const trimmed = await change({ add: ['a'], from: `#${epoch}-1` })
    expect(trimmed.gap).toEqual({ requested: `#${epoch}-1`, resumedAfter: `#${epoch}-3`, reason: 'trimmed' })
    expect(updatesOf(client)).toEqual(['3', '4', '5'])
    await change({ remove: ['a'] })
    const unknown = await change({ add: ['a'], from: 'nobody' })
    expect(unknown.gap).toEqual({ requested: 'nobody', resumedAfter: head, reason: 'unknown' })
    await change({ remove: ['a'] })
    const old = await change({ add: ['a'], from: '#old-1' })
    expect(old.gap).toEqual({ requested: '#old-1', resumedAfter: `#${epoch}-3`, reason: 'epoch' })
    await change({ remove: ['a'] })
    expect((await change({ add: ['a'], from: 'earliest' })).gap).toBeUndefined()
    expect(updatesOf(client)).toEqual(['3', '4', '5', '3', '4', '5', '3', '4', '5'])
  })

  it.each([
    ['no JSON', '{', 'change_invalid'],
    ['a list', [], 'change_invalid'],
    ['null', 'null', 'change_invalid'],
    ['nothing', {}, 'change_invalid'],
    ['empty lists', { add: [], remove: [] }, 'change_invalid'],
    ['an unknown member', { add: ['b'], topics: ['c'] }, 'change_invalid'],
    ['a text instead of a list', { add: 'b' }, 'change_invalid'],
    ['a number in a list', { remove: [1] }, 'change_invalid'],
    ['null instead of a text', { add: ['b'], from: null }, 'change_invalid'],
    ['the same selector twice', { add: ['b'], remove: ['b'] }, 'change_invalid'],
    ['from with nothing to add', { remove: ['a'], from: 'earliest' }, 'change_invalid'],
    ['an empty from', { add: ['b'], from: '' }, 'last_event_id_invalid'],
    ['a from with a control character', { add: ['b'], from: 'x\n' }, 'last_event_id_invalid'],
    ['an empty selector', { add: [''] }, 'selector_invalid'],
    ['a control character', { add: ['\0'] }, 'selector_invalid'],
    ['a long selector', { add: ['x'.repeat(4_097)] }, 'selector_invalid'],
    ['too many selectors', { add: numbers(1_001).map(String) }, 'selectors_too_many'],
    ['too many variables', { add: numbers(201).map((number) => `${number}/{x}`) }, 'selectors_too_many'],
    ['a token without keys', { token: 'x' }, 'change_invalid']
  ])('refuses %s', async (_, body, code) => {
    const { patch, client, change } = await begin()
    const answer = await patch(body, { Accept: 'application/json' })
    expect([answer.status, (answer.json() as { error: { code: string } }).error.code]).toEqual([400, code])
    expect(await change({ add: ['b'] })).toMatchObject({ topics: ['a', 'b'] })
    expect(client.events).toHaveLength(2)
  })

  it('refuses other bodies, parameters and methods', async () => {
    const { patch, control } = await begin('topic=a', {}, { maxBody: 100 })
    expect((await patch({ add: ['x'.repeat(100)] })).status).toBe(413)
    const { patch: patchLarge } = await begin()
    expect((await patchLarge(' '.repeat(256 * 1_024 + 1))).text).toContain('the limit is 262144 bytes')
    expect((await patch({ add: ['b'] }, { 'Content-Type': 'text/plain' })).status).toBe(415)
    expect((await patch(Buffer.from([0x7b, 0xff, 0x7d]))).status).toBe(400)
    expect((await patchTo(`${control}?topic=b`, { add: ['b'] })).status).toBe(400)
    const other = await ask(control)
    expect([other.status, other.headers.allow]).toEqual([405, 'PATCH'])
    expect((await ask(control.replace('/control/', '/subscribe/'), { method: 'PATCH' })).status).toBe(404)
  })

  it('responds 404 for streams that are unknown, have ended, or are on another hub', async () => {
    const { patch, control, client, hub } = await begin()
    const other = await begin()
    const elsewhere = new URL(new URL(other.control).pathname, control).href
    const wrong = `${control.slice(0, -1)}${control.endsWith('x') ? 'y' : 'x'}`
    for (const url of [wrong, elsewhere, `${control}x`, `${control}/`, new URL('/control/', control).href]) {
      expect((await patchTo(url, { add: ['b'] })).status, url).toBe(404)
    }
    expect((await patch({ add: ['b'] })).status).toBe(202)
    client.close()
    await expect.poll(() => hub.status.subscribers).toBe(0)
    expect((await patch({ add: ['b'] })).status).toBe(404)
  })

  it('refuses in the stream what does not fit it, and changes nothing then', async () => {
    const { change, client, publish } = await begin()
    expect(await change({ remove: ['a'] })).toMatchObject({ event: 'tidings:refused', code: 'selector_missing' })
    expect(await change({ add: numbers(999).map((number) => `x${number}`) })).toMatchObject({
      event: 'tidings:changed'
    })
    expect(await change({ add: ['b'] })).toMatchObject({ event: 'tidings:refused', code: 'selectors_too_many' })
    await change({ remove: numbers(999).map((number) => `x${number}`) })
    await change({ add: numbers(200).map((number) => `x/${number}/{y}`) })
    expect(await change({ add: ['x/{y}'] })).toMatchObject({ event: 'tidings:refused', code: 'selectors_too_many' })
    await publish('still')
    await client.until(() => updatesOf(client).length === 1)
  })

  it('confirms concurrent requests in the order of their acceptance', async () => {
    const { patch, client, publish } = await begin()
    const answers = await Promise.all(numbers(10).map((number) => patch({ add: [`n${number}`], from: 'earliest' })))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]))
    await Promise.all(answers.map(({ headers }) => confirmationOf(client, String(headers['x-request-id']))))
    const topics = client.events.slice(1).map(({ data }) => JSON.parse(data).topics as string[])
    for (const [at, list] of topics.entries()) expect(list).toHaveLength(at + 2)
    await publish('last', ['n9'])
    await client.until(() => updatesOf(client).length === 1)
  })

  it('waits for a slow client, and refuses more than sixteen changes that wait', async () => {
    const { patch, client, publish, hub } = await begin('topic=a', {}, { highWaterMark: 1 })
    client.pause()
    const data = 'x'.repeat(500_000)
    const [subscriber] = hub.subscribers
    for (let count = 0; subscriber?.connection.buffered === 0 && count < 100; count++) await publish(data)
    await expect.poll(() => subscriber?.connection.buffered).toBeGreaterThan(0)
    await publish('early', ['n15'])
    const statuses: number[] = []
    for (const number of numbers(18)) statuses.push((await patch({ add: [`n${number}`] })).status)
    expect(statuses).toEqual([...numbers(16).map(() => 202), 429, 429])
    expect(subscriber?.selectors).toEqual(['a'])
    await publish('late', ['n15'])
    client.resume()
    await client.until(({ events }) => events.filter(({ event }) => event === 'tidings:changed').length === 16)
    await publish('new', ['n15'])
    await client.until(() => updatesOf(client).at(-1) === 'new')
    expect(updatesOf(client).filter((text) => text !== data)).toEqual(['late', 'new'])
  })

  it('counts towards the publish rate', async () => {
    const { patch } = await begin('topic=a', {}, { publishRate: 2 })
    const since = performance.now()
    const statuses = (await Promise.all(numbers(15).map(() => patch({ add: ['b'] })))).map(({ status }) => status)
    const seconds = (performance.now() - since) / 1_000
    const accepted = statuses.filter((status) => status === 202).length
    expect(accepted).toBeGreaterThanOrEqual(2)
    expect(accepted).toBeLessThanOrEqual(2 + 2 * seconds)
    expect(new Set(statuses)).toEqual(new Set([202, 429]))
  })

  it('works on HTTP/2', async () => {
    const { createServer: createHttp2 } = await import('node:http2')
    const hub = createHub()
    const server = createHttp2(createHandler(hub) as never)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    onTestFinished(async () => {
      session.destroy()
      await hub.close()
      server.close()
    })
    const stream = session.request({ ':path': '/subscribe?topic=a&control=1' })
    let text = ''
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    await expect.poll(() => text).toContain('tidings:open')
    const path = `/${JSON.parse(/data: (.*)/.exec(text)?.[1] as string).control}`
    const patch = session.request({ ':path': path, ':method': 'PATCH', 'content-type': 'application/json' })
    const status = new Promise((resolve) => patch.on('response', (headers) => resolve(headers[':status'])))
    patch.end(JSON.stringify({ add: ['b'] }))
    expect(await status).toBe(202)
    await hub.publish({ topics: ['b'], data: 'hello' })
    await expect.poll(() => text).toContain('data: hello')
  })

  it('allows the preflight of a page that may read responses, and needs no cookie', async () => {
    const { control, patch } = await begin(
      'topic=a',
      {},
      { ...keyed, anonymous: true, corsOrigins: ['https://app.example'] }
    )
    const origin = { Origin: 'https://app.example' }
    const asked = { 'Access-Control-Request-Method': 'PATCH', 'Access-Control-Request-Headers': 'content-type' }
    const preflight = await ask(control, { method: 'OPTIONS', headers: { ...origin, ...asked } })
    expect(preflight).toMatchObject({
      status: 204,
      headers: { 'access-control-allow-methods': 'PATCH', 'access-control-allow-origin': 'https://app.example' }
    })
    expect(preflight.headers['access-control-allow-headers']).toContain('Content-Type')
    expect((await patch({ add: ['b'] }, origin)).headers['access-control-allow-origin']).toBe('https://app.example')
  })

  it(`answers every body, and stays usable (seed ${seed})`, async () => {
    console.log(`seed ${seed}`)
    const { patch, change, hub } = await begin()
    const text = fc.oneof(
      fc.constantFrom('a', '*', 'c/{id}', '{', '', 'earliest', '#x-1'),
      fc.string({ unit: 'binary' })
    )
    const list = fc.oneof(fc.array(text, { maxLength: 5 }), fc.jsonValue())
    const members = {
      add: list,
      remove: list,
      from: fc.oneof(text, fc.jsonValue()),
      token: text,
      other: fc.jsonValue()
    }
    const shaped = fc.record(members, { requiredKeys: [] })
    const rare = { add: list, remove: list, from: text }
    const body = fc.oneof(shaped, fc.record(rare, { requiredKeys: [] }), fc.jsonValue(), fc.string(), fc.uint8Array())
    const property = fc.asyncProperty(body, async (value) => {
      const answer = await patch(value instanceof Uint8Array ? Buffer.from(value) : value)
      expect([202, 400, 429]).toContain(answer.status)
    })
    await fc.assert(property, { numRuns: 400, seed })
    await change({ add: ['end'] })
    expect(hub.status.subscribers).toBe(1)
  })
})

describe('a fresh token', () => {
  const reading = (topics: string[], claims: Record<string, unknown> = {}) =>
    sign({ mercure: { subscribe: topics }, ...claims })
  const beginAs = async (token: string, query = 'topic=a&topic=b') => {
    const served = await serve({}, keyed)
    const publish = (data: string, topic: string) => served.hub.publish({ topics: [topic], data, private: true })
    const headers = { Authorization: `Bearer ${token}` }
    return { ...served, publish, ...(await openControlled(served.url, query, headers)) }
  }

  it('extends the rights from its confirmation on, with a replay only on request', async () => {
    const { publish, change, client } = await beginAs(await reading(['a']))
    for (const topic of ['a', 'b', 'c']) await publish(`${topic}1`, topic)
    await change({ token: await reading(['a', 'b', 'c']) })
    for (const topic of ['a', 'b']) await publish(`${topic}2`, topic)
    await client.until(() => updatesOf(client).length === 3)
    expect(updatesOf(client)).toEqual(['a1', 'a2', 'b2'])
    await change({ token: await reading(['a', 'b', 'c']), from: 'earliest' })
    expect(updatesOf(client).slice(3)).toEqual(['b1'])
    await change({ token: await reading(['a', 'b', 'c']), from: 'earliest', add: ['c'] })
    expect(updatesOf(client).slice(4)).toEqual(['c1'])
  })

  it('narrows them: nothing after the confirmation is private of other topics', async () => {
    const { publish, change, client } = await beginAs(await reading(['*']))
    const publishing = numbers(50).map((number) => publish(String(number), number % 2 ? 'a' : 'b'))
    await change({ token: await reading(['a']) })
    await Promise.all(publishing)
    await publish('not', 'b')
    await publish('end', 'a')
    await client.until(() => updatesOf(client).at(-1) === 'end')
    const at = client.events.findIndex(({ event }) => event === 'tidings:changed')
    expect(client.events.slice(at + 1).filter(({ data }) => Number(data) % 2 === 0 || data === 'not')).toEqual([])
  })

  it('extends the time, and shortens it', async () => {
    const exp = now() + 5
    const { change, client, publish } = await beginAs(await reading(['a'], { exp }))
    await change({ token: await reading(['a'], { exp: exp + 60 }) })
    await sleep(exp * 1_000 + 200 - Date.now())
    await publish('alive', 'a')
    await client.until(() => updatesOf(client).length === 1)
    await change({ token: await reading(['a'], { exp: now() + 4 }) })
    await client.until(({ ended }) => ended)
  })

  it('must be valid, or the request gets 401', async () => {
    const { patch, client } = await beginAs(await reading(['a']))
    const bad = [
      'x.y.z',
      await reading(['a'], { exp: now() - 1 }),
      await sign({}, { key: 'another secret, which is long enough' })
    ]
    for (const token of bad) {
      const answer = await patch({ token, add: ['c'] }, { Accept: 'application/json' })
      expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, 'Bearer error="invalid_token"'])
    }
    expect((await patch({ token: 'no token' })).status).toBe(400)
    expect(client.events).toHaveLength(1)
  })

  it('must have the subject of the stream', async () => {
    const { change, publish, client } = await beginAs(await reading(['a'], { sub: 'ann' }))
    const refused = { event: 'tidings:refused', code: 'subject_changed' }
    expect(await change({ token: await reading(['*'], { sub: 'bob' }), add: ['c'] })).toMatchObject(refused)
    expect(await change({ token: await reading(['*']) })).toMatchObject(refused)
    await publish('not', 'b')
    expect(await change({ token: await reading(['*'], { sub: 'ann' }) })).toMatchObject({ event: 'tidings:changed' })
    await publish('b', 'b')
    await client.until(() => updatesOf(client).length === 1)
    expect(updatesOf(client)).toEqual(['b'])
  })

  it('gives its subject to a stream without one', async () => {
    const { change } = await beginAs(await legacy({ subscribe: [] }))
    await change({ token: await reading(['a'], { sub: 'ann' }) })
    expect(await change({ token: await reading(['a'], { sub: 'bob' }) })).toMatchObject({ code: 'subject_changed' })
  })

  it('is the only authority besides the URL: the header of the request is ignored', async () => {
    const { patch, change } = await beginAs(await reading(['a']))
    expect(
      (await patch({ add: ['c'] }, { Authorization: 'Bearer nonsense', Cookie: 'mercureAuthorization=x' })).status
    ).toBe(202)
    expect(await change({ add: ['d'] })).toMatchObject({ topics: ['a', 'b', 'c', 'd'] })
  })
})

describe('the authorizing application', () => {
  it('is asked for added topics, with the subject of the stream', async () => {
    const questions: Record<string, unknown>[] = []
    const application = createServer((request, response) => {
      let text = ''
      request.on('data', (chunk) => {
        text += chunk
      })
      request.on('end', () => {
        const question = JSON.parse(text)
        questions.push(question)
        const isAllowed = !question.topics.includes('forbidden')
        response.writeHead(isAllowed ? 200 : 403, { 'Content-Type': 'application/json' })
        response.end(JSON.stringify({ readable: question.topics }))
      })
    })
    await new Promise<void>((resolve) => application.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void application.close())
    const authorize = `http://127.0.0.1:${(application.address() as AddressInfo).port}/`
    const { url, hub } = await serve({}, { ...keyed, authorize })
    const token = await sign({ mercure: { subscribe: [] }, sub: 'ann' })
    const { change, patch, client, control } = await openControlled(url, 'topic=a', {
      Authorization: `Bearer ${token}`
    })
    expect((await patch({ add: ['forbidden'] })).status).toBe(403)
    await change({ add: ['b'] })
    await change({ remove: ['a'] })
    await hub.publish({ topics: ['b'], data: 'secret', private: true })
    await client.until(() => updatesOf(client).length === 1)
    const asked = { action: 'subscribe', subject: 'ann' }
    expect(questions.map(({ topics, action, subject }) => ({ topics, action, subject }))).toEqual(
      [['a'], ['forbidden'], ['b']].map((topics) => ({ topics, ...asked }))
    )
    expect((await patchTo(`${control.slice(0, -5)}aaaaa`, { add: ['b'] })).status).toBe(404)
    expect(questions).toHaveLength(3)
  })
})
