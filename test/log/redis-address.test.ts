// The address of the log in Redis: valid and invalid URLs, and TLS with a user name and a password.
import { resolve } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { RedisLog } from '../../dist/index.js'
import { keptIn, update } from '../support/log/log-folder.ts'
import { describeWith, redis } from '../support/requirements.ts'
import { tidings } from '../support/servers/cli.ts'
import { freePort } from '../support/servers/free-port.ts'
import { newPrefix, redisForTest } from '../support/servers/redis.ts'

const open = (url: string, options = {}) =>
  RedisLog.open({ url, prefix: newPrefix(), commandTimeout: 1_500, ...options })
const certificate = resolve('test/support/auth/for-tests-only.cert.pem')
/** The ACL that docs/operating.md recommends for a hub. */
const rights = ['+@all', '-@admin', '-@dangerous', '+role']
const key = resolve('test/support/auth/for-tests-only.key.pem')

it.each([
  ['sesame-1', 'expected an address such as redis://'],
  ['http://:sesame-1@localhost', 'expected an address such as redis://'],
  ['redis+cluster://:sesame-1@', 'expected the hosts to ask'],
  ['redis+cluster://:sesame-1@a:1,b:x', 'expected a host, such as'],
  ['redis+cluster://:sesame-1@a:1/3', 'a cluster has no numbered databases'],
  ['redis+sentinel://:sesame-1@a', 'the name of the master after the hosts'],
  ['redis+sentinel://:sesame-1@a/mymaster/x', 'a database number after the master'],
  ['redis://:sesame-1@a/x', 'a database number after the host'],
  ['redis://:sesame-1%@a', 'a % that starts no escape'],
  ['redis://:sesame-1@a?ca=x', 'this URL has no parameters'],
  ['rediss://:sesame-1@a?sentinelPassword=x', 'expected ca, cert, key, servername'],
  ['rediss://:sesame-1@a?ca=nowhere.pem', 'the file of the parameter ca cannot be read: ENOENT'],
  ['rediss://:sesame-1@a?cert=nowhere.pem', 'cert and key require each other; give both, or neither']
])('rejects %s; the error states the reason but not the password', async (url, why) => {
  const error = await open(url).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(RangeError)
  expect((error as Error).message).toContain(why)
  expect(`${(error as Error).stack}${JSON.stringify(error)}`).not.toContain('sesame-1')
})

it('rejects a prefix or name that would spread a log over cluster slots, or mix it with another log', async () => {
  for (const options of [{ prefix: 'a{b' }, { prefix: '' }, { prefix: 'a\n' }, { name: 'a}' }, { name: 'a:b' }])
    await expect(open('redis://127.0.0.1:1', options)).rejects.toThrow(RangeError)
  await expect(open('redis://127.0.0.1:1', { prefix: 'a'.repeat(201) })).rejects.toThrow('1 to 200 characters')
})

it('check-config reports such errors with the option name', async () => {
  const checkConfig = async (...args: string[]) => (await tidings(['check-config', ...args])).stderr
  expect(await checkConfig('--store', 'redis+sentinel://:sesame-1@a')).toMatch(/^tidings: --store: expected the name/)
  expect(await checkConfig('--store', 'redis://a', '--store-prefix', '{')).toMatch(
    /^tidings: --store-prefix: expected a text without braces/
  )
  expect(await checkConfig('--store', 'redis://a', '--store-name', 'a:b')).toMatch(
    /^tidings: --store-name: expected a text without a colon/
  )
  expect(await tidings(['check-config', '--store', 'redis+cluster://a,[::1]:7000'])).toMatchObject({
    code: 0,
    stderr: ''
  })
})

describeWith(await redis(), 'RedisLog over TLS', (program) => {
  it('requires a trusted certificate, and authenticates with a user name and a password', async () => {
    const port = await freePort()
    await redisForTest(
      program,
      ...[
        '--tls-port',
        String(port),
        '--tls-cert-file',
        certificate,
        '--tls-key-file',
        key,
        '--tls-ca-cert-file',
        certificate
      ],
      ...['--tls-auth-clients', 'yes', '--user', 'hub', 'on', '>sesame-1', '~{test*', ...rights]
    )
    const address = (password: string, query: string) => `rediss://hub:${password}@127.0.0.1:${port}/1?${query}`
    const known = `ca=${certificate}&cert=${certificate}&key=${key}`
    const log = await open(address('sesame-1', known))
    onTestFinished(() => log.close())
    await log.append([update('secret')])
    expect(await keptIn(log)).toEqual(['secret'])
    for (const [url, why] of [
      [address('sesame-2', known), /WRONGPASS/],
      [address('sesame-1', `cert=${certificate}&key=${key}`), /self-signed certificate/],
      [address('sesame-1', `ca=${certificate}`), /certificate required/],
      [address('sesame-1', `${known}&servername=elsewhere.example`), /Hostname\/IP does not match/]
    ] as const) {
      const error = (await open(url).catch((reason: unknown) => reason)) as Error
      expect(error).toMatchObject({ code: 'log_unavailable', message: expect.stringMatching(why) })
      expect(error.message).not.toContain('sesame')
    }
  })
})
