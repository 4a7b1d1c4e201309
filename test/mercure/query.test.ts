// The QUERY method, with which a client of 1.0 sends selectors in the body, and its content negotiation.
import { connect } from 'node:net'
import { text as readAll } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { ask } from '../support/http/http.ts'
import { form, fresh, hubPath, serverWith } from '../support/http/mercure.ts'
import { publishHistory, reader } from '../support/http/mercure-dialects.ts'
import { listen } from '../support/http/sse-client.ts'

const server = serverWith()
const asForm = 'application/x-www-form-urlencoded'
const useMatch = 'unknown topic matcher query parameter: "topic" (use "match" or "match_urlpattern")\n'

interface Query {
  readonly query?: string
  readonly body?: string
  readonly headers?: Record<string, string>
}

const settle = async ({ query = '', body = '', headers = {} }: Query) => ({
  url: `${server.hub}?${query}`,
  headers: { 'Content-Type': asForm, ...(await reader('1.0')), ...headers },
  how: { method: 'QUERY', body }
})

async function open(query: Query) {
  const { url, headers, how } = await settle(query)
  return listen(url, headers, how)
}

async function refused(query: Query) {
  const { url, headers, how } = await settle(query)
  return ask(url, { headers, ...how })
}

describe('QUERY', () => {
  it('S18: reads the matchers from the body', async () => {
    const [topic, prefix] = [fresh(), fresh()]
    const stream = await open({ body: form({ match: topic, match_urlpattern: `${prefix}/:id` }) })
    await server.publish('1.0', { topic: fresh(), data: 'other' })
    await server.publish('1.0', { topic, data: 'exact' })
    await server.publish('1.0', { topic: `${prefix}/1`, data: 'pattern' })
    expect(await stream.received(2)).toEqual(['exact', 'pattern'])
    expect(stream.raw.startsWith(':\nid: ')).toBe(true)
  })

  it('S18: combines the matchers of the body and the query', async () => {
    const [a, b] = [fresh('a'), fresh('b')]
    const stream = await open({ query: form({ match: a }), body: form({ match: b }) })
    await server.publish('1.0', { topic: a, data: 'a' })
    await server.publish('1.0', { topic: b, data: 'b' })
    expect(await stream.received(2)).toEqual(['a', 'b'])
  })

  it('S18: counts both together', async () => {
    const many = (count: number) => form({ match: Array.from({ length: count }, (_, index) => String(index)) })
    const answer = await refused({ query: many(50), body: many(51) })
    expect(answer).toMatchObject({ status: 400, text: 'too many matchers (max 100)\n' })
    expect((await open({ query: many(50), body: many(50) })).status).toBe(200)
  })

  it('S18: prefers last_event_id in the query to the body, and the header to both', async () => {
    const { topic, ids } = await publishHistory(server, '1.0', ['a', 'b', 'c', 'd'])
    const [a, b, c] = ids.map((id) => form({ last_event_id: id })) as [string, string, string]
    const body = `${form({ match: topic })}&`
    expect(await (await open({ body: body + a })).received(3)).toEqual(['b', 'c', 'd'])
    expect(await (await open({ query: b, body: body + a })).received(2)).toEqual(['c', 'd'])
    const stream = await open({ query: b, body: body + a, headers: { 'Last-Event-ID': ids[2] as string } })
    expect(await stream.received(1)).toEqual(['d'])
    expect(stream.headers['mercure-last-event-id']).toBe(ids[2])
    expect(await (await open({ query: c, body })).received(1)).toEqual(['d'])
  })

  it('S18: an empty last_event_id in the query also takes precedence over the body', async () => {
    const { topic, ids } = await publishHistory(server, '1.0', ['a', 'b'])
    const body = form({ match: topic, last_event_id: ids[0] as string })
    const stream = await open({ query: 'last_event_id=', body })
    expect(stream.headers['mercure-last-event-id']).toBe('earliest')
  })

  it.each([
    ['no content type', { headers: { 'Content-Type': '' } }, 400],
    ['a content type that is none', { headers: { 'Content-Type': 'form' } }, 400],
    ['another content type', { headers: { 'Content-Type': 'application/json' } }, 415],
    ['a body over 1 MiB', { body: form({ match: 'a', padding: 'x'.repeat(2 ** 20) }) }, 413],
    ['a body without a matcher', { body: 'a=b' }, 400, 'missing "match" subscription parameter\n'],
    ['topic in the body', { body: 'topic=a' }, 400, useMatch],
    ['topic in the address', { query: 'topic=a', body: 'match=a' }, 400, useMatch],
    [
      'a body that is not UTF-8',
      { body: 'match=%ff' },
      400,
      'topic matcher values must be valid UTF-8 without control characters\n'
    ],
    ['no token', { body: 'match=a', headers: { Authorization: 'Bearer x' } }, 401]
  ])('S18: %s is rejected', async (_, query: Query, status, text?: string) => {
    const answer = await refused(query)
    expect(answer).toMatchObject({ status, ...(text && { text }) })
    expect(answer.headers['accept-query']).toBe(asForm)
  })

  it('S18: accepts a content type in other letter case, and with parameters', async () => {
    const headers = { 'Content-Type': 'Application/X-WWW-Form-Urlencoded; charset=utf-8' }
    expect((await open({ body: form({ match: fresh() }), headers })).status).toBe(200)
  })
})

describe('the Accept header of a 1.0 client', () => {
  const status = async (method: string, accept: string) => {
    const headers = { ...(await reader('1.0')), Accept: accept, 'Content-Type': asForm }
    const stream = await listen(`${server.hub}?match=a`, headers, { method })
    return stream.status
  }

  it.each([
    'text/html',
    'application/json, text/html',
    'text/event-stream;q=0',
    '*/*;q=0',
    'text/*;q=0, */*',
    'text/event-stream;q=0.0, */*'
  ])('S18: "%s" excludes event streams', async (accept) => {
    expect([await status('GET', accept), await status('QUERY', accept)]).toEqual([406, 406])
  })

  it.each([
    'text/event-stream',
    'text/*',
    '*/*',
    'text/html, */*;q=0.1',
    'TEXT/Event-Stream',
    '',
    'nonsense',
    'text/event-stream, */*;q=0',
    'text/*;q=0, text/event-stream'
  ])('S18: "%s" allows event streams', async (accept) => {
    expect([await status('GET', accept), await status('QUERY', accept)]).toEqual([200, 200])
  })
})

describe('Accept-Query', () => {
  it('S18: is on every response to a subscriber, also on rejections, in both dialects', async () => {
    const modern = await server.follow('1.0', fresh())
    const legacy = await server.follow('0.x', fresh())
    const refusals = [
      await server.refused('match=a'),
      await server.refused('topic=a'),
      await server.refused('match=a&topic=a')
    ]
    const head = await server.refused('match=a', await reader('1.0'), 'HEAD')
    for (const { headers } of [modern, legacy, ...refusals, head]) expect(headers['accept-query']).toBe(asForm)
  })
})

describe('a request without a host', () => {
  it('S18: is rejected', async () => {
    const socket = connect(server.process.port, '127.0.0.1')
    socket.write(`GET ${hubPath}?match=a HTTP/1.1\r\nConnection: close\r\n\r\n`)
    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 400 /)
  })
})
