// Who may use the dashboard, and what it does not show.
import { expect, it } from 'vitest'
import { defaultCookieNames } from '../../dist/auth/token.js'
import { masked } from '../../dist/http/dashboard/health.js'
import { rsaPair, sign } from '../support/auth/tokens.ts'
import { operatorToken, read, samplesOf, startDashboard, watchOverview } from '../support/dashboard/dashboard.ts'
import { ask, serve } from '../support/http/http.ts'
import { audience, bearer, keys, token } from '../support/http/mercure.ts'
import { listen } from '../support/http/sse-client.ts'

const keyed = ['--publisher-key', keys.publish, '--subscriber-key', keys.subscribe, '--audience', audience]
const paths = [
  ['GET', 'api/overview'],
  ['GET', 'api/streams'],
  ['GET', 'api/closed'],
  ['GET', 'api/topics'],
  ['GET', 'api/inspect?topic=a'],
  ['GET', 'api/config'],
  ['GET', 'api/health'],
  ['GET', 'api/streams/a.1'],
  ['DELETE', 'api/streams/a.1'],
  ['POST', 'api/streams/a.1/revoke'],
  ['GET', 'updates?topic=overview']
] as const

const statusesOf = (url: string, headers: Record<string, string>) =>
  Promise.all(paths.map(async ([method, path]) => (await ask(`${url}/dashboard/${path}`, { method, headers })).status))
const all = (status: number) => paths.map(() => status)

it('requires a token that grants tidings:operate', async () => {
  const { url } = await startDashboard(...keyed)
  expect(await statusesOf(url, {})).toEqual(all(401))
  expect(await statusesOf(url, bearer(await token('1.0', { publish: ['*'] })))).toEqual(all(403))
  expect(await statusesOf(url, bearer(await operatorToken({ exp: 1 })))).toEqual(all(401))
  const headers = bearer(await operatorToken())
  expect((await read(url, 'overview', '', headers)).total.subscribers).toBe(0)
  const watcher = await watchOverview(url, headers)
  await watcher.until((client) => samplesOf(client).length >= 1)
})

it('is refused without keys if other machines can reach the server', async () => {
  const { url } = await startDashboard('--open', '--host', '127.0.0.1')
  expect(await statusesOf(url, {})).toEqual(all(403))
})

