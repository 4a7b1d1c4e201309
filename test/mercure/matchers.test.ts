// Topic selectors, and how each dialect rejects invalid ones: the messages are those that clients of the reference hub know.
import { describe, expect, it } from 'vitest'
import { ask } from '../support/http/http.ts'
import { form, fresh, serverWith } from '../support/http/mercure.ts'
import { dialectNames, reader } from '../support/http/mercure-dialects.ts'
import { listen } from '../support/http/sse-client.ts'

const server = serverWith()
const many = (count: number) => Array.from({ length: count }, (_, index) => String(index))
const notText = 'topic matcher values must be valid UTF-8 without control characters\n'
const tooMany = 'too many matchers (max 100)\n'
const useMatch = 'unknown topic matcher query parameter: "topic" (use "match" or "match_urlpattern")\n'

describe('selectors of 1.0', () => {
  const stream = async (query: string) => listen(`${server.hub}?${query}`, await reader('1.0'))

  it.each([
    ['no matcher', 'last_event_id=x', 'missing "match" subscription parameter\n'],
    ['topic besides match', form({ match: 'a', topic: 'a' }), useMatch],
    ['topic before match', form({ topic: 'a', match: 'a' }), useMatch],
    ['a hundred and one matchers', form({ match: many(101) }), tooMany],
    ['as many of several types', form({ match: many(99), match_exact: 'x', match_urlpattern: '/x' }), tooMany],
    ['a matcher of 4,097 bytes', form({ match: 'x'.repeat(4_097) }), 'pattern too long (max 4096 bytes)\n'],
    [
      'the same number of bytes in fewer characters',
      form({ match: `x${'ü'.repeat(2_048)}` }),
      'pattern too long (max 4096 bytes)\n'
    ],
    ['bytes that are not UTF-8', 'match=%ff', notText],
    ['an overlong encoding', 'match_exact=%c0%80', notText],
    ['half a surrogate pair', 'match=%ed%a0%80', notText],
    ['a control character', form({ match: 'a\nb' }), notText],
    ['a NUL', form({ match: 'a\0' }), notText],
    ['DEL', form({ match_exact: '\x7f' }), notText],
    ['a control character of C1', form({ match: '\x85' }), notText],
    ['a character that cannot be seen', form({ match: 'a\u200bb' }), notText],
    ['a mark that turns the text around', form({ match_urlpattern: '/\u202e' }), notText],
    ['a malformed pattern', form({ match_urlpattern: 'https://example.com/(' }), 'invalid topic matcher pattern\n'],
    ['a pattern that looks behind', form({ match_urlpattern: '/((?<=x)secret)' }), 'invalid topic matcher pattern\n']
  ])('S2: %s is rejected', async (_, query, text) => {
    expect(await server.refused(query, await reader('1.0'))).toMatchObject({ status: 400, text })
  })

  it.each(['Match', 'MATCH_EXACT', 'matches', 'match_regexp', 'match[]', 'match_'])(
    'S2: the name %s is rejected, since it looks like a matcher but is none',
    async (name) => {
      const answer = await server.refused(form({ match: 'a', [name]: 'a' }), await reader('1.0'))
      expect(answer.status).toBe(400)
    }
  )

  it('S2: an empty matcher is rejected', async () => {
    expect((await server.refused('match=', await reader('1.0'))).status).toBe(400)
  })

  it.each([
    ['a hundred matchers', form({ match: many(100) })],
    ['a matcher of 4,096 bytes', form({ match: 'ü'.repeat(2_048) })],
    ['names that do not begin like a matcher', form({ match: 'a', Topic: 'a', rematch: 'a', foo: 'bar' })],
    ['match_exact', 'match_exact=a'],
    ['match_urlpattern', form({ match_urlpattern: 'https://example.com/:id' })]
  ])('S2: %s is accepted', async (_, query) => {
    const { status } = await ask(`${server.hub}?${query}`, { method: 'HEAD', headers: await reader('1.0') })
    expect(status).toBe(200)
  })

  it('S5: an exact matcher treats braces literally', async () => {
    const topic = fresh('{id}')
    const both = await Promise.all(['match', 'match_exact'].map((name) => stream(form({ [name]: topic }))))
    await server.publish('1.0', { topic: topic.replace('{id}', '1'), data: 'other' })
    await server.publish('1.0', { topic, data: 'own' })
    for (const { data } of await Promise.all(both.map((one) => one.until(({ data }) => data.length > 0)))) {
      expect(data).toEqual(['own'])
    }
  })

  it('S5: a relative URL pattern is resolved against the hub, and so is a topic', async () => {
    const path = new URL(fresh()).pathname
    const client = await stream(form({ match_urlpattern: `${path}/:id` }))
    await server.publish('1.0', { topic: `https://example.com${path}/1`, data: 'elsewhere' })
    await server.publish('1.0', { topic: `https://hub.example.com${path}/1`, data: 'absolute' })
    await server.publish('1.0', { topic: `${path}/2`, data: 'relative' })
    expect(await client.received(2)).toEqual(['absolute', 'relative'])
  })

  it('S5: a URL pattern is case-sensitive', async () => {
    const topic = fresh('CASE')
    const client = await stream(form({ match_urlpattern: topic }))
    await server.publish('1.0', { topic: topic.replace('CASE', 'case'), data: 'lower' })
    await server.publish('1.0', { topic, data: 'upper' })
    expect(await client.received(1)).toEqual(['upper'])
  })

  it.each(['match', 'match_exact', 'match_urlpattern'])('S5: * covers everything as %s', async (name) => {
    const client = await stream(`${name}=*`)
    await server.publish('1.0', { topic: `urn:uuid:${name}`, data: name })
    expect(await client.received(1)).toEqual([name])
  })
})

