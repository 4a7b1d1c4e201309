// `tidings token`: the server accepts its tokens, and every error is one line with an instruction.
import { describe, expect, onTestFinished, test } from 'vitest'
import { curvePair, ed25519Pair, pem } from '../support/auth/tokens.ts'
import { ask } from '../support/http/http.ts'
import { bearer, dialects, form, hubPath } from '../support/http/mercure.ts'
import { listen } from '../support/http/sse-client.ts'
import { commandHost, tidings } from '../support/servers/cli.ts'
import { freePort } from '../support/servers/free-port.ts'
import { startInProcess } from '../support/servers/in-process.ts'

const secret = 'a-secret-of-this-test-that-is-long-enough'
const keys = { TIDINGS_PUBLISHER_KEY: secret, TIDINGS_SUBSCRIBER_KEY: secret }
const here = { ...keys, TIDINGS_URL: 'http://127.0.0.1:5000' }
const everything = ['--publish', 'a/{x}', '--subscribe', '*', '--payload', '{"user":"x"}', '--expires', '1h']

const run = commandHost()
/** Mints with these flags and variables only. */
const mint = (flags: string[], env: NodeJS.ProcessEnv = here) => run(['token', ...flags], env)

/** The printed token. */
async function printed(flags: string[], env?: NodeJS.ProcessEnv): Promise<string> {
  const { code, stdout, stderr } = await mint(flags, env)
  expect([code, stderr]).toEqual([0, ''])
  return stdout.trimEnd()
}

const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] as string, 'base64url').toString())

async function start(env: Record<string, string>, port = 0) {
  const server = await startInProcess({ env, port, args: ['--subscriptions'] })
  onTestFinished(() => server.stop())
  return server
}

describe.each(dialects)('a token of %s', (dialect) => {
  const ofDialect = ['--dialect', dialect]

  test('is printed alone on stdout, as one line', async () => {
    const { code, stdout, stderr } = await tidings(['token', ...everything, ...ofDialect], here)
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
  })

  test('may publish and read private updates on a server with the same variables', async () => {
    const port = await freePort()
    const env = { ...keys, TIDINGS_PORT: String(port) }
    const server = await start(keys, port)
    const rights = bearer(await printed([...everything, ...ofDialect], env))
    const name = dialect === '1.0' ? 'match' : 'topic'
    const reader = await listen(`${server.url}${hubPath}?${form({ [name]: ['a/1', '*'] })}`, rights)
    const publish = async (topic: string) => {
      const headers = { ...rights, 'Content-Type': 'application/x-www-form-urlencoded' }
      const body = form({ topic, data: `to ${topic}`, private: 'on' })
      return (await ask(server.url + hubPath, { method: 'POST', body, headers })).status
    }
    expect([await publish('a/1'), await publish('b/1')]).toEqual([200, dialect === '1.0' ? 403 : 401])
    await reader.until(({ data }) => data.includes('to a/1'))
    expect(JSON.parse(reader.data.find((data) => data.startsWith('{')) as string)).toMatchObject({
      payload: { user: 'x' }
    })
  })

  test('may also publish at the simple endpoint', async () => {
    const server = await start({ ...keys, TIDINGS_AUDIENCE: 'https://hub.example.com' })
    const flags = ['--publish', 'news', '--audience', 'https://hub.example.com', ...ofDialect]
    const headers = bearer(await printed(flags))
    expect((await ask(`${server.url}/publish?topic=news`, { method: 'POST', body: 'x', headers })).status).toBe(200)
    expect((await ask(`${server.url}/publish?topic=other`, { method: 'POST', body: 'x', headers })).status).toBe(403)
  })

  test('is signed with the key of its role when there are two', async () => {
    const env = { TIDINGS_PUBLISHER_KEY: secret, TIDINGS_SUBSCRIBER_KEY: `${secret}-too` }
    const server = await start({ ...env, TIDINGS_AUDIENCE: 'https://hub.example.com' })
    const audience = ['--audience', 'https://hub.example.com', ...ofDialect]
    const publisher = bearer(await printed(['--publish', '*', ...audience], env))
    const subscriber = bearer(await printed(['--subscribe', '*', ...audience], env))
    const status = async (headers: Record<string, string>) =>
      (await ask(`${server.url}/publish`, { method: 'POST', body: 'x', headers })).status
    expect([await status(publisher), await status(subscriber)]).toEqual([200, 401])
    expect((await listen(`${server.url}/subscribe`, subscriber)).status).toBe(200)
  })

  test('is signed with a private key when the server has the public key', async () => {
    const { publicKey, privateKey } = curvePair()
    const env = { TIDINGS_PUBLISHER_KEY: pem(publicKey), TIDINGS_SUBSCRIBER_KEY: pem(publicKey) }
    const server = await start({ ...env, TIDINGS_AUDIENCE: 'https://hub.example.com' })
    const flags = ['--publish', '*', '--key', pem(privateKey), '--audience', 'https://hub.example.com', ...ofDialect]
    const headers = bearer(await printed(flags))
    expect((await ask(`${server.url}/publish`, { method: 'POST', body: 'x', headers })).status).toBe(200)
  })

  test('expires after the given time, or after an hour by default', async () => {
    const lasts = async (...flags: string[]) => {
      const { exp, iat } = claimsOf(await printed(['--publish', '*', ...ofDialect, ...flags]))
      return exp === undefined ? 'for ever' : exp - iat
    }
    expect([await lasts(), await lasts('--expires', '7d'), await lasts('--expires', '90s')]).toEqual([
      3_600, 604_800, 90
    ])
    if (dialect === '0.x') expect(await lasts('--expires', 'never')).toBe('for ever')
  })
})

