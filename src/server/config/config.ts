// Reads the configuration of a server: flags win over variables, variables over the file, the file over defaults.
import { OptionError } from '../../errors.ts'
import { checkReach, isGuarded } from '../exposure.ts'
import { readConfigFile, readSecretFile } from './file.ts'
import { type Config, flagFor, type Option, options, variableFor } from './options.ts'
import { parse, type Value } from './value.ts'

/** What was given for an option, not read yet. */
interface Given {
  readonly value: unknown
  /** The flag, the variable, or the file and its key. */
  readonly source: string
}

/** What was given, by the name of the option. Options that have their default are missing. */
export type Sources = ReadonlyMap<string, Given>

/** Flags and variables as the process was given them. */
interface Input {
  readonly flags: Readonly<Record<string, unknown>>
  readonly environment: NodeJS.ProcessEnv
}

/**
 * Finds what was given for each option.
 * @throws ConfigError if the configuration file or the file of a secret cannot be used
 */
export function readSources(flags: Input['flags'], environment: Input['environment']): Sources {
  const input = { flags, environment }
  const path = flags.config ?? environment[variableFor('config')]
  const names = options.map(({ name }) => name).filter((name) => name !== 'config')
  const file = path === undefined ? {} : readConfigFile(String(path), names)
  const sources = new Map<string, Given>()
  for (const option of options) {
    const { name } = option
    const inFile = file[name] === undefined ? undefined : { value: file[name], source: `${path}: ${name}` }
    const given = find(option, input) ?? inFile
    if (given) sources.set(name, given)
  }
  return sources
}

function find({ name, kind }: Option, { flags, environment }: Input): Given | undefined {
  const variable = variableFor(name)
  if (flags[name] !== undefined) return { value: flags[name], source: flagFor(name) }
  if (environment[variable] !== undefined) return { value: environment[variable], source: variable }
  // Container platforms mount secrets as files.
  const source = `${variable}_FILE`
  const path = kind === 'secret' ? environment[source] : undefined
  return path === undefined ? undefined : { value: readSecretFile(path, source), source }
}

/** Names an option by where its value was given, or else by its flag. For `OptionError.describe`. */
export function nameIn(sources: Sources): (option: string) => string {
  return (option) => sources.get(option)?.source ?? flagFor(option)
}

/** An option and its value. */
export interface Setting {
  readonly option: Option
  readonly value: Value
  /** Undefined for a default. */
  readonly source: string | undefined
}

/**
 * The value of every option, without checking whether they fit together.
 * @throws OptionError that says which value was expected
 */
export function settingsOf(sources: Sources): readonly Setting[] {
  return options.map((option) => {
    const given = sources.get(option.name)
    const value = given ? parse(option.name, option.kind, given.value) : option.default
    return { option, value, source: given?.source }
  })
}

/**
 * The configuration of a server.
 * @throws OptionError for a value that cannot be used, alone or together with another
 */
export function configure(sources: Sources): Config {
  const config = Object.fromEntries(
    settingsOf(sources).map(({ option, value }) => [option.name, value])
  ) as unknown as Config
  checkTogether(config)
  return config
}

function checkTogether(config: Config): void {
  const { open, durability, data, log, tlsCert, tlsKey } = config
  if (open && isGuarded(config)) {
    throw new OptionError(
      'open',
      (nameOf) =>
        `lets anyone publish and subscribe, so it cannot be combined with keys or ${nameOf('authorize')}; remove one of them`
    )
  }
  if (tlsCert === '' && tlsKey !== '') throw new OptionError('tlsKey', requires('tlsCert'))
  if (tlsKey === '' && tlsCert !== '') throw new OptionError('tlsCert', requires('tlsKey'))
  if (durability === 'os' && data === '') throw new OptionError('durability', requires('data'))
  if (log !== '' && data !== '') {
    throw new OptionError('data', (nameOf) => `cannot be combined with ${nameOf('log')}; remove one of them`)
  }
  checkReach(config, config)
}

function requires(other: string): OptionError['detail'] {
  return (nameOf) => `requires ${nameOf(other)}; set both`
}
