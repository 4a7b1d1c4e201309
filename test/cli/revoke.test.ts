// `tidings revoke` against the real server, with a token of `tidings token --operate`.
import { describe, expect, it, onTestFinished } from 'vitest'
import { ask, post } from '../support/http/http.ts'
import { bearer, dialects } from '../support/http/mercure.ts'
import { listen } from '../support/http/sse-client.ts'
import { commandHost, tidings } from '../support/servers/cli.ts'
import { freePort } from '../support/servers/free-port.ts'
import { startInProcess } from '../support/servers/in-process.ts'

const run = commandHost()
const secret = 'a-secret-of-this-test-that-is-long-enough'

async function start() {
  const port = await freePort()
  const env = { TIDINGS_PUBLISHER_KEY: secret, TIDINGS_SUBSCRIBER_KEY: secret, TIDINGS_PORT: String(port) }
  const server = await startInProcess({ port, env })
  onTestFinished(() => server.stop())
  const mint = async (...flags: string[]) => {
    const { code, stdout, stderr } = await run(['token', ...flags], env)
    expect([code, stderr]).toEqual([0, ''])
    return stdout.trim()
  }
  const revoke = (token: string, ...flags: string[]) =>
    run(['revoke', '--url', server.url, ...flags], { TIDINGS_TOKEN: token })
  return { server, mint, revoke }
}

describe.each(dialects)('with a token of %s', (dialect) => {
  it('revokes, and prints nothing', async () => {
    const { server, mint, revoke } = await start()
    const token = await mint('--operate', '--dialect', dialect)
    const ann = bearer(await mint('--publish', '*', '--subject', 'ann', '--dialect', dialect))
    const stream = await listen(`${server.url}/subscribe?topic=a`, bearer(await mint('--subscribe', '*')))
    const publish = async () => (await post(`${server.url}/publish`, 'x', ann)).status
    expect(await publish()).toBe(200)
    const done = { code: 0, stdout: '', stderr: '' }
    const flags = ['--url', server.url, '--subject', 'ann', '--until', '1h']
    expect(await tidings(['revoke', ...flags], { TIDINGS_TOKEN: token })).toEqual(done)
    expect(await publish()).toBe(401)
    expect(await revoke(token, '--topic', 'a')).toEqual(done)
    await stream.until(({ ended }) => ended)
    const until = String(Math.floor(Date.now() / 1_000) + 60)
    expect(await revoke(token, '--address', '127.0.0.1', '--until', until)).toEqual(done)
    const reader = bearer(await mint('--subscribe', '*'))
    expect((await ask(`${server.url}/subscribe`, { method: 'HEAD', headers: reader })).status).toBe(403)
  })
})

it('lists what is revoked, and lifts it', async () => {
  const { mint, revoke } = await start()
  const token = await mint('--operate')
  const done = { code: 0, stdout: '', stderr: '' }
  expect(await revoke(token, '--list')).toEqual(done)
  await revoke(token, '--subject', 'ann')
  await revoke(token, '--topic', 'orders/17', '--until', '4000000000')
  const { stdout } = await revoke(token, '--list')
  const lines = stdout.split('\n').sort()
  expect(lines[1]).toMatch(/^20\S+Z {2}subject {2}ann$/)
  expect(lines[2]).toMatch(/^20\S+Z {2}topic {4}orders\/17 {2}until 2096-10-02T07:06:40Z$/)
  const listed = (await revoke(token, '--list', '--json')).stdout.trim().split('\n')
  expect(listed.map((line) => JSON.parse(line)).find(({ topic }) => topic)).toEqual({
    topic: 'orders/17',
    at: expect.any(Number),
    until: 4_000_000_000
  })
  expect(await revoke(token, '--lift', '--subject', 'ann')).toEqual(done)
  expect((await revoke(token, '--list')).stdout).not.toContain('ann')
  expect(await revoke(token, '--lift', '--subject', 'ann')).toEqual({
    code: 1,
    stdout: '',
    stderr: 'tidings: There is no such revocation: no revocation of this subject is in force. (404)\n'
  })
})

it.each([
  [['--list', '--jti', '7'], 'give --list without a value'],
  [['--list', '--lift'], 'give --list without a value'],
  [['--lift'], 'give exactly one of --subject, --jti, --topic and --address'],
  [['--lift', '--jti', '7', '--until', '1h'], 'give only one of --lift and --until'],
  [['--jti', '7', '--json'], '--json belongs to --list']
])('exits with 2 for %j', async (flags, reason) => {
  const { code, stderr } = await run(['revoke', ...flags])
  expect([code, stderr]).toEqual([2, expect.stringContaining(reason)])
})

it('prints why the server refuses, and exits with 1', async () => {
  const { mint, revoke } = await start()
  const token = await mint('--publish', '*')
  expect(await revoke(token, '--jti', '7')).toEqual({
    code: 1,
    stdout: '',
    stderr: 'tidings: Permission denied: the token must have the grant tidings:operate. (403)\n'
  })
  const operator = await mint('--operate')
  expect(await revoke(operator, '--jti', '7', '--until', '3600')).toEqual({
    code: 1,
    stdout: '',
    stderr: 'tidings: The revocation is invalid: until is in the past; check its unit. (400)\n'
  })
})

it('prints that no server is there, and exits with 1', async () => {
  const url = `http://127.0.0.1:${await freePort()}`
  expect(await tidings(['revoke', '--url', url, '--jti', '7'])).toEqual({
    code: 1,
    stdout: '',
    stderr: `tidings: ${url}/ cannot be reached: nothing listens there\n`
  })
})

it.each([
  [['revoke'], 'give exactly one of --subject, --jti, --topic and --address'],
  [['revoke', '--jti', '7', '--until', '0'], 'Expected a duration such as 1h'],
  [['revoke', '--jti', '7', '--until', '1 fortnight'], 'Expected a duration such as 1h']
])('exits with 2 for %j', async (args, message) => {
  expect(await run(args)).toMatchObject({ code: 2, stderr: expect.stringContaining(message) })
})
