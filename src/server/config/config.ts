// The options of the server, in one table: from it come flags, environment variables, `--help` and validation. It starts
// nothing.
import { readFileSync } from 'node:fs'
import { checkReach, isGuarded } from '../exposure.ts'
import { readConfigFile } from './file.ts'
import type { Option } from './option.ts'
import { options } from './options.ts'
import type { Config } from './shape.ts'
import { ConfigError, parse, type Value } from './value.ts'

export type { Option } from './option.ts'
export { options } from './options.ts'
export type { Config } from './shape.ts'
export { ConfigError } from './value.ts'

/** `someName` → `--some-name` */
export function flagFor(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/** `someName` → `TIDINGS_SOME_NAME` */
export function variableFor(name: string): string {
  return `TIDINGS_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
}

/** A text that names options, with each as it is written on the command line. */
export function withFlags(text: string): string {
  return options.reduce((said, { name }) => said.replace(new RegExp(`\\b${name}\\b`, 'g'), flagFor(name)), text)
}

/** One option with its value, and where that was said; the default was said nowhere. */
export interface Setting {
  readonly option: Option
  readonly value: Value
  readonly source: string | undefined
}

/**
 * Puts a configuration together: flags win over variables, variables over the file, the file over defaults.
 * @throws ConfigError that names the option, the value, and what was expected.
 */
export function configure(flags: Record<string, unknown>, environment: NodeJS.ProcessEnv): Config {
  const chosen = settings(flags, environment).map(({ option, value }) => [option.name, value])
  const config = Object.fromEntries(chosen) as unknown as Config
  checkTogether(config)
  return config
}

/**
 * Every option as it was chosen, without looking at whether they go together.
 * @throws ConfigError as `configure` does.
 */
export function settings(flags: Record<string, unknown>, environment: NodeJS.ProcessEnv): readonly Setting[] {
  const path = flags.config ?? environment[variableFor('config')]
  const file = path === undefined ? {} : readConfigFile(String(path), names)
  return options.map((option) => choose(option, flags, environment, file, String(path)))
}

const names = options.map(({ name }) => name).filter((name) => name !== 'config')

function choose(
  option: Option,
  flags: Record<string, unknown>,
  environment: NodeJS.ProcessEnv,
  file: Record<string, unknown>,
  path: string
): Setting {
  const { name, kind } = option
  const variable = variableFor(name)
  const from = (value: unknown, source: string) => ({ option, value: parse(option, value, source), source })
  if (flags[name] !== undefined) return from(flags[name], flagFor(name))
  if (environment[variable] !== undefined) return from(environment[variable], variable)
  // Where containers get their secrets: in files, which are named by variables.
  const secret = kind === 'secret' ? environment[`${variable}_FILE`] : undefined
  if (secret !== undefined) return from(readSecret(secret, `${variable}_FILE`), `${variable}_FILE`)
  return file[name] === undefined
    ? { option, value: option.default, source: undefined }
    : from(file[name], `${path}: ${name}`)
}

function readSecret(path: string, source: string): string {
  let text: string
  try {
    text = readFileSync(path, 'utf8').trim()
  } catch (error) {
    throw new ConfigError(`${source}: ${path} cannot be read: ${(error as NodeJS.ErrnoException).code}`)
  }
  // A file that was cut off would otherwise stand for "no key".
  if (text !== '') return text
  throw new ConfigError(`${source}: ${path} is empty; write the secret into it, or unset ${source}`)
}

/** @throws ConfigError that says which options do not go together. */
function checkTogether(config: Config): void {
  const { open, durability, data, tlsCert, tlsKey } = config
  if (open && isGuarded(config)) {
    throw new ConfigError(
      '--open lets anyone publish and subscribe, and there are keys, or --authorize, for those who may; leave one of them out'
    )
  }
  if ((tlsCert === '') !== (tlsKey === '')) throw new ConfigError('--tls-cert and --tls-key go together; set both')
  if (durability === 'os' && data === '') {
    throw new ConfigError('--durability says how history is written to disk, and there is none; set --data')
  }
  if (config.log !== '' && data !== '') {
    throw new ConfigError('--data keeps history in a folder, and --log in Redis; leave one of them out')
  }
  checkReach(config, config)
}
