// Mercure streams in both dialects: bytes, headers, access, and delivery.
import { describe, expect, it } from 'vitest'
import { ask } from '../support/http/http.ts'
import { bearer, dialects, form, fresh, serverWith, token } from '../support/http/mercure.ts'
import { challenge, dialectNames, pattern, patternGrant, reader, unsigned } from '../support/http/mercure-dialects.ts'
import { listen } from '../support/http/sse-client.ts'

const server = serverWith()
const publicServer = serverWith('--anonymous')

describe.each(dialects)('a stream of %s', (dialect) => {
  const { selector, lastEventIdHeader } = dialectNames[dialect]

  it('S4: the body is ":\\n" followed by the frames, byte for byte', async () => {
    const topic = fresh()
    const stream = await server.follow(dialect, topic)
    await server.publish(dialect, { topic, data: 'Hello World', id: 'b' })
    await server.publish(dialect, { topic, data: 'one\r\ntwo\rthree\n', id: 'c', type: 'greeting', retry: '5000' })
    await server.publish(dialect, { topic, id: 'd', retry: '0' })
    await stream.received(3)
    const second = 'event: greeting\nretry: 5000\nid: c\ndata: one\ndata: two\ndata: three\ndata: \n\n'
    expect(stream.raw).toBe(`:\nid: b\ndata: Hello World\n\n${second}id: d\ndata: \n\n`)
  })

  it('S4: the headers match the reference hub, except Connection, since the connection ends with the stream', async () => {
    const stream = await server.follow(dialect, fresh())
    expect(stream.status).toBe(200)
    expect(stream.headers).toMatchObject({
      'content-type': 'text/event-stream',
      connection: 'close',
      'cache-control': 'private, no-cache, no-store, must-revalidate, max-age=0, no-transform',
      pragma: 'no-cache',
      expire: '0',
      'x-accel-buffering': 'no',
      'content-security-policy': "default-src 'self'",
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'x-xss-protection': '1; mode=block'
    })
    expect(stream.headers.incremental).toBe(dialect === '1.0' ? '?1' : undefined)
    expect(stream.headers[lastEventIdHeader]).toBeUndefined()
  })

  it('S4: HEAD responds with the same headers, and no body', async () => {
    const topic = fresh()
    const { headers } = await server.follow(dialect, topic)
    const url = `${server.hub}?${form({ [selector]: topic })}`
    const answer = await ask(url, { method: 'HEAD', headers: await reader(dialect) })
    const ownEach = { date: '', 'x-request-id': '', connection: '' }
    expect({ ...answer.headers, ...ownEach }).toEqual({ ...headers, ...ownEach })
    expect(answer).toMatchObject({ status: 200, text: '' })
  })

  it('S4: HEAD is rejected like GET', async () => {
    const answer = await ask(`${server.hub}?${form({ [selector]: fresh() })}`, { method: 'HEAD' })
    expect(answer).toMatchObject({ status: 401, text: '' })
  })

  it.each(['exact', 'pattern', 'everything'])(
    'S5: three subscribers by %s each receive only their own updates',
    async (by) => {
      const prefixes = [fresh('1'), fresh('2'), fresh('3')]
      const selectors = {
        exact: (prefix: string) => form({ [selector]: `${prefix}/x` }),
        pattern: pattern.bind(null, dialect)
      }
      const queries = prefixes.map((prefix) =>
        by === 'everything' ? `${selector}=*` : selectors[by as 'exact'](prefix)
      )
      const streams = await Promise.all(
        queries.map(async (query) => listen(`${server.hub}?${query}`, await reader(dialect)))
      )
      for (const prefix of prefixes) await server.publish(dialect, { topic: `${prefix}/x`, data: prefix })
      const all = by === 'everything'
      for (const [index, stream] of streams.entries()) {
        expect(await stream.received(all ? 3 : 1)).toEqual(all ? prefixes : [prefixes[index]])
      }
    }
  )

  it('S6: a private update reaches only subscribers whose token covers one of its topics', async () => {
    const [topic, alternate] = [fresh('a'), fresh('b')]
    const prefix = alternate.replace(/\/b$/, '')
    const grants = [[topic], [alternate], ['*'], [patternGrant(dialect, prefix)], [fresh()], []]
    const streams = await Promise.all(
      grants.map(async (grant) => server.follow(dialect, topic, { headers: await reader(dialect, grant) }))
    )
    await server.publish(dialect, { topic: [topic, alternate], data: 'private', private: 'on' })
    await server.publish(dialect, { topic, data: 'public' })
    for (const stream of streams) await stream.until(({ data }) => data.includes('public'))
    const seen = streams.map(({ data }) => data.join())
    expect(seen).toEqual([...Array<string>(4).fill('private,public'), 'public', 'public'])
  })

  it('S6: subscribers without permission never receive private updates, live or replayed', async () => {
    const topic = fresh()
    const query = `&${dialectNames[dialect].lastEventId}=earliest`
    const live = await publicServer.follow(dialect, topic, { headers: {} })
    await publicServer.publish(dialect, { topic, data: 'private', private: '' })
    await publicServer.publish(dialect, { topic, data: 'public' })
    const replayed = await publicServer.follow(dialect, topic, { headers: {}, query })
    expect(await live.received(1)).toEqual(['public'])
    expect(await replayed.received(1)).toEqual(['public'])
  })

  it('S5: an update with several matching topics arrives once', async () => {
    const topics = [fresh('a'), fresh('b'), fresh('c')]
    const streams = await Promise.all(
      [topics, topics.slice(1), topics[2] as string].map((some) => server.follow(dialect, some))
    )
    await server.publish(dialect, { topic: topics, data: 'once' })
    await server.publish(dialect, { topic: topics[2] as string, data: 'end' })
    for (const stream of streams) expect(await stream.received(2)).toEqual(['once', 'end'])
  })
})

