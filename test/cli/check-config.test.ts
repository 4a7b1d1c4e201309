// `tidings check-config`: what is wrong with a configuration, and where each value comes from.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { tidings } from '../support/cli.js'
import { newFolder } from '../support/log-folder.js'

const check = (args: string[], env: NodeJS.ProcessEnv = {}) => tidings(['check-config', ...args], env)
const fixture = (name: string) => fileURLToPath(new URL(`../support/${name}`, import.meta.url))

function file(name: string, text: string): string {
  const path = join(newFolder(), name)
  writeFileSync(path, text)
  return path
}

it('says that everything has its default', async () => {
  const stdout = 'The configuration is fine.\nEverything has its default.\n'
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

it('takes a flag before a variable, and a variable before the file', async () => {
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
  [['--heartbeat', '5'], {}, '', '--heartbeat: "5" has no unit; write 5s or 5ms'],
  [[], { TIDINGS_SLOW_TIMEOUT: '30' }, '', 'TIDINGS_SLOW_TIMEOUT: "30" has no unit; write 30s or 30ms'],
  [[], {}, 'maxAge: 90', 'maxAge: "90" has no unit; write 90s or 90ms'],
  [[], {}, 'retention: [{ match: "*", age: 7 }]', 'retention, rule 1: age: "7" has no unit; write 7s or 7ms'],
  [['--retention', '[{"match":"*","age":"7"}]'], {}, '', 'age: "7" has no unit; write 7s or 7ms']
])('refuses a duration without a unit: %j %j %s', async (args, env, text, message) => {
  const config = ['--config', file('tidings.yaml', `drainTimeout: 0\n${text}\n`)]
  expect(await check([...config, ...args], env)).toMatchObject({ code: 1, stderr: expect.stringContaining(message) })
})

it('takes a key from the file that a variable names, and does not show it', async () => {
  const key = 'a key that nobody may see, of 256 bits'
  const { code, stdout } = await check(['--anonymous'], { TIDINGS_PUBLISHER_KEY_FILE: file('key', `${key}\n`) })
  expect(code).toBe(0)
  expect(stdout).toMatch(/^publisherKey +\(secret\) +TIDINGS_PUBLISHER_KEY_FILE$/m)
  expect(stdout).not.toContain(key)
})

it('shows no key that an issuer comes with', async () => {
  const issuers = JSON.stringify([{ issuer: 'https://a.example', publisher: { key: 'hidden' } }])
  const { code, stdout } = await check(['--issuers', issuers, '--anonymous'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/^issuers +https:\/\/a.example \(secret\) +--issuers$/m)
  expect(stdout).not.toContain('hidden')
})

it('asks about a typo in the file whether something else was meant', async () => {
  const { code, stderr } = await check(['--config', file('tidings.yaml', 'heartbaet: 10s\n')])
  expect(code).toBe(1)
  expect(stderr).toMatch(/^tidings: \S+: "heartbaet" is not known; did you mean "heartbeat"\?\n$/)
})

it('names key, value and what was expected in the file', async () => {
  const { code, stderr } = await check(['--config', file('tidings.yaml', 'heartbeat: soon\n')])
  expect(code).toBe(1)
  expect(stderr).toMatch(/^tidings: \S+: heartbeat: expected a duration such as 500ms, 10s or 5m, not "soon"\n$/)
})

it.each([
  [['--publisher-key', 'x'], /a key for publishers and none for subscribers; set --subscriber-key/],
  [['--cors-origins', 'example.com'], /--cors-origins: /],
  [['--trusted-proxies', 'everyone'], /--trusted-proxies/],
  [['--slow-timeout', '0'], /--slow-timeout must be a number of at least 1/],
  [['--host', '0.0.0.0'], /--host 0\.0\.0\.0 can be reached from other machines/],
  [['--listen', 'somewhere'], /expected an address such as 127\.0\.0\.1:5000/],
  [['--ops-listen', 'somewhere'], /expected an address such as 127\.0\.0\.1:5000/],
  [['--tls-cert', 'missing.pem', '--tls-key', 'missing.pem'], /--tls-cert: missing\.pem cannot be read: ENOENT/],
  [['--tls-cert', fixture('cli.ts'), '--tls-key', fixture('cli.ts')], /--tls-cert and --tls-key cannot be used: /]
])('says in one line what only shows when everything is put together: %j', async (args, sentence) => {
  const { code, stdout, stderr } = await check(args)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(sentence)
  expect(stderr).toMatch(/^tidings: [^\n]+\n$/)
})

it('accepts a certificate that goes with its key', async () => {
  const pair = ['--tls-cert', fixture('for-tests-only.cert.pem'), '--tls-key', fixture('for-tests-only.key.pem')]
  expect(await check(pair)).toMatchObject({ code: 0, stderr: '' })
})