test('a token contains issuer, subject and audience', async () => {
  const flags = ['--subscribe', '*', '--subject', 'ada', '--issuer', 'https://id.example.com']
  const given = claimsOf(await printed([...flags, '--audience', 'https://hub.example.com']))
  expect(given).toMatchObject({ sub: 'ada', iss: 'https://id.example.com', aud: 'https://hub.example.com' })
  const env = { ...keys, TIDINGS_ISSUERS: 'https://env.example.com', TIDINGS_PUBLIC_URLS: 'https://env.example.org' }
  const implied = claimsOf(await printed(['--subscribe', '*'], env))
  expect(implied).toMatchObject({ iss: 'https://env.example.com', aud: `https://env.example.org${hubPath}` })
})

describe('the audience of a token of 1.0', () => {
  const aud = async (flags: string[], env: NodeJS.ProcessEnv = keys) =>
    claimsOf(await printed(['--subscribe', '*', ...flags], env)).aud

  test('follows from the URL of the server', async () => {
    expect(await aud(['--url', 'http://127.0.0.1:8080'])).toBe(`http://127.0.0.1:8080${hubPath}`)
    expect(await aud([], { ...keys, TIDINGS_URL: 'https://example.com/events' })).toBe(
      `https://example.com/events${hubPath}`
    )
    const { url } = await start(keys)
    const headers = bearer(await printed(['--publish', 'news', '--url', url]))
    expect((await ask(`${url}/publish?topic=news`, { method: 'POST', body: 'x', headers })).status).toBe(200)
  })

  test('is what was given most explicitly', async () => {
    const env = { ...keys, TIDINGS_URL: 'https://url.example.com', TIDINGS_PUBLIC_URLS: 'https://public.example.com' }
    const named = { ...env, TIDINGS_AUDIENCE: 'https://audience.example.com' }
    expect(await aud(['--url', 'http://127.0.0.1:8080', '--audience', 'https://flag.example.com'], named)).toBe(
      'https://flag.example.com'
    )
    expect(await aud(['--url', 'http://127.0.0.1:8080'], named)).toBe(`http://127.0.0.1:8080${hubPath}`)
    expect(await aud([], named)).toBe('https://audience.example.com')
    expect(await aud([], env)).toBe(`https://public.example.com${hubPath}`)
  })

  test('is the default address if nothing else is known, and a line on stderr says so', async () => {
    const { code, stdout, stderr } = await mint(['--publish', '*'], keys)
    expect([code, claimsOf(stdout).aud]).toEqual([0, `http://127.0.0.1:5000${hubPath}`])
    expect(stderr).toBe(
      'tidings: the token is for the server at http://127.0.0.1:5000; for another one, give --url or --audience\n'
    )
    expect((await mint(['--publish', '*', '--dialect', '0.x'], keys)).stderr).toBe('')
  })
})