describe.each(dialects)('access in %s', (dialect) => {
  const { selector } = dialectNames[dialect]
  const refusal = (challengeText: string) => ({
    status: 401,
    headers: { 'www-authenticate': dialect === '1.0' ? challengeText : 'Bearer' },
    ...(dialect === '0.x' && { text: 'Unauthorized\n' })
  })
  const query = form({ [selector]: fresh() })

  it('S1: a missing token is rejected', async () => {
    expect(await server.refused(query)).toMatchObject(refusal(challenge.none))
  })

  it.each([
    ['text that is not a token', async () => 'x'.repeat(50)],
    [
      'a token of the wrong key',
      () => token(dialect, { subscribe: ['*'], key: 'another-key-that-is-long-enough-too' })
    ],
    ["a publisher's token", () => token(dialect, { subscribe: ['*'], publish: ['*'] })],
    ['an unsigned token', async () => unsigned(dialect)],
    ['an expired token', () => token(dialect, { subscribe: ['*'], expiresIn: -1 })]
  ])('S1: %s is rejected, also where none is required', async (_, make) => {
    const headers = bearer(await make())
    for (const { hub } of [server, publicServer]) {
      expect(await ask(`${hub}?${query}`, { headers })).toMatchObject(refusal(challenge.invalid))
    }
  })

  it('S1: an invalid token is reported before invalid topics', async () => {
    expect((await server.refused(`${selector}=`)).status).toBe(401)
    expect((await server.refused('')).status).toBe(401)
  })

  it('S2: a token with too many selectors is rejected', async () => {
    const most = dialect === '1.0' ? 100 : 1_000
    const grants = Array.from({ length: most + 1 }, (_, index) => String(index))
    expect((await server.refused(query, await reader(dialect, grants))).status).toBe(401)
    const stream = await listen(`${server.hub}?${query}`, await reader(dialect, grants.slice(1)))
    expect(stream.status).toBe(200)
  })
})

describe('a client of one dialect with a token of the other', () => {
  it('S6: may read with a 1.0 token in 0.x', async () => {
    const topic = fresh()
    const stream = await server.follow('0.x', topic, { headers: await reader('1.0', [topic]) })
    await server.publish('0.x', { topic, data: 'private', private: 'on' })
    expect(await stream.received(1)).toEqual(['private'])
  })

  it('S1: is rejected with a 0.x token in 1.0', async () => {
    const answer = await server.refused(form({ match: fresh() }), await reader('0.x', ['*']))
    expect(answer).toMatchObject({ status: 401, headers: { 'www-authenticate': challenge.invalid } })
  })
})
