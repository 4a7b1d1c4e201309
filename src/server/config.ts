// The options of the server, in one table: from it come flags, environment variables, `--help` and validation. It starts
// nothing.
import type { Durability } from '../log/lmdb-store.ts'
import { type RetentionRule, readRules } from '../logs.ts'

/** What a server needs to know. */
export interface Config {
  readonly host: string
  readonly port: number
  readonly open: boolean
  /** Empty for history in memory. */
  readonly data: string
  readonly durability: Durability
  readonly retention: readonly RetentionRule[]
}

type Kind = 'text' | 'folder' | 'port' | 'switch' | 'flush|os' | 'rules'
type Value = Config[keyof Config]

export interface Option {
  /** The key; `--some-name` and `TIDINGS_SOME_NAME` follow from `someName`. */
  readonly name: keyof Config
  readonly kind: Kind
  readonly default: Value
  readonly help: string
}

export const options: readonly Option[] = [
  { name: 'host', kind: 'text', default: '127.0.0.1', help: 'address to listen on' },
  { name: 'port', kind: 'port', default: 5000, help: 'port to listen on, 0 for any that is free' },
  {
    name: 'open',
    kind: 'switch',
    default: false,
    help: 'let anyone who can reach the server publish and subscribe, also beyond this machine'
  },
  { name: 'data', kind: 'folder', default: '', help: 'folder to keep history in; left out, it is kept in memory' },
  {
    name: 'durability',
    kind: 'flush|os',
    default: 'flush',
    help: 'a publish is answered when it is on disk, or sooner (os), but then all history goes with a crash or a kill'
  },
  {
    name: 'retention',
    kind: 'rules',
    default: [],
    help: 'what is kept for how long, as JSON: [{"match":"prices/{symbol}","last":1},{"match":"*","age":"7d","bytes":"1GiB"}]'
  }
]

/** Something is wrong with the configuration; `message` says what, and what to do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** `someName` → `--some-name` */
export function flagFor(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/** `someName` → `TIDINGS_SOME_NAME` */
export function variableFor(name: string): string {
  return `TIDINGS_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
}

/**
 * Puts a configuration together: flags win over variables, variables over defaults.
 * @throws ConfigError that names the option, the value, and what was expected.
 */
export function configure(flags: Record<string, unknown>, environment: NodeJS.ProcessEnv): Config {
  const chosen = options.map((option) => {
    const fromFlag = flags[option.name]
    if (fromFlag !== undefined) return [option.name, parse(option, fromFlag, flagFor(option.name))]
    const fromVariable = environment[variableFor(option.name)]
    if (fromVariable !== undefined) return [option.name, parse(option, fromVariable, variableFor(option.name))]
    return [option.name, option.default]
  })
  const config = Object.fromEntries(chosen) as Config
  checkReach(config)
  return config
}

type Refuse = (expected: string) => never

const parsers: Record<Kind, (text: string, refuse: Refuse) => Value> = {
  text: (text, refuse) => text || refuse('a text'),
  folder: (text) => text,
  port: (text, refuse) => (/^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : refuse('0 to 65535')),
  'flush|os': (text, refuse) => (text === 'flush' || text === 'os' ? text : refuse('flush or os')),
  switch: (text, refuse) => {
    if (['true', '1', 'yes', 'on'].includes(text)) return true
    return ['false', '0', 'no', 'off', ''].includes(text) ? false : refuse('true or false')
  },
  rules: (text, refuse) => {
    try {
      return readRules(text === '' ? [] : JSON.parse(text))
    } catch (error) {
      return error instanceof RangeError ? refuse(error.message) : refuse('a list of rules as JSON')
    }
  }
}

function parse({ kind }: Option, value: unknown, source: string): Value {
  return parsers[kind](String(value).trim(), (expected) => {
    throw new ConfigError(
      expected.startsWith('retention') ? `${source}: ${expected}` : `${source}: expected ${expected}, not "${value}"`
    )
  })
}

/** Whoever could reach an open server from outside could publish; that is never to happen by accident. */
function checkReach({ host, open }: Config): void {
  if (open || isLoopback(host)) return
  throw new ConfigError(
    `--host ${host} can be reached from other machines, and this server would let anyone there publish and subscribe; ` +
      'say --open if that is what you want, or listen on 127.0.0.1'
  )
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}
