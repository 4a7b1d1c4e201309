// POST /revoke, GET and DELETE /revocations, and what they do to tokens, streams and updates in both APIs and dialects.
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createHub, type HandlerOptions, MemoryLog } from '../../dist/index.js'
import { ask, post, serve } from '../support/http/http.ts'
import { audience, bearer, type Dialect, dialects, hubPath, keys, type Rights, token } from '../support/http/mercure.ts'
import { listen } from '../support/http/sse-client.ts'
import { holdRoster } from '../support/hub/roster.ts'

const keyed: HandlerOptions = {
  publisherKey: keys.publish,
  subscriberKey: keys.subscribe,
  audience: [audience],
  subscriptions: true
}
const json = { 'Content-Type': 'application/json', Accept: 'application/json' }
const errorOf = (answer: { json(): unknown }) => (answer.json() as { error: { code: string; message: string } }).error
const now = () => Math.floor(Date.now() / 1_000)

/** A token that grants operating, made independently of the product. */
function operator(dialect: Dialect = '1.0', rights: Rights = {}): Promise<string> {
  const claims = dialect === '1.0' ? { authorization_details: [{ type: 'tidings:operate' }] } : operateClaim
  return token(dialect, { key: keys.publish, ...rights, claims: { ...claims, ...rights.claims } })
}
const operateClaim = { mercure: { 'tidings:operate': true } }

async function revoke(url: string, body: unknown, headers?: Record<string, string>) {
  const rights = headers ?? bearer(await operator())
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return ask(`${url}/revoke`, { method: 'POST', body: text, headers: { ...json, ...rights } })
}

/** Requests that need a token of the role, by name. Each returns its status. */
const requests = {
  publish: {
    simple: (url: string, headers: Record<string, string>) => post(`${url}/publish?topic=a`, 'x', headers),
    mercure: (url: string, headers: Record<string, string>) =>
      ask(url + hubPath, {
        method: 'POST',
        body: 'topic=a&data=x',
        headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers }
      })
  },
  subscribe: {
    simple: (url: string, headers: Record<string, string>) =>
      ask(`${url}/subscribe?topic=a`, { method: 'HEAD', headers }),
    mercure: (url: string, headers: Record<string, string>) =>
      ask(`${url}${hubPath}?match=a`, { method: 'HEAD', headers }),
    'mercure 0.x': (url: string, headers: Record<string, string>) =>
      ask(`${url}${hubPath}?topic=a`, { method: 'HEAD', headers }),
    debug: (url: string, headers: Record<string, string>) => ask(`${url}/debug`, { headers }),
    list: (url: string, headers: Record<string, string>) => ask(`${url}${hubPath}/subscriptions`, { headers })
  }
}

describe('who may revoke on a server with keys', () => {
  it.each(dialects)('a token of %s with the grant', async (dialect) => {
    const { url, hub } = await serve({}, keyed)
    const answer = await revoke(url, { jti: '7' }, bearer(await operator(dialect)))
    expect([answer.status, answer.text, hub.status.revocations]).toEqual([204, '', 1])
  })

  it.each<[string, () => Promise<Record<string, string>>, number, string]>([
    ['no token', async () => ({}), 401, 'token_missing'],
    ['no valid token', async () => bearer('x'.repeat(50)), 401, 'token_invalid'],
    ['an expired token', async () => bearer(await operator('1.0', { expiresIn: -1 })), 401, 'token_invalid'],
    ['a token for everything else', async () => bearer(await token('1.0', { publish: ['*'] })), 403, 'not_granted'],
    ['the same of 0.x', async () => bearer(await token('0.x', { publish: ['*'] })), 403, 'not_granted'],
    [
      "a grant with the subscribers' key",
      async () => bearer(await operator('1.0', { key: keys.subscribe })),
      401,
      'token_invalid'
    ],
    ['the same of 0.x', async () => bearer(await operator('0.x', { key: keys.subscribe })), 401, 'token_invalid'],
    [
      'a cookie without an origin',
      async () => ({ Cookie: `mercureAuthorization=${await operator('0.x')}` }),
      403,
      'cookie_refused'
    ],
    [
      'a cookie from another site',
      async () => ({ Cookie: `mercureAuthorization=${await operator('0.x')}`, Origin: 'https://evil.example' }),
      403,
      'cookie_refused'
    ]
  ])('not %s', async (_, headers, status, code) => {
    const { url, hub } = await serve({}, keyed)
    const answer = await revoke(url, { jti: '7' }, await headers())
    expect([answer.status, errorOf(answer).code, hub.status.revocations]).toEqual([status, code, 0])
  })

  it('a cookie from an own page', async () => {
    const { url } = await serve({}, keyed)
    const headers = { Cookie: `mercureAuthorization=${await operator('0.x')}`, Origin: url }
    expect((await revoke(url, { jti: '7' }, headers)).status).toBe(204)
  })

  it('not an operator whose own token is revoked', async () => {
    const { url } = await serve({}, keyed)
    const own = bearer(await operator('1.0', { claims: { jti: 'own' } }))
    expect((await revoke(url, { jti: 'own' }, own)).status).toBe(204)
    const answer = await revoke(url, { jti: '7' }, own)
    expect([answer.status, errorOf(answer).code]).toEqual([401, 'token_revoked'])
  })
})

