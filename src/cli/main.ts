#!/usr/bin/env node
// The entry point of the command line: finds the command, and sets the exit code.
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

Exit codes: 0 success, 1 refused or failed, 2 wrong usage.
`

const program = new Command('tidings')
  .description('A realtime server for Server-Sent Events.')
  .version(version)
  .showHelpAfterError('(--help shows the options)')
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

// `tidings … | head` closes the pipe early, which is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  // Commander has printed the error. Asking for help is none.
  process.exitCode = error.exitCode === 0 ? 0 : 2
}
