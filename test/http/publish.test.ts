import { describe, expect, it } from 'vitest'
import type { Update } from '../../dist/index.js'
import { ask, post, type Served, serve } from '../support/http/http.ts'
import { listen } from '../support/http/sse-client.ts'

/** The updates of the hub, oldest first. */
async function kept({ hub, url }: Served): Promise<Update[]> {
  if (hub.status.head === 0) return []
  const client = await listen(`${url}/subscribe?last=1000&envelope=json`)
  const events = await client.until(({ events }) => events.length >= hub.status.head, 'all that was published')
  return events.data.map((text) => JSON.parse(text))
}

const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
const ndjson = { 'Content-Type': 'application/x-ndjson' }
const json = { Accept: 'application/json' }

describe('POST /publish with the data as the body', () => {
  it('publishes the body verbatim to the topic default, and returns the id', async () => {
    const served = await serve()
    const data = ' {"a": "ü💥"}\n\u0001'
    const answer = await post(`${served.url}/publish`, data)
    const id = `#${served.hub.status.epoch}-1`
    expect(answer).toMatchObject({ status: 200, text: '200 OK\n', headers: { 'event-id': id } })
    expect(await kept(served)).toMatchObject([{ topics: ['default'], data, id, type: 'message' }])
  })

  it('reads the other fields from the query', async () => {
    const served = await serve()
    const query = 'topic=a&topic=b%2Fc&type=greeting&id=my-1&retry=5000'
    const answer = await post(`${served.url}/publish?${query}`, 'hello', json)
    expect(answer.json()).toEqual({ ids: ['my-1'] })
    const client = await listen(`${served.url}/subscribe?last=1`)
    await client.received(1)
    expect(client.raw).toContain('event: greeting\nretry: 5000\nid: my-1\ndata: hello\n\n')
    expect(await kept(served)).toMatchObject([{ topic: 'a', topics: ['a', 'b/c'], type: 'greeting' }])
  })

  it('accepts an empty body, and one of exactly the limit', async () => {
    const served = await serve({}, { maxBody: 1_000 })
    expect((await post(`${served.url}/publish`, '')).status).toBe(200)
    expect((await post(`${served.url}/publish`, 'x'.repeat(1_000))).status).toBe(200)
    expect((await kept(served)).map(({ data }) => data.length)).toEqual([0, 1_000])
  })

  it.each(['hello', '{"a": "b=c"}', '1 + 1 = 2', '=x', '<b>'])(
    'accepts %s from curl -d, which declares it as a form',
    async (body) => {
      const served = await serve()
      expect((await post(`${served.url}/publish`, body, form)).status).toBe(200)
      expect(await kept(served)).toMatchObject([{ topics: ['default'], data: body }])
    }
  )

  it('hides a private update from clients without read permission', async () => {
    const served = await serve()
    await post(`${served.url}/publish?private`, 'secret')
    await post(`${served.url}/publish`, 'public')
    const client = await listen(`${served.url}/subscribe?last_event_id=earliest`)
    expect(await client.received(1)).toEqual(['public'])
  })
})

describe('POST /publish with a form', () => {
  it('reads every field from the body', async () => {
    const served = await serve()
    const body = 'topic=a+b&topic=c&data=100%25+%26+more%0Aü&type=x&id=y&retry=1&private=false'
    expect((await post(`${served.url}/publish`, body, form)).headers['event-id']).toBe('y')
    expect(await kept(served)).toMatchObject([{ topics: ['a b', 'c'], data: '100% & more\nü', type: 'x', id: 'y' }])
  })

  it('publishes empty data if the field is missing', async () => {
    const served = await serve()
    await post(`${served.url}/publish`, 'topic=a', form)
    expect(await kept(served)).toMatchObject([{ topics: ['a'], data: '' }])
  })
})

describe('POST /publish with one update per line', () => {
  it('publishes all of them in order', async () => {
    const served = await serve()
    const lines = [
      '{"topic":"a","data":"1"}',
      '',
      '{"topics":["a","b"],"data":{"x":[1,null]},"type":"t","id":"own"}',
      '{"data":null}'
    ]
    const answer = await post(`${served.url}/publish`, lines.join('\r\n'), { ...ndjson, ...json })
    const { epoch } = served.hub.status
    expect(answer.json()).toEqual({ ids: [`#${epoch}-1`, 'own', `#${epoch}-3`] })
    expect(await kept(served)).toMatchObject([
      { topics: ['a'], data: '1' },
      { topics: ['a', 'b'], data: '{"x":[1,null]}', type: 't' },
      { topics: ['default'], data: 'null' }
    ])
  })

  it.each([
    ['{"data":"1"}\n\nnot json', 'line 3: it is not JSON'],
    ['[1]', 'line 1: it is not a JSON object'],
    ['{"data":"1"}\n{"tpoic":"a"}', 'line 2: it has an unknown field; the fields are topic, topics, data'],
    ['{"topic":7}', 'line 1: An update needs at least one topic'],
    ['{"id":"#mine"}', 'line 1: The id is invalid: ids that begin with "#" are reserved for the hub'],
    ['{"retry":"5"}', 'line 1: retry must be a whole number'],
    ['{"private":"yes"}', 'line 1: The value of private is invalid'],
    [`{"topic":"a","topics":["b"]}`, 'line 1: it has both topic and topics'],
    ['\n \n', 'The batch contains no update']
  ])('rejects %j as a whole, with the reason', async (body, why) => {
    const served = await serve()
    const answer = await post(`${served.url}/publish`, body, ndjson)
    expect(answer.status).toBe(400)
    expect(answer.text).toContain(why)
    expect(served.hub.status.head).toBe(0)
  })

  it('rejects more than 10,000 updates', async () => {
    const served = await serve()
    const answer = await post(`${served.url}/publish`, '{}\n'.repeat(10_001), ndjson)
    expect(answer).toMatchObject({ status: 413, text: 'The batch contains too many updates: the limit is 10000.\n' })
    expect(served.hub.status.head).toBe(0)
  })
})