describe('who may revoke on a server without keys', () => {
  it('everyone on its machine, when only that can reach it', async () => {
    const { url, hub } = await serve({}, { localOnly: true })
    expect((await revoke(url, { topic: 'a' }, {})).status).toBe(204)
    expect(hub.status.revocations).toBe(1)
  })

  it.each<[string, HandlerOptions, Record<string, string>, string]>([
    ['anybody on an open server', {}, {}, 'not_granted'],
    ['a page of another site', { localOnly: true }, { Origin: 'https://evil.example' }, 'origin_refused'],
    ['a client with an application that decides', { authorize: 'http://127.0.0.1:9/' }, {}, 'not_granted'],
    ['the same on one machine', { authorize: 'http://127.0.0.1:9/', localOnly: true }, {}, 'not_granted'],
    [
      'a client behind a proxy on the machine',
      { localOnly: true, trustedProxies: ['127.0.0.1'] },
      { 'X-Forwarded-For': '203.0.113.7' },
      'not_granted'
    ]
  ])('not %s', async (_, options, headers, code) => {
    const { url, hub } = await serve({}, options)
    const answer = await revoke(url, { topic: 'a' }, headers)
    expect([answer.status, errorOf(answer).code, hub.status.revocations]).toEqual([403, code, 0])
  })
})

