#!/usr/bin/env node
// The command line: finds the command, and turns what goes wrong into one line and an exit code. It knows no hub.
import { Command, CommanderError } from 'commander'
import { benchCommand } from './bench.ts'
import { checkConfigCommand } from './check-config.ts'
import { doctorCommand } from './doctor.ts'
import { publishCommand } from './publish.ts'
import { serveCommand } from './serve.ts'
import { subscribeCommand } from './subscribe.ts'
import { tokenCommand } from './token.ts'
import { version } from './version.ts'

const examples = `
Examples:
  tidings serve
  tidings subscribe --topic greetings
  tidings publish hello --topic greetings
  tidings doctor https://hub.example.com

Exit codes: 0 fine, 1 refused or failed, 2 used wrongly.
`

const program = new Command('tidings')
  .description('A realtime server on Server-Sent Events.')
  .version(version)
  .showHelpAfterError('(--help tells what there is)')
  .addHelpText('after', examples)
  .exitOverride()

const commands = [
  serveCommand(),
  checkConfigCommand(),
  publishCommand(),
  subscribeCommand(),
  doctorCommand(),
  benchCommand(),
  tokenCommand()
]
for (const command of commands) program.addCommand(command.copyInheritedSettings(program))

try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  // Commander has said what is wrong. What was asked for, as help was, is no error.
  process.exitCode = error.exitCode === 0 ? 0 : 2
}
