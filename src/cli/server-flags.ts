// The flags of the server, which `serve` and `check-config` share, and the errors that keep a server from starting.
import { type Command, Option as Flag } from 'commander'
import { OptionError } from '../errors.ts'
import { configure, nameIn, readSources, type Sources } from '../server/config/config.ts'
import { type Config, flagFor, type Option, options, renamed, variableFor } from '../server/config/options.ts'
import { format } from '../server/config/value.ts'
import { Failure } from './client/failure.ts'

/** Adds every option of the server to a command. */
export function withServerFlags(command: Command): Command {
  for (const option of options) command.addOption(toFlag(option))
  // Known to the parser, so that using one is answered with its new name.
  for (const old of Object.keys(renamed)) command.addOption(new Flag(`${flagFor(old)} <value>`).hideHelp())
  return command
}

function toFlag({ section, name, kind, default: fallback, help }: Option): Flag {
  const value = kind === 'switch' ? '' : ` <${kind.replace(/ of .*/, '')}>`
  const isShown = ['string', 'number'].includes(typeof fallback) && fallback !== ''
  const origin = isShown ? `${variableFor(name)}, default ${format(kind, fallback)}` : variableFor(name)
  return new Flag(`${flagFor(name)}${value}`, `${help} (${origin})`).helpGroup(`${section}:`)
}

/**
 * Reads the configuration and does some work with it.
 * @throws Failure with one sentence, which names options by the flag, variable or file key that the user typed
 */
export async function withConfig<Result>(
  flags: Record<string, unknown>,
  work: (config: Config, sources: Sources) => Result | Promise<Result>
): Promise<Result> {
  let sources: Sources = new Map()
  try {
    sources = readSources(flags, process.env)
    return await work(configure(sources), sources)
  } catch (error) {
    if (error instanceof OptionError) throw new Failure(error.describe(nameIn(sources)))
    throw new Failure(describe(error as ListenError))
  }
}

/** An error of `listen` has the address: there may be several, and one for operators. */
interface ListenError extends NodeJS.ErrnoException {
  readonly address?: string
  readonly port?: number
}

function describe({ code, message, address, port }: ListenError): string {
  const at = port === undefined ? address : `${address}:${port}`
  if (code === 'EADDRINUSE') return `${at} is already in use; choose another port, or port 0 for any free one`
  if (code === 'EACCES') return `this user may not listen on ${at}; choose a port above 1023`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return `${address ?? 'the host'} is not an address of this machine`
  return message
}
