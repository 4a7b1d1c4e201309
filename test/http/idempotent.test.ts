// Idempotent publishing: the real server stores an update once if it is sent twice with the same key or id, at all endpoints.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createHub, type Observer } from '../../dist/index.js'
import { type Answer, ask, post } from '../support/http/http.ts'
import { bearer, dialects, fresh, serverWith, token } from '../support/http/mercure.ts'
import { listen } from '../support/http/sse-client.ts'
import { type ServerProcess, startServer } from '../support/servers/server.ts'

const isReplayed = ({ headers }: Answer) => headers['idempotent-replayed'] === 'true'
const key = (text: string) => ({ 'Idempotency-Key': text })

describe('a server with --idempotent', () => {
  let server: ServerProcess
  beforeAll(async () => {
    server = await startServer({ args: ['--idempotent', '1h', '--cors-origins', 'https://app.example'] })
  })
  afterAll(() => server.kill('SIGKILL'))

  /** Publishes to a topic, and returns the relevant parts of the response. */
  const publish = (topic: string, body: string, headers: Record<string, string> = {}, more = '') =>
    post(`${server.url}/publish?topic=${topic}${more}`, body, headers)
  const contentOf = async (topic: string) => {
    const stream = await listen(`${server.url}/subscribe?last_event_id=earliest&topic=${topic}&topic=end-${topic}`)
    await publish(`end-${topic}`, 'end')
    await stream.until(({ events }) => events.at(-1)?.data === 'end')
    stream.close()
    return stream.events.slice(0, -1).map(({ data }) => data)
  }
  const batch = (...updates: unknown[]) =>
    post(`${server.url}/publish`, updates.map((update) => JSON.stringify(update)).join('\n'), {
      'Content-Type': 'application/x-ndjson',
      Accept: 'application/json'
    })

  it.each(['"%s"', '%s'])('returns the same response for a repeated key, written as %s', async (form) => {
    const topic = randomUUID()
    const header = key(form.replace('%s', topic))
    const first = await publish(topic, 'x', header)
    expect([first.status, isReplayed(first)]).toEqual([200, false])
    await publish(topic, 'y')
    // With or without quotes, the key is the same.
    for (const again of [header, key(`"${topic}"`), key(topic), key(`  ${topic} `)]) {
      const answer = await publish(topic, 'x', again)
      expect(answer).toMatchObject({ status: 200, text: first.text })
      expect([answer.headers['event-id'], isReplayed(answer)]).toEqual([first.headers['event-id'], true])
    }
    expect(await contentOf(topic)).toEqual(['x', 'y'])
  })

  it('parses quotes and backslashes as structured fields define them', async () => {
    const topic = randomUUID()
    await publish(topic, 'x', key(String.raw`"a\"b\\c ,${topic}"`))
    expect(isReplayed(await publish(topic, 'x', key(String.raw`"a\"b\\c ,${topic}"`)))).toBe(true)
    expect(isReplayed(await publish(topic, 'x', key(String.raw`"a\"b\\\\c ,${topic}"`)))).toBe(false)
  })

  it('recognizes an update by its own id if there is no key', async () => {
    const topic = randomUUID()
    const answers = [1, 2].map(() => publish(topic, 'x', {}, `&id=${topic}`))
    const all = await Promise.all(answers)
    expect(all.map(({ status }) => status)).toEqual([200, 200])
    expect(all.map(({ headers }) => headers['event-id'])).toEqual([topic, topic])
    expect(all.map(isReplayed).sort()).toEqual([false, true])
    expect(await contentOf(topic)).toEqual(['x'])
  })

  it('never matches a key with an id, and prefers the key', async () => {
    const topic = randomUUID()
    await publish(topic, 'by key', key(topic))
    await publish(topic, 'by id', {}, `&id=${topic}`)
    await publish(topic, 'both', key(`${topic}-2`), `&id=${topic}`)
    expect(await contentOf(topic)).toEqual(['by key', 'by id', 'both'])
  })

  it.each([
    ['data', 'y', ''],
    ['a field', 'x', '&type=other'],
    ['a topic', 'x', '&topic=other']
  ])('rejects a repeated key with another %s', async (_, body, more) => {
    const topic = randomUUID()
    await publish(topic, 'x', key(topic))
    const answer = await publish(topic, body, { ...key(topic), Accept: 'application/json' }, more)
    expect([answer.status, isReplayed(answer)]).toEqual([422, false])
    expect(answer.json()).toMatchObject({
      error: { code: 'key_reused', message: expect.stringContaining('was used for another update') }
    })
    expect(await contentOf(topic)).toEqual(['x'])
  })

  it.each([
    '',
    '""',
    '"',
    '"a',
    'a"b',
    'a, b',
    '"a", "b"',
    '"a";p=1',
    'a b',
    String.raw`"a\b"`,
    '"\u00e9"',
    `"${'k'.repeat(257)}"`,
    'k'.repeat(257)
  ])('rejects %j as a key, and publishes nothing', async (text) => {
    const topic = randomUUID()
    const answer = await publish(topic, 'x', key(text))
    expect(answer).toMatchObject({ status: 400, text: expect.stringContaining('The idempotency key is invalid') })
    expect(await contentOf(topic)).toEqual([])
  })

  it('rejects two keys', async () => {
    const topic = randomUUID()
    const headers = { 'Content-Type': 'text/plain', 'Idempotency-Key': ['one', 'two'] }
    const answer = await ask(`${server.url}/publish?topic=${topic}`, { method: 'POST', body: 'x', headers })
    expect(answer.status).toBe(400)
  })

  it('treats a batch with a key as a whole, and rejects a part of it', async () => {
    const topic = randomUUID()
    const lines = ['a', 'b', 'c'].map((data) => JSON.stringify({ topic, data }))
    const send = (some: string[]) =>
      post(`${server.url}/publish`, some.join('\n'), {
        ...key(topic),
        'Content-Type': 'application/x-ndjson',
        Accept: 'application/json'
      })
    const first = await send(lines)
    const again = await send(lines)
    expect(again.json()).toEqual(first.json())
    expect([isReplayed(first), isReplayed(again)]).toEqual([false, true])
    for (const other of [lines.slice(0, 1), lines.toReversed(), [...lines, ...lines]]) {
      expect((await send(other)).status).toBe(422)
    }
    expect(await contentOf(topic)).toEqual(['a', 'b', 'c'])
  })

  it('publishes only the new ids of a batch, and sets the header only if none is new', async () => {
    const topic = randomUUID()
    const line = (data: string) => ({ topic, data, id: `${topic}-${data}` })
    await batch(line('a'), line('b'))
    const mixed = await batch(line('b'), line('c'), { topic, data: 'd' })
    expect(mixed.json()).toMatchObject({ ids: [`${topic}-b`, `${topic}-c`, expect.stringMatching(/^#/)] })
    expect(isReplayed(mixed)).toBe(false)
    expect(isReplayed(await batch(line('c'), line('a')))).toBe(true)
    const refused = await batch(line('new'), { ...line('a'), data: 'other' })
    expect(refused.status).toBe(422)
    expect(await contentOf(topic)).toEqual(['a', 'b', 'c', 'd'])
  })

  it('allows pages of other origins to send the key and to read the result', async () => {
    const headers = { Origin: 'https://app.example', 'Access-Control-Request-Method': 'POST' }
    const preflight = await ask(`${server.url}/publish`, { method: 'OPTIONS', headers })
    expect(preflight.headers['access-control-allow-headers']).toContain('Idempotency-Key')
    expect(preflight.headers['access-control-expose-headers']).toContain('Idempotent-Replayed')
  })
})

describe('with tokens', () => {
  const server = serverWith('--idempotent', '1h')
  const publisher = async (sub: string | undefined, header: string, dialect: '1.0' | '0.x' = '1.0') => ({
    ...bearer(await token(dialect, { publish: ['*'], claims: sub === undefined ? {} : { sub } })),
    ...key(header)
  })

  it.each(dialects)('recognizes a key and an id in %s', async (dialect) => {
    const topic = fresh()
    const headers = await publisher('ann', topic, dialect)
    const first = await server.publish(dialect, { topic, data: 'x' }, headers)
    const again = await server.publish(dialect, { topic, data: 'x' }, headers)
    expect(again).toMatchObject({ status: 200, text: first.text })
    expect([isReplayed(first), isReplayed(again)]).toEqual([false, true])
    const refused = await server.publish(dialect, { topic, data: 'y' }, headers)
    expect(refused).toMatchObject({ status: 422, text: expect.stringContaining('was used for another update') })
    const malformed = await server.publish(dialect, { topic, data: 'y' }, { ...headers, ...key('"') })
    expect(malformed).toMatchObject({ status: 400, text: expect.stringContaining('The idempotency key is invalid') })
    for (const replayed of [false, true]) {
      expect(isReplayed(await server.publish(dialect, { topic, data: 'z', id: topic }))).toBe(replayed)
    }
    const stream = await server.follow(dialect, topic, { query: '&last_event_id=earliest&lastEventID=earliest' })
    expect(await stream.received(2)).toEqual(['x', 'z'])
  })

  it('separates the keys of different subjects, but not their ids', async () => {
    const topic = fresh()
    const answers: Answer[] = []
    for (const sub of ['ann', 'bob', undefined, 'ann']) {
      answers.push(await server.publish('1.0', { topic, data: 'x' }, await publisher(sub, topic)))
    }
    expect(answers.map(isReplayed)).toEqual([false, false, false, true])
    expect(new Set(answers.map(({ text }) => text)).size).toBe(3)
    const byId = async (sub: string) =>
      server.publish('1.0', { topic, id: topic }, bearer(await token('1.0', { publish: ['*'], claims: { sub } })))
    expect([isReplayed(await byId('ann')), isReplayed(await byId('bob'))]).toEqual([false, true])
  })
})

describe('without --idempotent', () => {
  it('publishes the same id again, and ignores the header, even if it is invalid', async () => {
    const server = await startServer()
    onTestFinished(() => server.kill('SIGKILL'))
    const answers: Answer[] = []
    for (const header of ['k', 'k', '"']) {
      answers.push(await post(`${server.url}/publish?id=mine`, 'x', key(header)))
    }
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(answers.map(isReplayed)).toEqual([false, false, false])
    const { head } = (await ask(`${server.url}/debug`, { headers: { Accept: 'application/json' } })).json() as {
      head: number
    }
    expect(head).toBe(3)
  })
})

describe('the library', () => {
  const update = { topics: ['t'], data: 'x' }

  it('accepts a key and its owner, and counts appends', async () => {
    const counts: number[] = []
    const observer: Observer = { appended: (updates) => void counts.push(updates) }
    const hub = createHub({ idempotent: 60_000, observer })
    const first = await hub.publish(update, { key: 'k', publisher: 'a' })
    expect(await hub.publish(update, { key: 'k', publisher: 'a' })).toEqual({ ...first, repeated: true })
    expect(await hub.publish(update, { key: 'k', publisher: 'b' })).toMatchObject({ offset: 2 })
    expect(await hub.publish(update, { key: 'k' })).toMatchObject({ offset: 3 })
    await hub.publishAll([{ ...update, id: '1' }])
    await hub.publishAll(['1', '2', '3'].map((id) => ({ ...update, id })))
    expect(counts).toEqual([1, 1, 1, 1, 2])
    await hub.close()
  })

  it.each(['', 'a\nb', '\ud800', 'ü'.repeat(129)])('rejects %j as a key', async (text) => {
    const hub = createHub({ idempotent: 60_000 })
    await expect(hub.publish(update, { key: text })).rejects.toMatchObject({ code: 'key_invalid', status: 400 })
    expect(hub.status.head).toBe(0)
    await hub.close()
  })

  it.each([-1, Number.NaN, Infinity])('rejects a key TTL of %d ms', (idempotent) => {
    expect(() => createHub({ idempotent })).toThrow('idempotent: expected a number of at least 0')
  })
})
