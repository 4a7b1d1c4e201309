// Access control of the simple endpoints of a server with keys, with tokens of both dialects.
import { describe, expect, it } from 'vitest'
import { ask } from '../support/http/http.ts'
import { bearer, dialects, form, fresh, keys, serverWith, token } from '../support/http/mercure.ts'
import { attempt, patternGrant, publisher, reader, unsigned } from '../support/http/mercure-dialects.ts'
import { listen } from '../support/http/sse-client.ts'

const server = serverWith()
const publicServer = serverWith('--anonymous')
const json = { Accept: 'application/json' }
const ndjson = { 'Content-Type': 'application/x-ndjson' }

/** Publishes a text at the simple endpoint. */
const post = (fields: Record<string, string | readonly string[]>, headers: Record<string, string> = {}, body = 'x') =>
  ask(`${server.url}/publish?${form(fields)}`, {
    method: 'POST',
    headers: { 'Content-Type': 'text/plain', ...headers },
    body
  })

const refusals = {
  none: { status: 401, headers: { 'www-authenticate': 'Bearer' } },
  invalid: { status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_token"' } },
  malformed: { status: 400, headers: { 'www-authenticate': 'Bearer error="invalid_request"' } },
  scope: { status: 403, headers: { 'www-authenticate': 'Bearer error="insufficient_scope"' } }
}

type Presented = readonly [what: string, headers: () => Promise<Record<string, string>>, refusal: object]

describe.each(['/publish', '/subscribe', '/debug'])('%s of a server with keys', (path) => {
  const role = path === '/publish' ? { publish: ['*'] } : { subscribe: ['*'] }

  const presented: readonly Presented[] = [
    ['no token', async () => ({}), refusals.none],
    ['text that is not a token', async () => bearer('x'.repeat(50)), refusals.invalid],
    ['a header that is not understood', async () => ({ Authorization: 'Basic eDp4' }), refusals.malformed],
    ['an unsigned token', async () => bearer(unsigned('1.0')), refusals.invalid],
    ...dialects.flatMap((dialect) => [
      [
        `a token of ${dialect} for the other role`,
        async () => bearer(await token(dialect, { ...role, key: keys[path === '/publish' ? 'subscribe' : 'publish'] })),
        refusals.invalid
      ] satisfies Presented,
      [
        `an expired token of ${dialect}`,
        async () => bearer(await token(dialect, { ...role, expiresIn: -1 })),
        refusals.invalid
      ] satisfies Presented
    ])
  ]

  it.each(presented)('rejects %s', async (_, present, refusal) => {
    expect(await ask(server.url + path, { headers: await present() })).toMatchObject(refusal)
  })

  it('reports the error as JSON if the client accepts JSON', async () => {
    const answer = await ask(server.url + path, { headers: json })
    expect(answer.json()).toMatchObject({ error: { code: 'token_missing' } })
  })
})

describe('the live page of a server with keys', () => {
  it('needs no token', async () => {
    expect((await ask(server.url)).status).toBe(200)
  })
})

describe.each(dialects)('POST /publish with a token of %s', (dialect) => {
  it('publishes to topics that the token covers', async () => {
    const [exact, covered] = [fresh(), fresh('1')]
    const grants = [exact, patternGrant(dialect, covered.replace(/\/1$/, ''))]
    const headers = await publisher(dialect, grants)
    const { answer, published } = await attempt(server, () => post({ topic: [exact, covered] }, headers, 'hello'))
    expect([answer.status, published]).toEqual([200, ['hello']])
  })

  it('rejects an update with a topic that the token does not cover', async () => {
    const headers = await publisher(dialect, ['covered'])
    const { answer, published } = await attempt(server, () => post({ topic: ['covered', 'other'] }, headers))
    expect(answer).toMatchObject(refusals.scope)
    expect(published).toEqual([])
  })

  it('rejects the default topic if the token does not cover it, for POST and GET', async () => {
    const headers = await publisher(dialect, ['covered'])
    expect(await post({}, headers)).toMatchObject(refusals.scope)
    expect(await ask(`${server.url}/publish`, { headers })).toMatchObject(refusals.scope)
    expect((await ask(`${server.url}/publish`, { headers: await publisher(dialect, ['default']) })).status).toBe(200)
  })

  it('rejects a whole batch if the token does not cover one topic', async () => {
    const headers = { ...ndjson, ...(await publisher(dialect, ['a'])) }
    const lines = ['{"topic":"a","data":"1"}', '{"topics":["a","b"],"data":"2"}', '{"topic":"a","data":"3"}']
    const { answer, published } = await attempt(server, () => post({}, headers, lines.join('\n')))
    expect(answer).toMatchObject(refusals.scope)
    expect(published).toEqual([])
  })

  it.each([
    '/.well-known/mercure/subscriptions/x',
    'mercure/x',
    'https://e/.well-known/%6Dercure/x',
    '\\.well-known\\mercure\\x'
  ])('rejects %s, which is reserved for the hub, with any token', async (topic) => {
    const headers = await publisher(dialect)
    const single = await attempt(server, () => post({ topic }, headers))
    const batch = `{"topic":"free"}\n${JSON.stringify({ topics: ['free', topic] })}`
    const several = await attempt(server, () => post({}, { ...headers, ...ndjson }, batch))
    expect([single.answer.status, several.answer.status]).toEqual([403, 403])
    expect([...single.published, ...several.published]).toEqual([])
  })
})

describe.each(dialects)('GET /subscribe with a token of %s', (dialect) => {
  const follow = async (topic: string, grants: readonly unknown[]) =>
    listen(`${server.url}/subscribe?${form({ topic })}`, await reader(dialect, grants))

  it('delivers private updates to clients that may read one of the topics, live and from history', async () => {
    const [topic, alternate] = [fresh('a'), fresh('b')]
    const grants = [[topic], [alternate], [patternGrant(dialect, alternate.replace(/\/b$/, ''))], ['*'], [fresh()], []]
    const live = await Promise.all(grants.map((grant) => follow(topic, grant)))
    const headers = await publisher(dialect)
    await post({ topic: [topic, alternate], private: '' }, headers, 'private')
    await post({ topic }, headers, 'public')
    const url = `${server.url}/subscribe?${form({ topic, last_event_id: 'earliest' })}`
    const replayed = await Promise.all(grants.map(async (grant) => listen(url, await reader(dialect, grant))))
    for (const streams of [live, replayed]) {
      for (const stream of streams) await stream.until(({ data }) => data.includes('public'))
      const seen = streams.map(({ data }) => data.join())
      expect(seen).toEqual([...Array<string>(4).fill('private,public'), 'public', 'public'])
    }
  })

  it('ends when the token expires, with the reason that /debug shows', async () => {
    const exp = Math.floor(Date.now() / 1_000) + 4
    const stream = await listen(`${server.url}/subscribe`, await reader(dialect, [], { claims: { exp } }))
    await stream.until(({ ended }) => ended)
    const headers = { ...json, ...(await reader(dialect, ['/debug'])) }
    const { closes } = (await ask(`${server.url}/debug`, { headers })).json() as {
      closes: { reason: string; at: number }[]
    }
    const close = closes.find(({ reason }) => reason === 'expired')
    // The client observes it later on a busy machine, so the time is that of the server.
    expect(close?.at).toBeLessThanOrEqual(exp * 1_000 + 1_000)
  })
})

describe('GET /subscribe with a token in the query or a cookie', () => {
  it('accepts a 0.x token from either, and is not confused by the parameter', async () => {
    const found = await token('0.x', { subscribe: ['*'] })
    const query = form({ topic: 'a', authorization: found })
    expect((await listen(`${server.url}/subscribe?${query}`)).status).toBe(200)
    const cookie = { Cookie: `other=1; mercureAuthorization=${found}` }
    expect((await listen(`${server.url}/subscribe`, cookie)).status).toBe(200)
  })

  it('accepts a 1.0 token from its cookie, but not from the query', async () => {
    const found = await token('1.0', { subscribe: ['*'] })
    const cookie = { Cookie: `__Secure-mercure_access_token=${found}` }
    expect((await listen(`${server.url}/subscribe`, cookie)).status).toBe(200)
    expect(await ask(`${server.url}/subscribe?${form({ authorization: found })}`)).toMatchObject(refusals.none)
  })
})

describe.each(dialects)('GET /debug with a token of %s', (dialect) => {
  it('requires permission to read the topic /debug', async () => {
    const status = async (grants: readonly unknown[]) =>
      (await ask(`${server.url}/debug`, { headers: await reader(dialect, grants) })).status
    expect([await status(['/debug']), await status(['*']), await status(['/']), await status([])]).toEqual([
      200, 200, 403, 403
    ])
  })

  it('states the reason of a rejection', async () => {
    expect(await ask(`${server.url}/debug`, { headers: await reader(dialect) })).toMatchObject(refusals.scope)
  })
})

describe('a server with keys and --anonymous', () => {
  const post = async (fields: Record<string, string>, body: string) =>
    ask(`${publicServer.url}/publish?${form(fields)}`, { method: 'POST', headers: await publisher('1.0'), body })

  it('allows clients without a token to read public updates, and nothing else', async () => {
    const stream = await listen(`${publicServer.url}/subscribe`)
    const friend = await listen(`${publicServer.url}/subscribe`, await reader('0.x', ['*']))
    await post({ private: '' }, 'private')
    await post({}, 'public')
    expect(await friend.received(2)).toEqual(['private', 'public'])
    expect(await stream.received(1)).toEqual(['public'])
  })

  it('rejects an invalid token, also where none is required', async () => {
    const headers = await reader('1.0', ['*'], { expiresIn: -1 })
    expect(await ask(`${publicServer.url}/subscribe`, { headers })).toMatchObject(refusals.invalid)
  })

  it('shows no subscribers and allows no publish without a token', async () => {
    expect(await ask(`${publicServer.url}/debug`)).toMatchObject(refusals.scope)
    expect(await ask(`${publicServer.url}/publish`, { method: 'POST', body: 'x' })).toMatchObject(refusals.none)
  })
})
