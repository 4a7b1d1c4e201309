// CORS: origin lists that are rejected at startup, and the response headers for pages of other origins.
import { describe, expect, test } from 'vitest'
import { cookieNames, requestWith, roles, startKeyedServer, validToken } from '../support/auth/token-sources.ts'
import { ask } from '../support/http/http.ts'
import { bearer, dialects, form, fresh, hubPath, serverWith, token } from '../support/http/mercure.ts'
import { listPath } from '../support/hub/presence.ts'
import { tidings } from '../support/servers/cli.ts'

const refusedEntries: readonly [string, RegExp][] = [
  ['https://example.com/', /ends with a slash/],
  ['https://example.com/path', /has a path/],
  ['https://user@example.com', /names a user/],
  ['https://example.com?a=b', /has a query/],
  ['https://example.com#a', /has a fragment/],
  ['https://example.com:0', /port/],
  ['https://example.com:65536', /port/],
  ['https://example.com:http', /port/],
  ['https://*.com', /too wide/],
  ['https://www.*.com', /wildcard/],
  ['example.com', /scheme/],
  ['NULL', /scheme/]
]

describe.each(['--cors-origins', '--publish-origins'])('%s', (option) => {
  test.each(refusedEntries)('Z5 rejects %s in one line that names option and entry', async (entry, why) => {
    const { code, stdout, stderr } = await tidings(['serve', '--port', '0', option, `https://a.example ${entry}`])
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^tidings: .*\n$/)
    expect(stderr).toContain(`${option}: ${JSON.stringify(entry)} is not an origin: `)
    expect(stderr).toMatch(why)
  })

  test('Z5 accepts every valid origin', async () => {
    const all = '*,null,https://example.com http://localhost:3000,capacitor://localhost https://*.example.com'
    expect((await ask(`${(await startKeyedServer(option, all)).url}/`)).status).toBe(200)
  })
})

/** The CORS headers of a response, by name without `Access-Control-`. */
function rightsIn(headers: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(headers).filter(([name]) => name.startsWith('access-control-'))
  return Object.fromEntries(entries.map(([name, value]) => [name.slice('access-control-'.length), value]))
}

const exposed = expect.stringContaining('Mercure-Last-Event-ID')
const withCookies = (origin: string) => ({
  'allow-origin': origin,
  'allow-credentials': 'true',
  'expose-headers': exposed
})
const withoutCookies = (origin: string) => ({ 'allow-origin': origin, 'expose-headers': exposed })

/** A successful request to each path. */
const paths = ['/', '/subscribe', '/publish', '/debug', hubPath, listPath, '/no-such-path']