it('refuses a page of another site', async () => {
  const { url } = await startDashboard()
  const headers = { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' }
  expect(await statusesOf(url, headers)).toEqual(all(403))
})

it('refuses the cookie of an operator on a page of another site, and on one without an origin', async () => {
  const { url } = await startDashboard(...keyed)
  const cookie = { Cookie: `${defaultCookieNames.modern}=${await operatorToken()}` }
  for (const page of [{}, { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' }]) {
    expect(await statusesOf(url, { ...cookie, ...page })).toEqual(all(403))
  }
  const own = { ...cookie, Origin: url }
  expect((await ask(`${url}/dashboard/api/overview`, { headers: own })).status).toBe(200)
})

it('has a page that may run only its own script, load nothing, and be in no frame', async () => {
  const { url } = await startDashboard()
  const { headers } = await ask(`${url}/dashboard`)
  const policy = headers['content-security-policy']
  for (const rule of ["default-src 'none'", "connect-src 'self'", "base-uri 'none'", "frame-ancestors 'none'"]) {
    expect(policy).toContain(rule)
  }
  expect(policy).toMatch(/script-src 'sha256-[^' ]+';/)
  expect(policy).not.toMatch(/unsafe|\*/)
  expect(headers).toMatchObject({ 'x-frame-options': 'DENY', 'x-content-type-options': 'nosniff' })
})

it('redirects only to itself', async () => {
  const { url } = await startDashboard()
  const answer = await ask(`${url}/dashboard/`)
  expect(answer).toMatchObject({ status: 308, headers: { location: '../dashboard' } })
  expect((await ask(`${url}//evil.example/dashboard/`)).status).toBe(404)
})

it.each([
  ['streams?limit=501', 'limit_invalid'],
  ['streams?limit=0', 'limit_invalid'],
  ['streams?offset=9999&limit=2', 'offset_invalid'],
  [`streams?filter=${'x'.repeat(201)}`, 'filter_invalid'],
  ['streams?sort=__proto__', 'sort_invalid'],
  ['closed?limit=501', 'limit_invalid'],
  ['topics?limit=501', 'limit_invalid'],
  [`inspect?topic=${'x'.repeat(4_097)}`, 'topic_invalid'],
  [`inspect?topic=a&id=${'x'.repeat(1_025)}`, 'last_event_id_invalid']
])('bounds what a request can ask for: %.30s', async (path, code) => {
  const { url } = await startDashboard()
  const headers = { Accept: 'application/json' }
  expect((await ask(`${url}/dashboard/api/${path}`, { headers })).json()).toMatchObject({ error: { code } })
})

it('hides users, passwords and queries of URLs', () => {
  expect(masked('redis://ann:p@ss:w@rd@host:6379/0 and https://bo@a.example/x?key=1')).toBe(
    'redis://…@host:6379/0 and https://…@a.example/x?…'
  )
})

it('ends the stream of samples of a token that is revoked', async () => {
  const { url } = await startDashboard(...keyed)
  const watcher = await watchOverview(url, bearer(await operatorToken({ jti: 'mine' })))
  const other = bearer(await operatorToken({ jti: 'other' }))
  const body = JSON.stringify({ jti: 'mine' })
  const headers = { ...other, 'Content-Type': 'application/json' }
  expect((await ask(`${url}/revoke`, { method: 'POST', headers, body })).status).toBe(204)
  await watcher.until(({ ended }) => ended)
})

it('is off with the option, and in an application that does not ask for it', async () => {
  const { url } = await startDashboard('--dashboard', 'off')
  expect(await statusesOf(url, {})).toEqual(all(404))
  expect((await ask(`${url}/dashboard`)).status).toBe(404)
  const embedded = await serve({}, { localOnly: true })
  expect(await statusesOf(embedded.url, {})).toEqual(all(404))
})

it('refuses the actions if it is read-only', async () => {
  const { url } = await startDashboard('--dashboard', 'read-only')
  const stream = await listen(`${url}/subscribe?topic=a`)
  const [row] = (await read(url, 'streams')).rows
  const headers = { Accept: 'application/json' }
  for (const [method, path] of [
    ['DELETE', ''],
    ['POST', '/revoke']
  ] as const) {
    const answer = await ask(`${url}/dashboard/api/streams/${row?.id}${path}`, { method, headers })
    expect(answer.status).toBe(403)
    expect(answer.json()).toMatchObject({ error: { code: 'not_granted' } })
    expect(answer.text).toContain('read-only')
  }
  expect(stream.ended).toBe(false)
  expect((await read(url, 'config')).readOnly).toBe(true)
})

it('shows the value and the origin of every option, and no secret', async () => {
  const secrets = ['--webhook-key', 'the-secret-of-webhooks', '--webhooks', 'http://127.0.0.1:1/hook?key=hidden-in-url']
  const { url } = await startDashboard(...keyed, ...secrets, '--heartbeat', '20s', '--max-connections', '0')
  const answer = await ask(`${url}/dashboard/api/config`, { headers: bearer(await operatorToken()) })
  for (const secret of [keys.publish, keys.subscribe, 'the-secret-of-webhooks', 'hidden-in-url']) {
    expect(answer.text).not.toContain(secret)
  }
  const { options } = await read(url, 'config', '', bearer(await operatorToken()))
  const find = (name: string) => options.find((option) => option.name === name)
  expect(find('publisherKey')).toMatchObject({ value: '(set)', default: '(not set)', origin: 'flag', isDefault: false })
  expect(find('heartbeat')).toMatchObject({ value: '20s', default: '15s', origin: 'flag', source: '--heartbeat' })
  expect(find('maxConnections')).toMatchObject({ origin: 'flag', isDefault: true })
  expect(find('maxAge')).toMatchObject({ origin: 'default', source: null, isDefault: true })
  expect(find('drainTimeout')).toMatchObject({ origin: 'variable', source: 'TIDINGS_DRAIN_TIMEOUT', reload: true })
  expect(find('webhooks')?.value).toBe('http://127.0.0.1:1/hook?…')
})

it('shows the state of the log, JWK Sets and the authorizing application', async () => {
  const issuers = JSON.stringify(['them', { issuer: 'us', publisher: { key: keys.publish } }])
  const jwks = ['--publisher-jwks', 'http://127.0.0.1:1/jwks?key=secret', '--anonymous']
  const authorize = ['--authorize', 'http://127.0.0.1:1/authorize?key=secret']
  const { url } = await startDashboard(...jwks, ...authorize, '--issuers', issuers, '--audience', audience)
  // A token of this issuer needs the JWK Set, which cannot be fetched.
  await ask(`${url}/publish`, { method: 'POST', body: 'x', headers: bearer(await asymmetric()) })
  await ask(`${url}/subscribe`)
  const operator = bearer(await operatorToken({ iss: 'us' }))
  const { checks } = await read(url, 'health', '', operator)
  const find = (name: string) => checks.find((check) => check.name === name)
  expect(find('log')).toMatchObject({ state: 'ok', detail: 'memory', lastError: null })
  expect(find('redis')).toMatchObject({ state: 'off' })
  expect(find('jwks')).toMatchObject({ state: 'failing', detail: 'http://127.0.0.1:1/jwks?…' })
  expect(find('authorize')).toMatchObject({ state: 'failing', detail: 'http://127.0.0.1:1/authorize?…' })
  expect(find('authorize')?.lastError?.at).toBeGreaterThan(Date.now() - 30_000)
  expect(JSON.stringify(checks)).not.toContain('secret')
})

it('shows that events wait for a webhook receiver that is down', async () => {
  const { url } = await startDashboard('--webhooks', 'http://127.0.0.1:1/hook?key=secret')
  await listen(`${url}/subscribe`)
  const webhooks = async () => (await read(url, 'health')).checks.find(({ name }) => name === 'webhooks')
  await expect.poll(webhooks).toMatchObject({ state: 'failing', since: expect.any(Number) })
  const { lastError } = (await webhooks()) ?? {}
  expect(lastError?.message).toMatch(/^http:\/\/127\.0\.0\.1:1: .*; the events wait for the next attempt$/)
})

/** A token that only a key of the JWK Set could verify. */
function asymmetric(): Promise<string> {
  const { privateKey } = rsaPair()
  return sign(
    { iss: 'them', aud: audience, exp: Math.floor(Date.now() / 1_000) + 60 },
    { key: privateKey, alg: 'RS256', header: { typ: 'at+jwt', kid: 'one' } }
  )
}