const { publicKey } = ed25519Pair()

/** The options, and the expected message. */
const mistakes: readonly [string, string[], NodeJS.ProcessEnv, RegExp][] = [
  ['nothing is granted', [], keys, /--publish .*--subscribe/],
  ['the publisher key is missing', ['--publish', '*'], {}, /set TIDINGS_PUBLISHER_KEY or --key$/],
  ['the subscriber key is missing', ['--subscribe', '*'], {}, /set TIDINGS_SUBSCRIBER_KEY or --key$/],
  [
    'one token needs two keys',
    everything,
    { ...keys, TIDINGS_SUBSCRIBER_KEY: `${secret}-too` },
    /make one token for each$/
  ],
  [
    'the duration is invalid',
    ['--publish', '*', '--expires', 'soon'],
    keys,
    /--expires: expected a duration with a unit/
  ],
  [
    'the duration has no unit',
    ['--publish', '*', '--expires', '3600'],
    keys,
    /--expires: expected a duration with a unit such as 10s, got "3600"$/
  ],
  ['the duration is zero', ['--publish', '*', '--expires', '0s'], keys, /--expires/],
  [
    'a 1.0 token never expires',
    ['--publish', '*', '--expires', 'never'],
    keys,
    /--expires: .*has to expire; give a duration/
  ],
  ['the payload is not JSON', [...everything, '--payload', '{user}'], keys, /--payload: expected JSON such as/],
  ['the payload has two lines', [...everything, '--payload', '{\n}}'], keys, /--payload: expected JSON such as/],
  [
    'the 1.0 payload is not an object',
    [...everything, '--payload', '1'],
    keys,
    /--payload: expected an object, together with --subscribe/
  ],
  ['a template has no equivalent in 1.0', ['--publish', 'a/{+x}'], keys, /--publish: .*write it as one, such as/],
  ['a topic contains a line break', ['--publish', 'a\nb'], keys, /--publish: "a\\nb" is not a topic selector/],
  ['the algorithm is unknown', ['--publish', '*', '--algorithm', 'XS256'], keys, /XS256/],
  ['the algorithm is none', ['--publish', '*', '--algorithm', 'none'], keys, /none/],
  ['the algorithm is for other keys', ['--publish', '*', '--algorithm', 'RS256'], keys, /RS256 .* HS256/],
  ['the key is public', ['--publish', '*', '--key', pem(publicKey)], {}, /private/],
  [
    'the key is malformed',
    ['--publish', '*', '--key', `-----BEGIN PRIVATE KEY-----\n${secret}`],
    {},
    /expected a .*key/i
  ],
  ['the key is a truncated JWK', ['--publish', '*', '--key', `{"k":"${secret}"`], {}, /expected a .*key/i],
  ['the dialect is unknown', ['--publish', '*', '--dialect', '2.0'], keys, /--dialect.* 1\.0, 0\.x/],
  ['the URL has no scheme', ['--publish', '*', '--url', 'localhost:8080'], keys, /--url.*begins with http/],
  ['the URL in the variable is wrong', ['--publish', '*'], { ...keys, TIDINGS_URL: 'hub' }, /TIDINGS_URL.*begins with/],
  ['an option is unknown', ['--publish', '*', '--whatever'], keys, /unknown option '--whatever'/],
  ['a variable is wrong', ['--publish', '*'], { ...keys, TIDINGS_PORT: 'http' }, /TIDINGS_PORT: expected 0 to 65535/]
]

test.each(mistakes)(
  '%s: prints one line with an instruction and without the secret',
  async (_, flags, env, message) => {
    const { code, stdout, stderr } = await mint(flags, env)
    // Errors of commander are usage errors.
    expect([code, stdout]).toEqual([stderr.startsWith('error:') ? 2 : 1, ''])
    expect(stderr).toMatch(/^(tidings|error): [^\n]+\n+(\(.*\)\n+)*$/)
    expect(stderr.trimEnd()).toMatch(message)
    expect(stderr).not.toContain(secret)
  }
)
