// Reads the configuration of a server: flags win over variables, variables over the file, the file over defaults.
import { OptionError } from '../../errors.ts'
import { checkReach, isGuarded } from '../exposure.ts'
import { findVariable, type Given, refuseRenamedVariables } from './environment.ts'
import { ConfigError, readConfigFile } from './file.ts'
import { type Config, flagFor, type Option, options, renamed, variableFor } from './options.ts'
import { storeKind, storeOfFolder } from './store-value.ts'
import { parse, type Value } from './value.ts'

/** What was given, by the name of the option. Options that have their default are missing. */
export type Sources = ReadonlyMap<string, Given>

/** Flags and variables as the process was given them. */
interface Input {
  readonly flags: Readonly<Record<string, unknown>>
  readonly environment: NodeJS.ProcessEnv
}

/**
 * Finds what was given for each option.
 * @throws ConfigError for a file that cannot be used, and for the former name of an option
 */
export function readSources(flags: Input['flags'], environment: Input['environment']): Sources {
  const input = { flags, environment }
  refuseRenamed(input)
  const path = flags.config ?? environment[variableFor('config')]
  const names = options.map(({ name }) => name).filter((name) => name !== 'config')
  const file = path === undefined ? {} : readConfigFile(String(path), { names, renamed })
  const sources = new Map<string, Given>()
  for (const option of options) {
    const { name } = option
    const inFile = file[name] === undefined ? undefined : { value: file[name], source: `${path}: ${name}` }
    const given = find(option, input) ?? inFile
    if (given) sources.set(name, given)
  }
  return sources
}

function refuseRenamed({ flags, environment }: Input): void {
  for (const [old, name] of Object.entries(renamed)) {
    if (flags[old] !== undefined) throw new ConfigError(`${flagFor(old)}: renamed to ${flagFor(name)}`)
  }
  refuseRenamedVariables(environment)
}

function find(option: Option, { flags, environment }: Input): Given | undefined {
  const { name } = option
  if (flags[name] !== undefined) return { value: flags[name], source: flagFor(name) }
  return findVariable(option, environment)
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
  const stored = { ...config, store: storeIn(config, sources) }
  checkTogether(stored)
  return stored
}

/** `data` is a short form of `store`. Everything else looks at `store` only. */
function storeIn({ store, data }: Config, sources: Sources): string {
  if (data === '') return store
  if (data.includes('://')) {
    const detail = (nameOf: (option: string) => string) =>
      `expected the path of a folder, and not a URL; use ${nameOf('store')} for Redis`
    throw new OptionError('data', detail)
  }
  const given = sources.get('store')?.value
  // An empty variable sets nothing.
  if (given === undefined || given === '') return storeOfFolder(data)
  throw new OptionError('data', (nameOf) => `cannot be combined with ${nameOf('store')}; remove one of them`)
}

function checkTogether(config: Config): void {
  const { open, durability, store, tlsCert, tlsKey } = config
  if (open && isGuarded(config)) {
    throw new OptionError(
      'open',
      (nameOf) =>
        `lets anyone publish and subscribe, so it cannot be combined with keys or ${nameOf('authorize')}; remove one`
    )
  }
  if (tlsCert === '' && tlsKey !== '') throw new OptionError('tlsKey', requires('tlsCert'))
  if (tlsKey === '' && tlsCert !== '') throw new OptionError('tlsCert', requires('tlsKey'))
  if (durability === 'os' && storeKind(store) !== 'folder') {
    throw new OptionError('durability', (nameOf) => `os requires history in a folder; set ${nameOf('store')} to one`)
  }
  checkReach(config, config)
}

function requires(other: string): OptionError['detail'] {
  return (nameOf) => `requires ${nameOf(other)}; set both`
}
