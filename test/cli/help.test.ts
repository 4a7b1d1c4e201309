// Help texts of the command line, and usage errors.
import { expect, it } from 'vitest'
import { commandHost, tidings } from '../support/servers/cli.ts'

const run = commandHost()

const commands = [
  'serve',
  'check-config',
  'publish',
  'subscribe',
  'history',
  'delete',
  'doctor',
  'bench',
  'token',
  'revoke'
]

it('lists its commands, and the meaning of its exit codes', async () => {
  const { code, stdout } = await tidings(['--help'])
  expect(code).toBe(0)
  for (const command of commands) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'))
  expect(stdout).toContain('Exit codes: 0 success, 1 refused or failed, 2 wrong usage.')
})

it.each(commands)('shows examples of %s', async (command) => {
  const { code, stdout } = await run([command, '--help'])
  expect(code).toBe(0)
  expect(stdout).toMatch(new RegExp(`Usage: tidings ${command} .*Examples:\n.*tidings ${command}`, 's'))
})

it.each([
  [['subscirbe'], 'Did you mean subscribe?'],
  [['publish', '--topc', 'a'], 'Did you mean --topic?'],
  [['doctor', '--jsn', 'http://localhost'], 'Did you mean --json?'],
  [['bench', 'http://localhost', '--subscribers', 'many'], 'Expected a whole number of at least 0.'],
  [['token', '--dialect', '2.0'], 'Allowed choices are 1.0, 0.x.'],
  [['revoke', '--subject', 'ann', '--jti', '7'], 'give exactly one of --subject, --jti, --topic and --address'],
  [['revoke', '--jti', '7', '--until', 'soon'], 'Expected a duration such as 1h, or seconds since 1970.'],
  [['subscribe', 'orders'], 'too many arguments']
])('exits with 2 for %j, and prints %s', async (args, message) => {
  const { code, stdout, stderr } = await run(args)
  expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: expect.stringContaining(message) })
})

it('prints the usage and exits with 2 when called without arguments', async () => {
  expect(await tidings([])).toMatchObject({ code: 2, stderr: expect.stringContaining('Usage: tidings') })
})

it('does not print the given token', async () => {
  const { code, stderr } = await tidings(['publish', 'x', '--token', 'secret token'])
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr:
      'tidings: the token contains a space or another character that no token has; check --token and TIDINGS_TOKEN\n'
  })
})
