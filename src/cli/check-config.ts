// `tidings check-config`: reads a configuration as `serve` would, and says what is wrong with it, or what it changes. It
// starts no server and opens no history.
import { Command } from 'commander'
import { type Config, configure, type Setting, settings } from '../server/config/config.ts'
import { formatOption } from '../server/config/format.ts'
import { checkConfig } from '../server/server.ts'
import { describeStartError, withServerFlags } from './server-flags.ts'
import { table } from './table.ts'

const examples = `
Examples:
  tidings check-config --config tidings.yaml
  tidings check-config --host 0.0.0.0 --publisher-jwks https://id.example.com/jwks --anonymous

Flags go before variables, variables before the file. It ends with 0 where \`tidings serve\` could start with the same
words, and with 1 where it could not. Ports and folders are not tried.
`

export function checkConfigCommand(): Command {
  return withServerFlags(new Command('check-config'))
    .description('Say whether a server would start with this configuration, and where each value comes from.')
    .addHelpText('after', examples)
    .action((flags: Record<string, unknown>) => check(flags))
}

function check(flags: Record<string, unknown>): void {
  let config: Config | undefined
  try {
    config = configure(flags, process.env)
    checkConfig(config)
    process.stdout.write(`The configuration is fine.\n${changes(settings(flags, process.env))}`)
  } catch (error) {
    console.error(`tidings: ${describeStartError(error as Error, config)}`)
    process.exitCode = 1
  }
}

function changes(all: readonly Setting[]): string {
  const changed = all.filter(({ option, value }) => JSON.stringify(value) !== JSON.stringify(option.default))
  if (changed.length === 0) return 'Everything has its default.\n'
  const rows = changed.map(({ option, value, source = '' }) => [
    option.name,
    shown(formatOption(option.kind, value)),
    source
  ])
  return `\n${table([['option', 'value', 'from'], ...rows])}`
}

/** A key in a line of its own would break the table. */
function shown(text: string): string {
  return text === '' ? '(none)' : text.replace(/\s+/g, ' ')
}