describe('/revocations', () => {
  const list = async (url: string, query = '') =>
    (await ask(`${url}/revocations${query}`, { headers: { ...json, ...bearer(await operator()) } })).json()
  const lift = async (url: string, query: string, rights?: Record<string, string>) =>
    ask(`${url}/revocations?${query}`, {
      method: 'DELETE',
      headers: { ...json, ...(rights ?? bearer(await operator())) }
    })

  it('lists what is revoked, the newest first, with times in seconds', async () => {
    const { url, hub } = await serve({}, keyed)
    const until = now() + 60
    expect(await list(url)).toEqual({ total: 0, revocations: [] })
    for (const body of [{ jti: '7' }, { subject: 'änn', until }]) {
      await revoke(url, body)
      await expect.poll(() => Date.now() > (hub.revocations.list()[0]?.at ?? 0)).toBe(true)
    }
    const [ann, seven] = hub.revocations.list().map(({ at }) => Math.floor(at / 1_000))
    const first = { subject: 'änn', at: ann, until }
    expect(await list(url)).toEqual({ total: 2, revocations: [first, { jti: '7', at: seven }] })
    expect(await list(url, '?limit=1')).toEqual({ total: 2, revocations: [first] })
    const { jti } = await tokenAt(url)
    expect(jti).toBe(401)
  })

  /** The status of publishing with the revoked tokens. */
  async function tokenAt(url: string) {
    const status = async (claims: Record<string, unknown>) =>
      (await post(`${url}/publish`, 'x', bearer(await token('1.0', { publish: ['*'], claims })))).status
    return { jti: await status({ jti: '7' }), sub: await status({ sub: 'änn' }) }
  }

  it('lifts what is revoked: tokens are accepted again', async () => {
    const { url } = await serve({}, keyed)
    for (const body of [{ jti: '7' }, { subject: 'änn' }]) await revoke(url, body)
    expect(await tokenAt(url)).toEqual({ jti: 401, sub: 401 })
    const answer = await lift(url, `subject=${encodeURIComponent('änn')}`)
    expect([answer.status, answer.text]).toEqual([204, ''])
    expect(await tokenAt(url)).toEqual({ jti: 401, sub: 200 })
    expect((await lift(url, 'jti=7')).status).toBe(204)
    expect(await tokenAt(url)).toEqual({ jti: 200, sub: 200 })
  })

  it('lifts for an operator whose address is revoked', async () => {
    const { url } = await serve({}, keyed)
    await revoke(url, { address: '127.0.0.1', until: now() + 60 })
    expect(await tokenAt(url)).toEqual({ jti: 403, sub: 403 })
    expect((await lift(url, 'address=127.0.0.1')).status).toBe(204)
    expect(await tokenAt(url)).toEqual({ jti: 200, sub: 200 })
  })

  it.each<[string, number, string, string]>([
    ['jti=8', 404, 'revocation_missing', 'no revocation of this jti is in force'],
    ['', 400, 'revocation_invalid', 'give exactly one of subject, jti, topic and address'],
    ['jti=7&subject=ann', 400, 'revocation_invalid', 'give exactly one of subject, jti, topic and address'],
    ['jti=7&jti=7', 400, 'parameter_repeated', '"jti"'],
    ['sub=ann', 400, 'parameter_unknown', 'the parameters are subject, jti, topic, address'],
    ['address=example.com', 400, 'revocation_invalid', 'address must be an IP address without a port']
  ])('lifts nothing for %j', async (query, status, code, reason) => {
    const { url, hub } = await serve({}, keyed)
    await revoke(url, { jti: '7' })
    const answer = await lift(url, query)
    expect([answer.status, errorOf(answer).code, hub.status.revocations]).toEqual([status, code, 1])
    expect(errorOf(answer).message).toContain(reason)
  })

  it.each(['0', '-1', 'x', '1&limit=2'])('refuses or clamps limit=%s', async (limit) => {
    const { url } = await serve({}, keyed)
    await revoke(url, { jti: '7' })
    const answer = (await list(url, `?limit=${limit}`)) as { total?: number; error?: { code: string } }
    if (limit === '0') expect(answer).toEqual({ total: 1, revocations: [] })
    else expect(answer.error?.code).toMatch(/^(limit_invalid|parameter_repeated)$/)
  })

  it.each<[string, () => Promise<Record<string, string>>, number]>([
    ['no token', async () => ({}), 401],
    ['a token for everything else', async () => bearer(await token('1.0', { publish: ['*'], subscribe: ['*'] })), 403]
  ])('are neither listed nor lifted with %s', async (_, headers, status) => {
    const { url, hub } = await serve({}, keyed)
    await revoke(url, { jti: '7' })
    const rights = await headers()
    expect((await ask(`${url}/revocations`, { headers: { ...json, ...rights } })).status).toBe(status)
    expect((await lift(url, 'jti=7', rights)).status).toBe(status)
    expect(hub.status.revocations).toBe(1)
    expect(await ask(`${url}/revocations`, { method: 'POST' })).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD, DELETE' }
    })
  })
})

