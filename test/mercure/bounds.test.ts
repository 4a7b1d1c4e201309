// Properties of every response of the hub: accepted hosts, size limits, and security headers.
import { describe, expect, test } from 'vitest'
import { type Role, requestWith, roles, validToken } from '../support/auth/token-sources.ts'
import { ask } from '../support/http/http.ts'
import { bearer, type Dialect, dialects, form, fresh, hubPath, serverWith, token } from '../support/http/mercure.ts'
import { listPath, pathOf } from '../support/hub/presence.ts'

const metadataPath = `/.well-known/oauth-protected-resource${hubPath}`

describe('with --public-urls', () => {
  const server = serverWith('--public-urls', 'https://hub.example.com http://other.example:8080', '--subscriptions')

  const cases = dialects.flatMap((dialect) => roles.map((role) => [role, dialect] as const))
  test.each(cases)('T8 to %s in %s, the request host must be one of the public hosts', async (role, dialect) => {
    const status = async (Host: string) =>
      (await requestWith(server, role, dialect, { headers: { Host, ...bearer(await validToken(role, dialect)) } }))
        .status
    const own = [
      'hub.example.com',
      'HUB.example.com',
      'hub.example.com:443',
      'hub.example.com.',
      'hub.example.com.:443',
      'other.example:8080',
      'other.example.:8080'
    ]
    const others = [
      'hub.example.com:8443',
      'hub.example.com:80',
      'hub.example.com..',
      'hub.example.com:443.',
      'other.example:80',
      'evil.example',
      'other.example',
      'localhost',
      'hub.example.com.evil.example'
    ]
    for (const host of own) expect([host, await status(host)]).toEqual([host, 200])
    for (const host of others) expect([host, await status(host)]).toEqual([host, 421])
  })

  test('T8 every other endpoint also rejects another host', async () => {
    for (const path of ['/', '/subscribe', '/publish', '/debug', listPath, metadataPath, '/no-such-path']) {
      expect([path, (await ask(server.url + path)).status]).toEqual([path, 421])
    }
  })

  test('T8 the hub reports its public addresses', async () => {
    const headers = { Host: 'hub.example.com' }
    const { headers: challenged } = await ask(server.hub, { headers })
    const address = /resource_metadata="([^"]*)"/.exec(String(challenged['www-authenticate']))?.[1]
    expect(address).toBe(`https://hub.example.com${metadataPath}`)
    expect((await ask(server.url, { headers })).headers.link).toContain(`<https://hub.example.com${hubPath}>`)
  })
})

describe('with the default limits', () => {
  const server = serverWith('--subscriptions')

  test.each(dialects)(
    'T9 a publish of more than 1 MiB is rejected with 413 in %s, and a smaller one is accepted',
    async (dialect) => {
      const topic = fresh()
      const body = (bytes: number) => `${form({ topic })}&data=`.padEnd(bytes, 'x')
      const rights = bearer(await token(dialect, { publish: ['*'] }))
      expect((await server.post(body(2 ** 20 + 1), rights)).status).toBe(413)
      expect((await server.post(body(2 ** 20), rights)).status).toBe(200)
    }
  )

  test('T9 a QUERY of more than 1 MiB is rejected with 413', async () => {
    const headers = {
      'Content-Type': 'application/x-www-form-urlencoded',
      ...bearer(await validToken('subscribe', '1.0'))
    }
    const body = 'match=a&x='.padEnd(2 ** 20 + 1, 'x')
    expect((await ask(server.hub, { method: 'QUERY', headers, body })).status).toBe(413)
  })

  test.each(dialects)(
    'T9 a request with an invalid token is rejected before its body is read, in %s',
    async (dialect) => {
      const rights = bearer(await token(dialect, { publish: ['*'], expiresIn: -1 }))
      expect((await server.post('x'.repeat(2 ** 20 + 1), rights)).status).toBe(401)
    }
  )

  /** Headers of every response of the Mercure endpoints. */
  const secure = {
    'content-security-policy': "default-src 'self'",
    'x-frame-options': 'DENY',
    'x-content-type-options': 'nosniff',
    'x-xss-protection': '1; mode=block'
  }

  describe.each(dialects)('in %s', (dialect) => {
    test('T10 streams and publishes have the security headers', async () => {
      for (const role of roles) {
        const { status, headers } = await accepted(role, dialect)
        expect([status, headers]).toEqual([200, expect.objectContaining(secure)])
      }
    })

    test('T10 rejections have the security headers', async () => {
      const readable = { headers: bearer(await validToken('subscribe', dialect)) }
      const answers = [
        await requestWith(server, 'publish', dialect, {}),
        await requestWith(server, 'subscribe', dialect, {}),
        await server.post('', bearer(await validToken('publish', dialect))),
        await ask(`${server.hub}?x`, readable),
        await ask(server.url + pathOf(dialect, fresh(), 'nobody'), readable)
      ]
      expect(answers.map(({ status }) => status)).toEqual([401, 401, 400, 400, 404])
      for (const { headers } of answers) expect(headers).toMatchObject(secure)
    })

    test('T10 lists have the security headers, also on a 304', async () => {
      const headers = bearer(await validToken('subscribe', dialect))
      const list = await ask(server.url + listPath, { headers })
      const known = { ...headers, 'If-None-Match': String(list.headers.etag) }
      const same = await ask(server.url + listPath, { headers: known })
      expect([list.status, same.status]).toEqual([200, 304])
      for (const answer of [list, same]) expect(answer.headers).toMatchObject(secure)
    })

    test('T10 a stream has headers that disable caching and proxy buffering', async () => {
      const { headers } = await accepted('subscribe', dialect)
      expect(headers).toMatchObject({
        'content-type': 'text/event-stream',
        'cache-control': 'private, no-cache, no-store, must-revalidate, max-age=0, no-transform',
        pragma: 'no-cache',
        expire: '0',
        'x-accel-buffering': 'no',
        connection: 'close'
      })
    })
  })

  test('T10 the simple endpoints have a stricter policy', async () => {
    for (const path of ['/subscribe', '/publish', '/debug', '/no-such-path']) {
      expect((await ask(server.url + path)).headers).toMatchObject({
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
        'x-frame-options': 'DENY',
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store'
      })
    }
  })

  const accepted = async (role: Role, dialect: Dialect) =>
    requestWith(server, role, dialect, { headers: bearer(await validToken(role, dialect)) })
})
