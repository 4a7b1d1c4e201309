// The flags that `serve` and `check-config` share, and the words for what is wrong with them. It starts nothing.
import { type Command, Option as Flag } from 'commander'
import {
  type Config,
  ConfigError,
  flagFor,
  type Option,
  options,
  variableFor,
  withFlags
} from '../server/config/config.ts'
import { formatOption } from '../server/config/format.ts'

/** Gives a command every option of the server. */
export function withServerFlags(command: Command): Command {
  for (const option of options) command.addOption(toFlag(option))
  return command
}

function toFlag(option: Option): Flag {
  const value = option.kind === 'switch' ? '' : ` <${option.kind}>`
  const isSaid = ['string', 'number'].includes(typeof option.default) && option.default !== ''
  const fallback = isSaid ? `, default ${formatOption(option.kind, option.default)}` : ''
  return new Flag(`${flagFor(option.name)}${value}`, `${option.help} (${variableFor(option.name)}${fallback})`)
}

/** One sentence for what keeps a server from starting. */
export function describeStartError(error: NodeJS.ErrnoException, config: Config | undefined): string {
  // What is wrong with options together is said in their names.
  if (error instanceof RangeError) return withFlags(error.message)
  if (error instanceof ConfigError || !config) return error.message
  const { host, port } = config
  if (error.code === 'EADDRINUSE')
    return `${host}:${port} is already in use; choose another with --port, or --port 0 for any`
  if (error.code === 'EACCES')
    return `this user may not listen on ${host}:${port}; choose a port above 1023 with --port`
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') return `${host} is not an address of this machine`
  return error.message
}