describe('selectors of 0.x', () => {
  const stream = async (query: string) => listen(`${server.hub}?${query}`, await reader('0.x'))

  it.each([
    ['no topic', 'lastEventID=x', 'Missing "topic" parameter.\n'],
    ['a thousand and one topics', form({ topic: many(1_001) }), 'Too many "topic" parameters.\n']
  ])('S2: %s is rejected', async (_, query, text) => {
    expect(await server.refused(query, await reader('0.x'))).toMatchObject({ status: 400, text })
  })

  it.each([
    ['a topic of 4,097 bytes', form({ topic: 'x'.repeat(4_097) })],
    ['more than 200 variables', form({ topic: many(201).map((name) => `${name}{x}`) })]
  ])('S2: %s is rejected, since all client input is limited', async (_, query) => {
    expect((await server.refused(query, await reader('0.x'))).status).toBe(400)
  })

  it('S2: a thousand topics are accepted', async () => {
    const query = form({ topic: many(1_000) })
    expect((await stream(query)).status).toBe(200)
  })

  it('S5: a malformed template covers only its own text', async () => {
    const topic = fresh('faulty{iri')
    const client = await stream(form({ topic }))
    await server.publish('0.x', { topic: topic.replace('{iri', 'x'), data: 'other' })
    await server.publish('0.x', { topic, data: 'own' })
    expect(await client.received(1)).toEqual(['own'])
  })

  it('S5: a template covers its expansions and its own text', async () => {
    const prefix = fresh()
    const client = await stream(form({ topic: [`${prefix}/{id}`, `${prefix}/deep/{+path}`] }))
    for (const end of ['/1,2', '/1/2', '/deep/a/b?c', '/', '/{id}', '/ü%20', '/a;b', '/end']) {
      await server.publish('0.x', { topic: prefix + end, data: end })
    }
    expect(await client.received(6)).toEqual(['/1,2', '/deep/a/b?c', '/', '/{id}', '/ü%20', '/end'])
  })
})

describe('a stream without a selector', () => {
  it.each(['1.0', '0.x'] as const)('S2: is rejected in the dialect of its token, here %s', async (dialect) => {
    const { text } = await server.refused('', await reader(dialect))
    expect(text).toContain(`issing "${dialectNames[dialect].selector}"`)
  })
})