describe('a request that cannot be understood', () => {
  it.each<[string, unknown, string]>([
    ['no body', '', 'the body is not JSON'],
    ['no object', '["a"]', 'the body is not a JSON object'],
    ['no target', {}, 'give exactly one of subject, jti, topic and address'],
    ['two targets', { jti: '7', topic: 'a' }, 'give exactly one of subject, jti, topic and address'],
    ['an unknown member', { sub: 'ann' }, 'unknown member "sub"; the members are subject, jti, topic, address, until'],
    ['a number', { jti: 7 }, 'jti must be a text of at least one character'],
    ['null', { jti: null }, 'jti must be a text of at least one character'],
    ['too long a text', { subject: 'x'.repeat(4_097) }, 'the limit of subject is 4096 bytes, got 4097'],
    ['a host name', { address: 'example.com' }, 'address must be an IP address without a port, got "example.com"'],
    ['an end that is text', { jti: '7', until: '1h' }, 'until must be a number of seconds since 1970'],
    ['an end that is null', { jti: '7', until: null }, 'until must be a number of seconds since 1970'],
    ['an end in the past', { jti: '7', until: now() - 1 }, 'until is in the past; check its unit'],
    ['an end in milliseconds', { jti: '7', until: Date.now() + 60_000 }, 'until is after the year 9999; check its unit']
  ])('is refused with the reason: %s', async (_, body, reason) => {
    const { url, hub } = await serve({}, keyed)
    const answer = await revoke(url, body)
    expect([answer.status, errorOf(answer).code, hub.status.head]).toEqual([400, 'revocation_invalid', 0])
    expect(errorOf(answer).message).toContain(reason)
  })

  it('is refused for its type, its size, its parameters, and its method', async () => {
    const { url } = await serve({}, { ...keyed, maxBody: 100 })
    const rights = bearer(await operator())
    const code = async (answer: Promise<{ json(): unknown }>) => errorOf(await answer).code
    expect(await code(revoke(url, 'jti=7', { ...rights, 'Content-Type': 'application/x-www-form-urlencoded' }))).toBe(
      'content_type_invalid'
    )
    expect(await code(revoke(url, { jti: 'x'.repeat(100) }))).toBe('body_too_large')
    const body = JSON.stringify({ jti: '7' })
    const headers = { ...json, ...rights }
    expect(await code(ask(`${url}/revoke?jti=7`, { method: 'POST', body, headers }))).toBe('parameter_unknown')
    expect(await ask(`${url}/revoke`)).toMatchObject({ status: 405, headers: { allow: 'POST' } })
  })

  it('gets 507 when the list is full, and nothing is revoked', async () => {
    const { url, hub } = await serve({}, keyed)
    for (let number = 0; number < 10_000; number++) await hub.revoke({ jti: String(number) })
    const answer = await revoke(url, { subject: 'ann' })
    expect([answer.status, errorOf(answer).code]).toEqual([507, 'revocations_too_many'])
    const own = bearer(await token('1.0', { publish: ['*'], claims: { sub: 'ann' } }))
    expect((await requests.publish.simple(url, own)).status).toBe(200)
  })

  it('gets the error of the log, and nothing is revoked', async () => {
    const log = new MemoryLog()
    const { url, hub } = await serve({ log }, keyed)
    await hub.revocations.loaded()
    await log.close()
    const answer = await revoke(url, { jti: '7' })
    expect([answer.status, errorOf(answer).code, hub.status.revocations]).toEqual([503, 'closed', 0])
  })
})

describe.each(dialects)('a revoked token of %s', (dialect) => {
  const make = (role: 'publish' | 'subscribe', claims: Record<string, unknown>) =>
    token(dialect, { [role]: ['*'], claims })

  it.each(Object.entries(requests.publish))('may not publish any more: %s', async (api, request) => {
    const { url, hub } = await serve({}, keyed)
    const rights = bearer(await make('publish', { jti: '7' }))
    // The grants are now in the cache.
    expect((await request(url, rights)).status).toBe(200)
    expect((await revoke(url, { jti: '7' })).status).toBe(204)
    const { head } = hub.status
    const answer = await request(url, rights)
    expect([answer.status, hub.status.head]).toEqual([401, head])
    if (api === 'simple') expect(answer.headers['www-authenticate']).toBe('Bearer error="invalid_token"')
    else if (dialect === '0.x')
      expect([answer.text, answer.headers['www-authenticate']]).toEqual(['Unauthorized\n', 'Bearer'])
    else expect(answer.headers['www-authenticate']).toContain('error="invalid_token", resource_metadata=')
    expect((await request(url, bearer(await make('publish', { jti: '8' })))).status).toBe(200)
  })

  it.each(Object.entries(requests.subscribe))('may not read any more: %s', async (name, request) => {
    if (name === (dialect === '1.0' ? 'mercure 0.x' : 'mercure')) return
    const { url } = await serve({}, keyed)
    const rights = bearer(await make('subscribe', { sub: 'ann' }))
    expect((await request(url, rights)).status).toBe(200)
    expect((await revoke(url, { subject: 'ann' })).status).toBe(204)
    expect((await request(url, rights)).status).toBe(401)
    expect((await request(url, bearer(await make('subscribe', { sub: 'bob' })))).status).toBe(200)
  })

  it('loses its streams in both APIs, and others keep theirs', async () => {
    const { url, hub } = await serve({}, keyed)
    const paths = ['/subscribe?topic=a', `${hubPath}?${dialect === '1.0' ? 'match' : 'topic'}=a`]
    const open = async (claims: Record<string, unknown>) => {
      const rights = bearer(await make('subscribe', claims))
      return Promise.all(paths.map((path) => listen(url + path, rights)))
    }
    const [revoked, others] = [await open({ jti: '7', sub: 'ann' }), await open({ sub: 'ann' })]
    await revoke(url, { jti: '7' })
    for (const stream of revoked) await stream.until(({ ended }) => ended)
    expect(others.map(({ ended }) => ended)).toEqual([false, false])
    expect(hub.stats.closes.map(({ reason }) => reason)).toEqual(['revoked', 'revoked'])
    expect(hub.status.subscribers).toBe(2)
  })

  it('is older than the revocation, or as old; a newer one of the subject is valid', async () => {
    const { url, hub } = await serve({}, keyed)
    await revoke(url, { subject: 'ann' })
    const second = Math.floor((hub.revocations.list()[0]?.at as number) / 1_000)
    const status = async (iat: unknown) =>
      (await requests.publish.simple(url, bearer(await make('publish', { sub: 'ann', iat })))).status
    expect([await status(undefined), await status(second - 1), await status(second + 2)]).toEqual([401, 401, 200])
    expect(hub.revocations.refusalOf({ token: { subject: 'ann', issuedAt: Date.now() - 60_000 } })).toBe(
      'token_revoked'
    )
  })

  it('in another place than the header is refused too', async () => {
    const { url } = await serve({}, keyed)
    const found = await make('subscribe', { jti: '7' })
    const name = dialect === '1.0' ? '__Secure-mercure_access_token' : 'mercureAuthorization'
    const request = () => requests.subscribe.simple(url, { Cookie: `${name}=${found}` })
    expect((await request()).status).toBe(200)
    await revoke(url, { jti: '7' })
    expect((await request()).status).toBe(401)
  })
})

