// Rejected publishes in both dialects: the status and message, and that nothing is published.
import { describe, expect, it } from 'vitest'
import { bearer, type Dialect, dialects, form, fresh, keys, serverWith, token } from '../support/http/mercure.ts'
import { attempt, challenge, publisher, unsigned } from '../support/http/mercure-dialects.ts'

const server = serverWith()

/** A status, and the text if the protocol defines it. */
type Expected = readonly [status: number, text?: string]
type Row = readonly [what: string, body: string | Buffer, modern: Expected, legacy: Expected]

const and = (fields: Record<string, string | readonly string[]>) => form({ topic: 'refused', ...fields })
const noTopic: Expected = [400, 'Missing "topic" parameter\n']
const badRetry: Expected = [400, 'Invalid "retry" parameter\n']
const manyTopics: Expected = [400, 'too many topics in update\n']
const many = Array.from({ length: 1_001 }, (_, index) => String(index))
/** Rejected by both dialects. */
const both = (what: string, body: string | Buffer, expected: Expected = [400]): Row => [what, body, expected, expected]

const bodies: Row[] = [
  both('P2: an empty body', '', noTopic),
  both('P2: no topic', 'data=x', noTopic),
  both('P2: a retry that is not a number', and({ retry: 'soon' }), badRetry),
  both('P2: a retry with a sign', and({ retry: '-1' }), badRetry),
  both('P2: a retry that is not whole', and({ retry: '1.5' }), badRetry),
  both('P2: a retry in exponential notation', and({ retry: '1e3' }), badRetry),
  both('P2: a retry of more than a day', and({ retry: '86400001' }), badRetry),
  both('P8: a thousand and one topics', form({ topic: many }), manyTopics),
  ...['id', 'type'].flatMap((name) => [
    both(`P7: CR in ${name}`, and({ [name]: 'a\rb' })),
    both(`P7: LF in ${name}`, and({ [name]: 'a\nb' })),
    both(`P7: NUL in ${name}`, and({ [name]: 'a\0b' })),
    both(`P7: ${name} of 257 bytes`, and({ [name]: 'x'.repeat(257) })),
    [`P7: a control character of C1 in ${name}`, and({ [name]: 'a\x85' }), [400], [200]] satisfies Row,
    [`P7: an invisible character in ${name}`, and({ [name]: 'a\u200b' }), [400], [200]] satisfies Row
  ]),
  both('P7: an id that begins with #', and({ id: '#mine' })),
  both('P7: the id earliest', and({ id: 'earliest' })),
  both('P7: a reserved type of tidings', and({ type: 'tidings:gap' })),
  both('P7: the type mercure, which is reserved for the hub', and({ type: 'mercure' })),
  both('P2: the topic *', form({ topic: '*' })),
  both('P2: an empty topic among others', form({ topic: ['refused', ''] })),
  both('P2: a topic of 4,097 bytes', form({ topic: 'x'.repeat(4_097) })),
  both('P2: a control character in a topic', form({ topic: 'a\x1bb' })),
  ['P2: an invisible topic', form({ topic: 'a\u00adb' }), [400], [200]],
  both('P2: a topic that is not UTF-8', 'topic=%ff'),
  both('P2: data that is not UTF-8', 'topic=refused&data=%ff'),
  both('P2: a body that is not UTF-8', Buffer.from('746f7069633d61ff', 'hex')),
  both('P2: a body over 1 MiB', and({ data: 'x'.repeat(2 ** 20) }), [413])
]

