// Token sources over HTTP: header, parameter and cookie, for publishing and for subscribing, in both dialects.
import { describe, expect, test } from 'vitest'
import {
  type Credentials,
  cookieNames,
  credentialsIn,
  forgedTokens,
  requestWith,
  roles,
  site,
  startKeyedServer,
  statusOf,
  validToken
} from '../support/auth/token-sources.ts'
import { ask } from '../support/http/http.ts'
import { type Dialect, dialects, form, serverWith } from '../support/http/mercure.ts'

const server = serverWith('--publish-origins', `${site} https://*.example.org`)
const ways: Record<Dialect, readonly (keyof typeof credentialsIn)[]> = {
  '1.0': ['header', 'cookie'],
  '0.x': ['header', 'query', 'cookie']
}
const cases = dialects.flatMap((dialect) =>
  roles.flatMap((role) => ways[dialect].map((way) => ({ dialect, role, way })))
)

describe.each(cases)('to $role in $dialect by $way', ({ dialect, role, way }) => {
  test('Z1 Z2 a valid token is accepted', async () => {
    expect(await statusOf(server, role, dialect, credentialsIn[way](dialect, await validToken(role, dialect)))).toBe(
      200
    )
  })

  test.each(Object.keys(forgedTokens))('Z1 Z2 a token %s is rejected', async (what) => {
    const forged = await (forgedTokens[what] as (typeof forgedTokens)[string])(role, dialect)
    const { status, headers } = await requestWith(server, role, dialect, credentialsIn[way](dialect, forged))
    expect(status).toBe(401)
    if (dialect === '1.0') expect(headers['www-authenticate']).toMatch(/^Bearer error="invalid_token", /)
  })

  test('Z1 Z2 a token without grants cannot publish, and can read public updates', async () => {
    const empty = await validToken(role, dialect, { [role]: undefined })
    const refused = dialect === '1.0' ? 403 : 401
    const status = await statusOf(server, role, dialect, credentialsIn[way](dialect, empty))
    expect(status).toBe(role === 'subscribe' ? 200 : refused)
  })
})

describe.each(cases.filter(({ way }) => way === 'header'))('to $role in $dialect', ({ dialect, role }) => {
  const ask = (credentials: Credentials) => statusOf(server, role, dialect, credentials)
  // Such a publish has no readable token that would identify it as 0.x.
  const malformed = dialect === '0.x' && role === 'subscribe' ? 401 : 400

  test('Z1 two Authorization headers are rejected', async () => {
    const bearer = `Bearer ${await validToken(role, dialect)}`
    expect(await ask({ headers: { Authorization: [bearer, bearer] } })).toBe(malformed)
  })

  test.each(['Greater', 'Basic', 'Bearer:', ''])('Z1 the scheme %j is rejected', async (scheme) => {
    const value = `${scheme} ${await validToken(role, dialect)}`.trim()
    expect(await ask({ headers: { Authorization: value } })).toBe(malformed)
  })

  test('Z1 Z4 a lower-case scheme is accepted in 1.0 only', async () => {
    const headers = { Authorization: `bearer ${await validToken(role, dialect)}` }
    expect(await ask({ headers })).toBe(dialect === '1.0' ? 200 : 401)
  })

  test('Z1 the header takes precedence, even if a cookie has a valid token', async () => {
    const token = await validToken(role, dialect)
    const { headers } = credentialsIn.cookie(dialect, token)
    const Authorization = `Bearer ${await validToken(role, dialect, { expiresIn: -1 })}`
    expect(await ask({ headers: { ...headers, Authorization } })).toBe(401)
    expect(await ask({ headers: { ...headers, Authorization: `Bearer ${token}` } })).toBe(200)
  })

  test('Z1 a request without a token is rejected with a challenge', async () => {
    const { status, headers } = await requestWith(server, role, dialect, {})
    expect(status).toBe(401)
    const isModern = dialect === '1.0' || role === 'publish'
    expect(headers['www-authenticate']).toMatch(isModern ? /^Bearer resource_metadata="http[^"]+"$/ : /^Bearer$/)
  })
})

describe('in 0.x', () => {
  test.each(roles)('Z2 two parameters are rejected, to %s', async (role) => {
    const authorization = await validToken(role, '0.x')
    const query = form({ authorization: [authorization, authorization] })
    expect(await statusOf(server, role, '0.x', { query })).toBe(401)
  })

  test.each(roles)('Z1 the namespaced claim takes precedence, to %s', async (role) => {
    const claims = { 'https://mercure.rocks/': { [role]: ['*'] }, mercure: { publish: [], subscribe: [] } }
    const token = await validToken(role, '0.x', { claims })
    expect(await statusOf(server, role, '0.x', credentialsIn.header('0.x', token))).toBe(200)
  })
})

