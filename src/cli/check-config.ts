// `tidings check-config`: checks a configuration without starting a server, and prints the values that are not defaults.
import { Command } from 'commander'
import { type Setting, settingsOf } from '../server/config/config.ts'
import { unknownVariables } from '../server/config/environment.ts'
import { format } from '../server/config/value.ts'
import { checkConfig } from '../server/server.ts'
import { endOnFailure } from './client/run.ts'
import { withConfig, withServerFlags } from './server-flags.ts'
import { table } from './table.ts'

const examples = `
Examples:
  tidings check-config --config tidings.yaml
  tidings check-config --host 0.0.0.0 --publisher-jwks https://id.example.com/jwks --anonymous

Flags win over variables, and variables over the file. The exit code is 0 if \`tidings serve\` accepts the same options,
and 1 if it does not. Ports and folders are not opened.
`

export function checkConfigCommand(): Command {
  return withServerFlags(new Command('check-config'))
    .addHelpText('after', examples)
    .action((flags: Record<string, unknown>) => endOnFailure(() => check(flags)))
}

async function check(flags: Record<string, unknown>): Promise<void> {
  const settings = await withConfig(flags, (config, sources) => {
    checkConfig(config)
    return settingsOf(sources)
  })
  for (const warning of unknownVariables(process.env)) process.stderr.write(`${warning}\n`)
  process.stdout.write(`The configuration is valid.\n${changes(settings)}`)
}

function changes(all: readonly Setting[]): string {
  const changed = all.filter(({ option, value }) => JSON.stringify(value) !== JSON.stringify(option.default))
  if (changed.length === 0) return 'All options have their defaults.\n'
  const rows = changed.map(({ option, value, source = '' }) => [option.name, shown(format(option.kind, value)), source])
  return `\n${table([['option', 'value', 'from'], ...rows])}`
}

/** A value with line breaks would break the table. */
function shown(text: string): string {
  return text === '' ? '(none)' : text.replace(/\s+/g, ' ')
}
