#!/usr/bin/env node
// The entry point of the command line: finds the command, and sets the exit code.
import { Command, CommanderError } from 'commander'
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

interface CommandEntry {
  readonly description: string
  load(): Promise<Command>
}

/** Each command is loaded when it is used, so that `tidings publish` does not load a server. */
const commands: Readonly<Record<string, CommandEntry>> = {
  serve: {
    description: 'Start a server.',
    load: async () => (await import('./serve.ts')).serveCommand()
  },
  'check-config': {
    description: 'Check a configuration, and show where each value comes from.',
    load: async () => (await import('./check-config.ts')).checkConfigCommand()
  },
  publish: {
    description: 'Publish an argument, a file, or each line of stdin.',
    load: async () => (await import('./publish.ts')).publishCommand()
  },
  subscribe: {
    description: 'Print updates as they arrive.',
    load: async () => (await import('./subscribe.ts')).subscribeCommand()
  },
  history: {
    description: 'Print updates that are kept, without a stream.',
    load: async () => (await import('./history.ts')).historyCommand()
  },
  delete: {
    description: 'Delete the history of topics, or one update.',
    load: async () => (await import('./delete.ts')).deleteCommand()
  },
  backup: {
    description: 'Copy the history of a folder, also while a server uses it.',
    load: async () => (await import('./backup.ts')).backupCommand()
  },
  doctor: {
    description: 'Check for common proxy misconfigurations between clients and a hub.',
    load: async () => (await import('./doctor.ts')).doctorCommand()
  },
  bench: {
    description: 'Put load on a server through HTTP, and print the results.',
    load: async () => (await import('./bench.ts')).benchCommand()
  },
  token: {
    description: 'Make a signed token and print it on stdout.',
    load: async () => (await import('./token.ts')).tokenCommand()
  },
  revoke: {
    description: 'Revoke tokens, a topic or an address, and end the streams that match.',
    load: async () => (await import('./revoke.ts')).revokeCommand()
  }
}

const [first = '', second = ''] = process.argv.slice(2)
const used = first === 'help' ? second : first
for (const [name, { description, load }] of Object.entries(commands)) {
  const command = name === used ? await load() : new Command(name)
  program.addCommand(command.description(description).copyInheritedSettings(program))
}

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