describe('with a listed site and a wildcard', () => {
  const server = serverWith('--cors-origins', 'https://app.example.com,https://*.example.org', '--subscriptions')

  test.each([
    ['https://app.example.com', true],
    ['https://a.b.example.org', true],
    ['https://example.org', false],
    ['http://app.example.com', false],
    ['https://app.example.com:8443', false],
    ['https://evil.example', false],
    ['null', false]
  ])('Z5 a page of %s may read: %s', async (Origin, may) => {
    for (const path of paths) {
      const { headers } = await ask(`${server.url}${path}`, { headers: { Origin }, method: 'HEAD' })
      expect([path, rightsIn(headers)]).toEqual([path, may ? withCookies(Origin) : {}])
      expect(headers.vary).toContain('Origin')
    }
  })

  test('Z5 without an Origin the response has only Vary: Origin', async () => {
    const { headers } = await ask(`${server.url}/`)
    expect([rightsIn(headers), headers.vary]).toEqual([{}, 'Origin'])
  })

  test.each(dialects)('Z5 streams, publishes and rejections in %s have the headers', async (dialect) => {
    const Origin = 'https://app.example.com'
    for (const role of roles) {
      const accepted = await requestWith(server, role, dialect, {
        headers: { Origin, ...bearer(await validToken(role, dialect)) }
      })
      const refused = await requestWith(server, role, dialect, { headers: { Origin } })
      expect([accepted.status, refused.status]).toEqual([200, 401])
      for (const { headers } of [accepted, refused]) expect(rightsIn(headers)).toEqual(withCookies(Origin))
    }
  })

  test('Z5 every header that a client of Mercure reads is exposed', async () => {
    const { headers } = await ask(server.url, { headers: { Origin: 'https://app.example.com' } })
    const names = String(headers['access-control-expose-headers']).toLowerCase().split(', ')
    for (const name of ['link', 'mercure-last-event-id', 'last-event-id', 'accept-query', 'etag', 'event-id']) {
      expect(names).toContain(name)
    }
  })

  test.each([
    [hubPath, ['GET', 'HEAD', 'POST', 'QUERY']],
    ['/subscribe', ['GET', 'HEAD']],
    ['/publish', ['GET', 'POST']]
  ])('Z5 a preflight for %s needs no token', async (path, methods) => {
    const preflight = { 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'authorization' }
    const headers = { Origin: 'https://app.example.com', ...preflight }
    const answer = await ask(server.url + path, { method: 'OPTIONS', headers })
    expect([answer.status, answer.text]).toEqual([204, ''])
    const { 'allow-headers': allowed, 'allow-methods': allowedMethods, ...rest } = rightsIn(answer.headers)
    expect(String(allowedMethods).split(', ')).toEqual(methods)
    const names = String(allowed).toLowerCase().split(', ')
    expect(names).toEqual(expect.arrayContaining(['authorization', 'cache-control', 'content-type', 'last-event-id']))
    expect(rest).toMatchObject(withCookies('https://app.example.com'))
  })

  test('Z5 a preflight of an unknown origin has no CORS headers', async () => {
    const headers = { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'POST' }
    const answer = await ask(server.hub, { method: 'OPTIONS', headers })
    expect([answer.status, rightsIn(answer.headers)]).toEqual([204, {}])
  })
})

describe('with any origin allowed', () => {
  const server = serverWith('--cors-origins', '* null https://app.example.com')

  test.each([
    ['https://any.example', withoutCookies('*')],
    ['capacitor://localhost', withoutCookies('*')],
    ['null', withoutCookies('null')],
    ['https://app.example.com', withCookies('https://app.example.com')]
  ])('Z5 a page of %s is allowed, with credentials only if it is listed', async (Origin, rights) => {
    for (const path of paths) {
      const { headers } = await ask(`${server.url}${path}`, { headers: { Origin }, method: 'HEAD' })
      expect([path, rightsIn(headers)]).toEqual([path, rights])
    }
  })

  test('Z5 * and credentials never occur together, for any Origin', async () => {
    const origins = ['*', 'https://*.com', 'https://*', '', ' ', 'NULL', 'https://app.example.com/', 'x'.repeat(1_000)]
    for (const Origin of origins) {
      const { headers } = await ask(server.url, { headers: { Origin } })
      expect([Origin, headers['access-control-allow-credentials']]).toEqual([Origin, undefined])
      expect(['*', undefined]).toContain(headers['access-control-allow-origin'])
    }
  })
})

describe('with an empty list', () => {
  const server = serverWith()

  test.each(dialects)('Z5 no page gets CORS headers, not even with a cookie, in %s', async (dialect) => {
    const Cookie = `${cookieNames[dialect]}=${await token(dialect, { subscribe: ['*'] })}`
    const headers = { Origin: 'https://app.example.com', Cookie }
    const stream = await server.follow(dialect, fresh(), { headers })
    expect([stream.status, rightsIn(stream.headers), stream.headers.vary]).toEqual([200, {}, undefined])
    const preflight = await ask(`${server.hub}?${form({ topic: 'a' })}`, {
      method: 'OPTIONS',
      headers: { ...headers, 'Access-Control-Request-Method': 'POST' }
    })
    expect([preflight.status, rightsIn(preflight.headers)]).toEqual([204, {}])
  })
})