describe('GET /publish', () => {
  it('publishes the Unix time, as a quick test from the address bar', async () => {
    const served = await serve()
    const before = Math.floor(Date.now() / 1000)
    expect(await ask(`${served.url}/publish`)).toMatchObject({ status: 200, text: '200 OK\n' })
    const [update] = await kept(served)
    expect(update?.topics).toEqual(['default'])
    expect(Number(update?.data)).toBeGreaterThanOrEqual(before)
    expect(Number(update?.data)).toBeLessThanOrEqual(Math.floor(Date.now() / 1000))
  })

  it('rejects parameters instead of ignoring them', async () => {
    const served = await serve()
    const answer = await ask(`${served.url}/publish?data=hello`)
    expect(answer).toMatchObject({
      status: 400,
      text: expect.stringContaining('"data"; this endpoint has no parameters')
    })
    expect(served.hub.status.head).toBe(0)
  })
})

describe('POST /publish rejects, and publishes nothing', () => {
  it.each([
    ['', 400, 'tpoic=a', 'x', '"tpoic"; the parameters are topic, type, id, retry, private'],
    ['', 400, 'data=a', 'x', 'The parameter is unknown: "data"'],
    ['a parameter twice', 400, 'type=a&type=b', 'x', 'The parameter was given more than once: "type"'],
    ['an empty topic', 400, 'topic=', 'x', 'a topic must be a text of at least one character'],
    ['a long topic', 400, `topic=${'t'.repeat(4_097)}`, 'x', 'the limit is 4096 bytes, got 4097'],
    ['the topic *', 400, 'topic=*', 'x', '"*" selects every topic, so no update can have it as its topic'],
    ['1,001 topics', 400, 'topic=a&'.repeat(1_001), 'x', 'the limit is 1000, got 1001'],
    ['a long id', 400, `id=${'ü'.repeat(129)}`, 'x', 'the limit is 256 bytes, got 258'],
    ['a long type', 400, `type=${'t'.repeat(257)}`, 'x', 'the limit is 256 bytes, got 257'],
    ['CR in an id', 400, 'id=a%0Db', 'x', 'it contains a line end, NUL'],
    ['LF in a type', 400, 'type=a%0Adata:x', 'x', 'it contains a line end, NUL'],
    ['NUL in an id', 400, 'id=a%00', 'x', 'it contains a line end, NUL'],
    ['a reserved id', 400, 'id=%23x-1', 'x', 'ids that begin with "#"'],
    ['the id earliest', 400, 'id=earliest', 'x', '"earliest" is reserved'],
    ['a reserved type', 400, 'type=tidings:gap', 'x', 'types that begin with "tidings:"'],
    ['a bad retry', 400, 'retry=soon', 'x', 'retry must be a whole number of milliseconds: got "soon"'],
    ['a long retry', 400, 'retry=86400001', 'x', 'the range is 0 to 86400000'],
    ['a bad private', 400, 'private=maybe', 'x', 'write private or private=true'],
    ['a query that is not UTF-8', 400, 'topic=%ff', 'x', 'not valid UTF-8'],
    ['a body that is not UTF-8', 400, '', Buffer.from([0x61, 0xff]), 'not valid UTF-8'],
    ['too many parameters', 400, 'a&'.repeat(2_001), 'x', 'the limit is 2000'],
    ['a large body', 413, '', 'x'.repeat(2_001), 'The body is too large: the limit is 2000 bytes']
  ])('%s (%i)', async (_, status, query, body, why) => {
    const served = await serve({}, { maxBody: 2_000 })
    const answer = await post(`${served.url}/publish?${query}`, body)
    expect(answer.status).toBe(status)
    expect(answer.text).toContain(why)
    expect(served.hub.status.head).toBe(0)
  })

  it('a form with an unknown field, which the error names', async () => {
    const served = await serve()
    const answer = await post(`${served.url}/publish`, 'topic=a&dta=x', form)
    expect(answer).toMatchObject({
      status: 400,
      text: expect.stringContaining('"dta"; the parameters are topic, type')
    })
    expect(served.hub.status.head).toBe(0)
  })

  it('multipart bodies; the error names the alternatives', async () => {
    const served = await serve()
    const answer = await post(`${served.url}/publish`, 'x', { 'Content-Type': 'multipart/form-data; boundary=x' })
    expect(answer).toMatchObject({ status: 415, text: expect.stringContaining('send the data itself') })
  })

  it('with a JSON error if the client accepts JSON', async () => {
    const { url } = await serve()
    const answer = await post(`${url}/publish?id=earliest`, 'x', json)
    expect(answer.headers['content-type']).toBe('application/json')
    expect(answer.json()).toMatchObject({ error: { code: 'id_invalid', message: expect.stringContaining('earliest') } })
  })
})

it('concurrent publishes of many clients all arrive, in order per client', async () => {
  const served = await serve()
  const client = async (name: number) => {
    for (let number = 0; number < 20; number++) await post(`${served.url}/publish?topic=${name}`, String(number))
  }
  await Promise.all([0, 1, 2, 3, 4].map(client))
  const updates = await kept(served)
  for (const name of ['0', '1', '2', '3', '4']) {
    const own = updates.filter(({ topics }) => topics[0] === name).map(({ data }) => Number(data))
    expect(own).toEqual(Array.from({ length: 20 }, (_, number) => number))
  }
})