describe('a token without jti and sub', () => {
  it('is concerned by its topic and its address only', async () => {
    const { url } = await serve({}, keyed)
    const rights = bearer(await token('1.0', { subscribe: ['*'] }))
    const stream = await listen(`${url}/subscribe?topic=a`, rights)
    for (const revocation of [{ jti: 'undefined' }, { subject: 'undefined' }]) await revoke(url, revocation)
    expect((await requests.subscribe.simple(url, rights)).status).toBe(200)
    await revoke(url, { topic: 'a' })
    await stream.until(({ ended }) => ended)
    expect((await requests.subscribe.simple(url, rights)).status).toBe(200)
  })
})

describe('a revoked topic', () => {
  it('is refused to new streams until its end, in both APIs', async () => {
    const { url } = await serve({}, keyed)
    const rights = bearer(await token('1.0', { subscribe: ['*'] }))
    const older = bearer(await token('0.x', { subscribe: ['*'] }))
    const stream = await listen(`${url}/subscribe?topic=a&topic=b`, rights)
    await revoke(url, { topic: 'a', until: now() + 60 })
    await stream.until(({ ended }) => ended)
    const simple = await ask(`${url}/subscribe?topic=a`, { headers: { ...rights, Accept: 'application/json' } })
    expect([simple.status, errorOf(simple).code]).toEqual([403, 'revoked'])
    const status = async (path: string, headers: Record<string, string>) =>
      (await ask(url + path, { method: 'HEAD', headers })).status
    expect(await status(`${hubPath}?match=a`, rights)).toBe(403)
    expect(await status(`${hubPath}?topic=a`, older)).toBe(401)
    expect(await status(`${hubPath}?match=b`, rights)).toBe(200)
    expect(await status('/subscribe', rights)).toBe(200)
    // Publishing to it goes on.
    expect((await requests.publish.simple(url, bearer(await token('1.0', { publish: ['a'] })))).status).toBe(200)
  })
})

