// `tidings check-config`: errors in a configuration, and the source of each value.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { newFolder } from '../support/log/log-folder.ts'
import { commandHost, tidings } from '../support/servers/cli.ts'

const run = commandHost()
const check = (args: string[], env: NodeJS.ProcessEnv = {}) => run(['check-config', ...args], env)
const fixture = (name: string) => fileURLToPath(new URL(`../support/auth/${name}`, import.meta.url))

function file(name: string, text: string): string {
  const path = join(newFolder(), name)
  writeFileSync(path, text)
  return path
}

it('reports that all options have their defaults', async () => {
  const stdout = 'The configuration is valid.\nAll options have their defaults.\n'
  expect(await tidings(['check-config'])).toEqual({ code: 0, stdout, stderr: '' })
  expect(await check([])).toEqual({ code: 0, stdout, stderr: '' })
})

it.each([
  ['tidings.yaml', 'heartbeat: 10s\nretention:\n  - match: "*"\n    age: 7d\n'],
  ['tidings.json', '{ "heartbeat": "10s", "retention": [{ "match": "*", "age": "7d" }] }']
])('reads %s', async (name, text) => {
  const { code, stdout } = await check(['--config', file(name, text)])
  expect(code).toBe(0)
  expect(stdout).toMatch(/^heartbeat +10s +\S+: heartbeat$/m)
  expect(stdout).toMatch(/^retention +\[\{"match":"\*","age":\S+ +\S+: retention$/m)
})

it('prefers a flag to a variable, and a variable to the file', async () => {
  const config = file('tidings.yaml', 'port: 1001\nheartbeat: 1s\nmaxBody: 2MiB\n')
  const { stdout } = await check(['--config', config, '--port', '1003'], {
    TIDINGS_PORT: '1002',
    TIDINGS_HEARTBEAT: '2s'
  })
  expect(stdout).toMatch(/^port +1003 +--port$/m)
  expect(stdout).toMatch(/^heartbeat +2s +TIDINGS_HEARTBEAT$/m)
  expect(stdout).toMatch(/^maxBody +2MiB +\S+: maxBody$/m)
})

it.each([
  [['--heartbeat', '5'], {}, '', '--heartbeat: expected a duration with a unit such as 10s, got "5"'],
  [
    [],
    { TIDINGS_SLOW_TIMEOUT: '30' },
    '',
    'TIDINGS_SLOW_TIMEOUT: expected a duration with a unit such as 10s, got "30"'
  ],
  [[], {}, 'maxAge: 90', 'maxAge: expected a duration with a unit such as 10s, got "90"'],
  [
    [],
    {},
    'retention: [{ match: "*", age: 7 }]',
    'retention: rule 1: age: expected a duration with a unit such as 10s, got "7"'
  ],
  [
    ['--retention', '[{"match":"*","age":"7"}]'],
    {},
    '',
    '--retention: rule 1: age: expected a duration with a unit such as 10s, got "7"'
  ]
])('rejects a duration without a unit: %j %j %s', async (args, env, text, message) => {
  const config = ['--config', file('tidings.yaml', `drainTimeout: 0\n${text}\n`)]
  expect(await check([...config, ...args], env)).toMatchObject({ code: 1, stderr: expect.stringContaining(message) })
})

it('reads a key from the file that a variable names, and does not print it', async () => {
  const key = 'a key that nobody may see, of 256 bits'
  const { code, stdout } = await check(['--anonymous'], { TIDINGS_PUBLISHER_KEY_FILE: file('key', `${key}\n`) })
  expect(code).toBe(0)
  expect(stdout).toMatch(/^publisherKey +\(secret\) +TIDINGS_PUBLISHER_KEY_FILE$/m)
  expect(stdout).not.toContain(key)
})

it('prints no issuer key', async () => {
  const issuers = JSON.stringify([{ issuer: 'https://a.example', publisher: { key: 'hidden' } }])
  const { code, stdout } = await check(['--issuers', issuers, '--anonymous'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/^issuers +https:\/\/a.example \(secret\) +--issuers$/m)
  expect(stdout).not.toContain('hidden')
})

it('reports the line of a malformed file', async () => {
  const { code, stderr } = await check(['--config', file('tidings.yaml', 'port: 5000\nlisten: [a\n')])
  expect(code).toBe(1)
  expect(stderr).toMatch(/^tidings: \S+, line \d, column \d: [^\n]+\n$/)
})

it('suggests the correct name for a misspelled key in the file', async () => {
  const { code, stderr } = await check(['--config', file('tidings.yaml', 'heartbaet: 10s\n')])
  expect(code).toBe(1)
  expect(stderr).toMatch(/^tidings: \S+: "heartbaet" is not an option; did you mean "heartbeat"\?\n$/)
})

it('reports key, value and expected value in the file', async () => {
  const { code, stderr } = await check(['--config', file('tidings.yaml', 'heartbeat: soon\n')])
  expect(code).toBe(1)
  expect(stderr).toMatch(/^tidings: \S+: heartbeat: expected a duration with a unit such as 10s, got "soon"\n$/)
})

it.each([
  [
    ['--publisher-key', 'x'],
    /--subscriber-key: required, because publishers have a key; set it, --subscriber-jwks or --anonymous/
  ],
  [['--cors-origins', 'example.com'], /--cors-origins: /],
  [['--trusted-proxies', 'everyone'], /--trusted-proxies: expected an address or a network/],
  [['--cors-origins', 'https://a:99999'], /: --cors-origins: "https:\/\/a:99999" is not an origin: its port is/],
  [['--tls-key', 'key.pem'], /--tls-key: requires --tls-cert; set both/],
  [['--slow-timeout', '0'], /--slow-timeout: expected a number of at least 1, got 0/],
  [['--host', '0.0.0.0'], /--host: 0\.0\.0\.0 can be reached from other machines/],
  [['--host', 'nope nope'], /--host: expected a host name or an address such as 127\.0\.0\.1 or ::1, got "nope nope"/],
  [['--host', 'http://localhost'], /--host: expected a host name or an address/],
  [
    ['--publisher-algorithms', 'HS257'],
    /--publisher-algorithms: requires a key; set --publisher-key or --publisher-jw/
  ],
  [['--authorize-headers', 'Coo:kie'], /--authorize-headers: expected the name of a header, got "Coo:kie"/],
  [['--authorize-timeout', '2h'], /--authorize-timeout: expected more than 0 and at most 1m, got 7200000ms/],
  [['--listen', 'somewhere'], /--listen: expected an address such as 127\.0\.0\.1:5000/],
  [['--ops-listen', 'somewhere'], /--ops-listen: expected an address such as 127\.0\.0\.1:5000/],
  [['--tls-cert', 'missing.pem', '--tls-key', 'missing.pem'], /--tls-cert: missing\.pem cannot be read: ENOENT/],
  [
    ['--tls-cert', fixture('verifier.ts'), '--tls-key', fixture('verifier.ts')],
    /--tls-cert: cannot be used with --tls-key: /
  ]
])('reports an invalid combination of options in one line: %j', async (args, sentence) => {
  const { code, stdout, stderr } = await check(args)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(sentence)
  expect(stderr).toMatch(/^tidings: [^\n]+\n$/)
})

it('names the variable or the file that set an option', async () => {
  const { stderr } = await check([], { TIDINGS_PUBLISHER_KEY: 'x', TIDINGS_PUBLISHER_JWKS: 'https://a.example' })
  expect(stderr).toBe(
    'tidings: TIDINGS_PUBLISHER_JWKS: cannot be combined with TIDINGS_PUBLISHER_KEY; remove one of them\n'
  )
  const config = file('tidings.yaml', 'slowTimeout: 0\n')
  expect((await check(['--config', config])).stderr).toBe(
    `tidings: ${config}: slowTimeout: expected a number of at least 1, got 0\n`
  )
})

it.each([
  [['--store', './history'], {}, /^store +\.\/history +--store$/m],
  [['--data', 'history'], {}, /^data +history +--data$/m],
  [[], { TIDINGS_STORE: 'redis://ann:sesame@example.com' }, /^store +Redis at example\.com:6379 +TIDINGS_STORE$/m],
  [[], { TIDINGS_STORE: '', TIDINGS_DATA: '/data' }, /^data +\/data +TIDINGS_DATA$/m],
  [['--store', 'memory'], {}, /^All options have their defaults\.$/m]
])('prints the history store: %j %j', async (args, env, line) => {
  const { code, stdout } = await check(args, env)
  expect(code).toBe(0)
  expect(stdout).toMatch(line)
  expect(stdout).not.toContain('sesame')
})

it('reads the URL of a store from the file that a variable names', async () => {
  const { stdout } = await check([], { TIDINGS_STORE_FILE: file('store', 'redis://:sesame@127.0.0.1:7000\n') })
  expect(stdout).toMatch(/^store +Redis at 127\.0\.0\.1:7000 +TIDINGS_STORE_FILE$/m)
})

it.each([
  [['--store', 'data'], {}, '--store: expected memory, .*, got "data"; did you mean \\./data\\?'],
  [['--store', 'ann:sesame@example'], {}, '--store: expected memory, a folder such as ./data, or a URL'],
  [['--store', 'example.com:6379'], {}, '--store: expected memory, a folder such as ./data, or a URL'],
  [['--store', 'http://:sesame@example.com'], {}, '--store: expected memory, a folder such as ./data, or a URL'],
  [['--store', 'redis://:sesame@example.com/x'], {}, '--store: expected a database number'],
  [['--data', 'a'], { TIDINGS_STORE: 'memory' }, '--data: cannot be combined with TIDINGS_STORE; remove one of them'],
  [
    ['--data', 'redis://:sesame@host'],
    {},
    '--data: expected the path of a folder, and not a URL; use --store for Redis'
  ],
  [['--clock-tolerance', '1h'], {}, '--clock-tolerance: expected 0 to 300 seconds, got 3600 seconds'],
  [['--issuers', 'https://a.example'], {}, '--issuers: requires keys, without which tokens are not checked; set'],
  [['--durability', 'os'], {}, '--durability: os requires history in a folder; set --store to one'],
  [['--log', 'redis://:sesame@example.com'], {}, '--log: renamed to --store'],
  [['--log-prefix', 'a'], {}, '--log-prefix: renamed to --store-prefix'],
  [[], { TIDINGS_LOG_FILE: 'a' }, 'TIDINGS_LOG_FILE: renamed to TIDINGS_STORE_FILE']
])('rejects %j %j', async (args, env, line) => {
  const { code, stderr } = await check(args, env)
  expect(code).toBe(1)
  expect(stderr).toMatch(new RegExp(`^tidings: ${line}`))
  expect(stderr).not.toContain('sesame')
})

it('suggests the new name for a renamed key in the file', async () => {
  const { stderr } = await check(['--config', file('tidings.yaml', 'logName: a\n')])
  expect(stderr).toContain('"logName" is not an option; it was renamed to "storeName"')
})

it('ignores the variables that Kubernetes sets for a service with the name of the server', async () => {
  const service = {
    TIDINGS_PORT: 'tcp://10.96.0.17:80',
    TIDINGS_PORT_80_TCP: 'tcp://10.96.0.17:80',
    TIDINGS_PORT_80_TCP_ADDR: '10.96.0.17',
    TIDINGS_PORT_80_TCP_PORT: '80',
    TIDINGS_PORT_80_TCP_PROTO: 'tcp',
    TIDINGS_SERVICE_HOST: '10.96.0.17',
    TIDINGS_SERVICE_PORT: '80',
    TIDINGS_SERVICE_PORT_HTTP: '80'
  }
  const stdout = 'The configuration is valid.\nAll options have their defaults.\n'
  expect(await check([], service)).toEqual({ code: 0, stdout, stderr: '' })
})

it.each([
  ['TIDINGS_PUBLISHR_KEY', 'no option has this variable; did you mean "TIDINGS_PUBLISHER_KEY"?'],
  ['TIDINGS_PUBLISHERKEY', 'no option has this variable; did you mean "TIDINGS_PUBLISHER_KEY"?'],
  ['TIDINGS_JWKS_FILE', 'no option has this variable; "tidings serve --help" lists them'],
  ['TIDINGS_PORT_FILE', 'no option has this variable; "tidings serve --help" lists them']
])('warns about the variable %s', async (name, warning) => {
  const stdout = 'The configuration is valid.\nAll options have their defaults.\n'
  expect(await check([], { [name]: 'sesame' })).toEqual({ code: 0, stdout, stderr: `${name}: ${warning}\n` })
})

it('knows the variables of other commands', async () => {
  expect(await check([], { TIDINGS_URL: 'http://127.0.0.1:5000', TIDINGS_TOKEN: 'sesame' })).toMatchObject({
    stderr: ''
  })
})

it('accepts a certificate and its key', async () => {
  const pair = ['--tls-cert', fixture('for-tests-only.cert.pem'), '--tls-key', fixture('for-tests-only.key.pem')]
  expect(await check(pair)).toMatchObject({ code: 0, stderr: '' })
})