describe.each(dialects)('publishing with a token of %s', (dialect) => {
  const expected = (modern: Expected, legacy: Expected) => (dialect === '1.0' ? modern : legacy)

  it.each(bodies)('%s', async (_, body, modern, legacy) => {
    const [status, text] = expected(modern, legacy)
    const headers = await publisher(dialect)
    const { answer, published } = await attempt(server, () => server.post(body, headers))
    expect(answer).toMatchObject({ status, ...(text && { text }) })
    expect(published.length).toBe(status === 200 ? 1 : 0)
  })

  it.each(['text/plain', 'application/json', 'multipart/form-data; boundary=x', 'form', ';', ''])(
    'P2: the content type "%s" is rejected',
    async (type) => {
      const headers = { ...(await publisher(dialect)), 'Content-Type': type }
      const { answer, published } = await attempt(server, () => server.post(and({}), headers))
      expect(answer.status).toBe(400)
      if (dialect === '0.x') expect(answer.text).toBe('Missing "topic" parameter\n')
      expect(published).toEqual([])
    }
  )
})

type Presented = (dialect: Dialect) => Promise<Record<string, string>>
const presenting = (make: (dialect: Dialect) => Promise<string> | string): Presented => {
  return async (dialect) => bearer(await make(dialect))
}
const all = { publish: ['*'] }

const refusedTokens: readonly (readonly [what: string, headers: Presented, status: number, expected: string])[] = [
  ['a token with another key', presenting((d) => token(d, { ...all, key: 'x'.repeat(40) })), 401, challenge.invalid],
  ["a subscriber's token", presenting((d) => token(d, { ...all, key: keys.subscribe })), 401, challenge.invalid],
  ['an unsigned token', presenting(unsigned), 401, challenge.invalid],
  ['an expired token', presenting((d) => token(d, { ...all, expiresIn: -1 })), 401, challenge.invalid],
  ['no grant to publish', presenting((d) => token(d, { subscribe: ['*'], key: keys.publish })), 403, challenge.scope],
  ['an empty list of grants', presenting((d) => token(d, { publish: [] })), 403, challenge.scope],
  ['a grant for another topic', presenting((d) => token(d, { publish: [fresh()] })), 403, challenge.scope],
  ['a grant for one topic of two', presenting((d) => token(d, { publish: ['covered'] })), 403, challenge.scope]
]

describe.each(dialects)('a publisher of %s', (dialect) => {
  const refusal = (status: number, expected: string) =>
    dialect === '1.0'
      ? { status, headers: { 'www-authenticate': expected } }
      : { status: 401, text: 'Unauthorized\n', headers: { 'www-authenticate': 'Bearer' } }
  const body = form({ topic: ['covered', 'uncovered'], data: 'refused' })

  it.each(refusedTokens)('P1: with %s is rejected', async (_, present, status, expected) => {
    const headers = await present(dialect)
    const { answer, published } = await attempt(server, () => server.post(body, headers))
    expect(answer).toMatchObject(refusal(status, expected))
    expect(published).toEqual([])
  })

  it('P8: with too many grants is rejected', async () => {
    const publish = Array.from({ length: dialect === '1.0' ? 101 : 1_001 }, (_, index) => String(index))
    expect(await server.post(body, await publisher(dialect, publish))).toMatchObject(refusal(401, challenge.invalid))
  })

  it('P1: reports an invalid token before an invalid form', async () => {
    const reading = bearer(await token(dialect, { subscribe: ['*'], key: keys.publish }))
    expect(await server.post('retry=soon', reading)).toMatchObject(refusal(403, challenge.scope))
    const bad = bearer(await token(dialect, { ...all, expiresIn: -1 }))
    expect(await server.post('retry=soon', bad)).toMatchObject(refusal(401, challenge.invalid))
  })
})

describe('a publisher without a dialect', () => {
  const body = form({ topic: 'a', data: 'refused' })

  it.each([
    ['no token', {}, 401, challenge.none],
    ['text that is not a token', bearer('x'.repeat(50)), 401, challenge.invalid],
    ['a header with another scheme', { Authorization: 'Basic eDp4' }, 400, challenge.malformed]
  ])('P1: with %s is rejected in the format of 1.0', async (_, headers, status, expected) => {
    const { answer, published } = await attempt(server, () => server.post(body, headers))
    expect(answer).toMatchObject({ status, headers: { 'www-authenticate': expected } })
    expect(published).toEqual([])
  })
})