describe('a revoked address', () => {
  const at = (address: string) => ({ 'X-Forwarded-For': address })
  const proxied: HandlerOptions = { trustedProxies: ['127.0.0.1'] }

  it('loses its streams, and may not subscribe or publish until its end', async () => {
    const { url, hub } = await serve({}, proxied)
    const streams = await Promise.all(
      ['203.0.113.7', '203.0.113.8', '2001:db8::1', '2001:DB8:0::1'].map((address) =>
        listen(`${url}/subscribe`, at(address))
      )
    )
    await hub.revoke({ address: '203.0.113.7', until: Date.now() + 60_000 })
    await hub.revoke({ address: '2001:db8:0:0::1', until: Date.now() + 60_000 })
    for (const stream of [streams[0], streams[2], streams[3]]) await stream?.until(({ ended }) => ended)
    expect(streams[1]?.ended).toBe(false)
    const { head } = hub.status
    for (const address of ['203.0.113.7', '2001:DB8::1', '::ffff:203.0.113.7']) {
      for (const path of ['/subscribe', `${hubPath}?match=a`]) {
        expect((await ask(url + path, { method: 'HEAD', headers: at(address) })).status).toBe(403)
      }
      for (const request of Object.values(requests.publish)) expect((await request(url, at(address))).status).toBe(403)
      expect((await ask(`${url}/publish`, { headers: at(address) })).status).toBe(403)
    }
    expect(hub.status.head).toBe(head)
    expect((await requests.publish.simple(url, at('203.0.113.8'))).status).toBe(200)
  })

  it('is that of a direct client, without its port', async () => {
    const { url, hub } = await serve()
    const stream = await listen(`${url}/subscribe`)
    await hub.revoke({ address: '127.0.0.1' })
    await stream.until(({ ended }) => ended)
    // Without an end, the client may come back.
    expect((await ask(`${url}/subscribe`, { method: 'HEAD' })).status).toBe(200)
  })

  it('can still be operated from', async () => {
    const { url, hub } = await serve({}, keyed)
    await hub.revoke({ address: '127.0.0.1', until: Date.now() + 60_000 })
    expect((await revoke(url, { jti: '7' })).status).toBe(204)
  })
})

describe('a revocation while a stream begins', () => {
  it('refuses the stream before its response starts', async () => {
    const log = new MemoryLog()
    const newest = log.newest.bind(log)
    let release = () => {}
    const searching = new Promise<void>((started) => {
      log.newest = async (...args) => {
        started()
        await new Promise<void>((resolve) => {
          release = resolve
        })
        return newest(...args)
      }
    })
    const { url, hub } = await serve({ log }, keyed)
    const answer = ask(`${url}/subscribe?last=1`, {
      headers: bearer(await token('1.0', { subscribe: ['*'], claims: { jti: '7' } }))
    })
    await searching
    await hub.revoke({ jti: '7' })
    release()
    expect((await answer).status).toBe(401)
    expect(hub.status.subscribers).toBe(0)
  })

  it('refuses an update whose body was not complete', async () => {
    const { url, hub } = await serve({}, keyed)
    const rights = bearer(await token('1.0', { publish: ['*'], claims: { jti: '7' } }))
    const answer = new Promise<number>((resolve, reject) => {
      const sent = request(`${url}/publish`, { method: 'POST', headers: { ...rights, 'Content-Type': 'text/plain' } })
      sent.on('response', (response) => resolve(response.resume().statusCode ?? 0)).on('error', reject)
      sent.write('half')
      // By then the token was verified, and the server waits for the rest of the body.
      void sleep(100)
        .then(() => hub.revoke({ jti: '7' }))
        .then(() => sent.end('whole'))
    })
    expect(await answer).toBe(401)
    expect(hub.status.head).toBe(1)
  })
})

describe('a server that has not read the list of revocations yet', () => {
  it.each(['/debug', '/subscribe?topic=a', `${hubPath}?match=a`])('answers nobody before it has: %s', async (path) => {
    const log = new MemoryLog()
    const before = createHub({ log })
    await before.revoke({ jti: '7' })
    const release = holdRoster(log)
    const { url } = await serve({ log }, keyed)
    const rights = bearer(await token('1.0', { subscribe: ['*'], claims: { jti: '7' } }))
    let isAnswered = false
    const answer = ask(url + path, { headers: rights }).finally(() => {
      isAnswered = true
    })
    await sleep(100)
    expect(isAnswered).toBe(false)
    release()
    expect((await answer).status).toBe(401)
  })
})

it('a closed hub revokes nothing', async () => {
  const hub = createHub()
  await hub.revoke({ jti: '7' })
  expect(hub.revocations.refusalOf({ token: { jti: '7' } })).toBe('token_revoked')
  await hub.close()
  await expect(hub.revoke({ jti: '8' })).rejects.toMatchObject({ code: 'closed' })
})