describe('in 1.0', () => {
  test.each(roles)('Z4 a token to %s in a parameter or in the 0.x cookie is ignored', async (role) => {
    const token = await validToken(role, '1.0')
    const credentials: Credentials[] = [
      { query: form({ access_token: token }) },
      { query: form({ authorization: token }) },
      { headers: { Cookie: `${cookieNames['0.x']}=${token}`, Origin: site } }
    ]
    for (const one of credentials) {
      const { status, headers } = await requestWith(server, role, '1.0', one)
      expect([status, headers['www-authenticate']]).toEqual([401, expect.not.stringContaining('error=')])
    }
  })

  test.each(roles)('Z4 a token to %s in a form is ignored', async (role) => {
    const body = form({ topic: 'a', match: 'a', access_token: await validToken(role, '1.0') })
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
    const method = role === 'publish' ? 'POST' : 'QUERY'
    expect((await ask(server.hub, { method, body, headers })).status).toBe(401)
  })
})

/** Headers of a page, and whether they allow a publish with a cookie. */
const pages: readonly [string, Record<string, string>, boolean][] = [
  ['neither header', {}, false],
  ['a known Origin', { Origin: site }, true],
  ['an Origin below a wildcard', { Origin: 'https://a.example.org' }, true],
  ['the bare domain of a wildcard', { Origin: 'https://example.org' }, false],
  ['a foreign Origin', { Origin: 'https://evil.example' }, false],
  ['an Origin that only starts with it', { Origin: `${site}.evil.example` }, false],
  ['another port', { Origin: `${site}:8443` }, false],
  ['the Origin null', { Origin: 'null' }, false],
  ['a known Referer', { Referer: `${site}/page?x=y` }, true],
  ['a foreign Referer', { Referer: 'https://evil.example/' }, false],
  ['a Referer with a known site in its path', { Referer: `https://evil.example/${site}` }, false],
  ['a Referer that is not a URL', { Referer: 'app.example.com' }, false],
  ['a foreign Origin and a known Referer', { Origin: 'https://evil.example', Referer: site }, false],
  ['a known Origin and a foreign Referer', { Origin: site, Referer: 'https://evil.example/' }, true]
]

describe.each(dialects)('with a cookie in %s', (dialect) => {
  const refused = dialect === '1.0' ? 400 : 401
  const cookie = async (name: string = cookieNames[dialect]) => ({
    Cookie: `${name}=${await validToken('publish', dialect)}`
  })

  test.each(pages)('Z3 P9 %s determines whether a page may publish', async (_, page, isVouchedFor) => {
    const { status, headers } = await requestWith(server, 'publish', dialect, {
      headers: { ...(await cookie()), ...page }
    })
    expect(status).toBe(isVouchedFor ? 200 : refused)
    const isTold = dialect === '1.0' && !isVouchedFor
    if (isTold) expect(headers['www-authenticate']).toContain('error="invalid_request"')
  })

  test.each(pages)('Z3 P9 %s determines it at the simple endpoint as well', async (_, page, isVouchedFor) => {
    const options = { method: 'POST', body: 'x', headers: { ...(await cookie()), ...page } }
    expect((await ask(`${server.url}/publish`, options)).status).toBe(isVouchedFor ? 200 : 403)
  })

  test('Z3 P9 a page of the server itself may publish', async () => {
    const headers = { ...(await cookie()), Origin: server.url }
    expect(await statusOf(server, 'publish', dialect, { headers })).toBe(200)
  })

  test('Z3 a page of any origin may subscribe: CORS controls whether it can read', async () => {
    const Cookie = `${cookieNames[dialect]}=${await validToken('subscribe', dialect)}`
    expect(await statusOf(server, 'subscribe', dialect, { headers: { Cookie } })).toBe(200)
    const Origin = 'https://evil.example'
    const { status, headers } = await requestWith(server, 'subscribe', dialect, { headers: { Cookie, Origin } })
    expect([status, headers['access-control-allow-origin']]).toEqual([200, undefined])
  })

  test('Z3 P9 with *, any page that sends its origin may publish', async () => {
    const open = await startKeyedServer('--publish-origins', '*')
    const status = async (page: Record<string, string>) =>
      statusOf(open, 'publish', dialect, { headers: { ...(await cookie()), ...page } })
    expect(await status({ Origin: 'https://any.example' })).toBe(200)
    expect(await status({ Origin: 'null' })).toBe(200)
    expect(await status({})).toBe(refused)
  })

  test('Z3 P9 with null, sandboxed pages may publish, and no others', async () => {
    const open = await startKeyedServer('--publish-origins', 'null')
    const status = async (Origin: string) =>
      statusOf(open, 'publish', dialect, { headers: { ...(await cookie()), Origin } })
    expect([await status('null'), await status('https://any.example')]).toEqual([200, refused])
  })

  test('Z3 P9 --cookie-name replaces the default cookie name', async () => {
    const named = await startKeyedServer('--publish-origins', site, '--cookie-name', 'our.token')
    for (const role of roles) {
      const status = async (name: string) => {
        const headers = { Cookie: `${name}=${await validToken(role, dialect)}`, Origin: site }
        return statusOf(named, role, dialect, { headers })
      }
      expect([await status('our.token'), await status(cookieNames[dialect])]).toEqual([200, 401])
    }
  })
})
