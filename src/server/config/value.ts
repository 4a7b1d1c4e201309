// The kinds of option values: their types, how a value is read from text or from a file, and how it is shown.
import { availableParallelism } from 'node:os'
import type { IssuerKeys } from '../../auth/verifier.ts'
import { OptionError, withOptionName } from '../../errors.ts'
import { parseRules, type RetentionRule } from '../../log/retention/rules.ts'
import { formatDuration, formatSize, parseDuration, parseSize } from '../../units.ts'
import { describeStore, readStore } from './store-value.ts'

/** The value type of each kind. A `secret` is a text that is never shown. */
interface Values {
  text: string
  secret: string
  file: string
  folder: string
  /** `memory`, a folder, or the URL of Redis, which may hold a password. */
  store: string
  port: number
  count: number
  /** A number of processes; `auto` is that of the cores. */
  workers: number
  switch: boolean
  /** Milliseconds. */
  duration: number
  /** Bytes. */
  size: number
  rules: readonly RetentionRule[]
  list: readonly string[]
  issuers: readonly (string | IssuerKeys)[]
}

type NamedKind = keyof Values
type ListOfWords = `list of ${string}`
type OneOfWords = `${string}|${string}`

/** `a|b` is one of these words, and `list of a|b` any number of them. */
export type Kind = NamedKind | ListOfWords | OneOfWords

export type Value = Values[NamedKind]

/** Splits the words of a kind: `a|b` becomes `'a' | 'b'`. */
type Words<Text extends string> = Text extends `${infer First}|${infer Rest}` ? First | Words<Rest> : Text

/** The type of the values of a kind. */
export type ValueOf<K extends Kind> = K extends NamedKind
  ? Values[K]
  : K extends `list of ${infer Some}`
    ? readonly Words<Some>[]
    : Words<K>

interface Row<K extends Kind, V> {
  readonly kind: K
  readonly default: V
  /** Whether a reload (SIGHUP) applies it. The others need a restart. */
  readonly reload?: boolean
  readonly help: string
}

type NamedRow = { [K in NamedKind]: Row<K, Values[K]> }[NamedKind]

/** Options by section and camelCase name. */
export type OptionTable = Record<
  string,
  Record<string, NamedRow | Row<ListOfWords, readonly string[]> | Row<OneOfWords, string>>
>

/** Refuses the value: `expected` says what it has to be. */
type Refuse = (expected: string) => never
type Parser = (value: unknown, refuse: Refuse) => Value

const parsers: Record<NamedKind, Parser> = {
  text: (value, refuse) => readText(value) ?? refuse('a text'),
  secret: (value, refuse) => readText(value) ?? refuse('a text'),
  file: (value, refuse) => readText(value) ?? refuse('the path of a file'),
  folder: (value, refuse) => readText(value) ?? refuse('the path of a folder'),
  store: (value, refuse) => readStore((readText(value) ?? refuse('a text')) || 'memory'),
  port: (value, refuse) =>
    /^\d{1,5}$/.test(`${value}`) && Number(value) <= 65_535 ? Number(value) : refuse('0 to 65535'),
  count: (value, refuse) =>
    /^\d{1,9}$/.test(`${value}`) ? Number(value) : refuse('a whole number, or 0 for no limit'),
  workers: (value, refuse) => {
    if (value === 'auto') return availableParallelism()
    return /^[1-9]\d{0,2}$/.test(`${value}`) ? Number(value) : refuse('a number from 1 to 999, or auto')
  },
  switch: (value, refuse) => {
    if (['true', '1', 'yes', 'on'].includes(`${value}`)) return true
    return ['false', '0', 'no', 'off', ''].includes(`${value}`) ? false : refuse('true or false')
  },
  duration: (value) => parseDuration(`${value}`),
  size: (value) => parseSize(`${value}`),
  rules: (value, refuse) => {
    const rules = readJson(value)
    return Array.isArray(rules) ? parseRules(rules.map(withoutBareAge)) : refuse('a list of rules as JSON')
  },
  list: (value, refuse) => readList(value) ?? refuse('a list of texts'),
  issuers: (value, refuse) => {
    const issuers = Array.isArray(value) || `${value}`.startsWith('[') ? readJson(value) : readList(value)
    if (Array.isArray(issuers) && issuers.every(isIssuer)) return issuers
    return refuse(
      'a list of issuers, or JSON such as [{"issuer":"https://a.example","publisher":{"jwks":"https://…"},' +
        '"subscriber":{"key":"…"}}]'
    )
  }
}

function parserOf(kind: Kind): Parser {
  const parser = (parsers as Partial<Record<string, Parser>>)[kind]
  if (parser) return parser
  const words = kind.replace('list of ', '').split('|')
  const known = `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
  if (!kind.startsWith('list of ')) {
    return (value, refuse) => (words.includes(`${value}`) ? `${value}` : refuse(known))
  }
  return (value, refuse) => {
    const list = readList(value)
    return list?.every((word) => words.includes(word)) ? list : refuse(`a list of ${known}`)
  }
}

/**
 * Reads an option's value from the text of a flag or variable, or from what a file holds.
 * @throws OptionError that says what was expected and, unless it may hold a secret, what was given
 */
export function parse(option: string, kind: Kind, value: unknown): Value {
  const refuse = (expected: string): never => {
    throw new OptionError(option, `expected ${expected}${mayHoldSecret(kind) ? '' : `, got ${JSON.stringify(value)}`}`)
  }
  return withOptionName(option, () => parserOf(kind)(typeof value === 'string' ? value.trim() : value, refuse))
}

/** Whether an error must not quote a value of the kind. */
export function mayHoldSecret(kind: Kind): boolean {
  return kind === 'secret' || kind === 'store' || kind === 'issuers'
}

/** YAML reads a value such as `5000` or `1.0` as a number. */
function readText(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? `${value}` : undefined
}

/** A list in a file, or a text with commas or spaces between its entries. */
function readList(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value))
    return readText(value)
      ?.split(/[\s,]+/)
      .filter((entry) => entry !== '')
  return value.every((entry) => typeof entry === 'string') ? value : undefined
}

/** A flag and a variable hold a list as JSON; a file holds the list itself. */
function readJson(value: unknown): unknown {
  if (typeof value !== 'string') return value
  if (value === '') return []
  try {
    return JSON.parse(value)
  } catch {
    return undefined
  }
}

/** In code a number is in milliseconds. In a configuration it is a duration without its unit, which is refused. */
function withoutBareAge(rule: RetentionRule): RetentionRule {
  return typeof rule?.age === 'number' ? { ...rule, age: `${rule.age}` } : rule
}

function isIssuer(value: unknown): value is string | IssuerKeys {
  if (typeof value === 'string') return value !== ''
  if (typeof value !== 'object' || value === null) return false
  const { issuer, publisher, subscriber, ...rest } = value as Record<string, unknown>
  return typeof issuer === 'string' && Object.keys(rest).length === 0 && [publisher, subscriber].every(isRole)
}

function isRole(value: unknown): boolean {
  if (value === undefined) return true
  if (typeof value !== 'object' || value === null) return false
  return Object.keys(value).every((key) => ['key', 'jwks', 'algorithms'].includes(key))
}

/** A value as it could be given again, except for secrets. Empty for an empty value. */
export function format(kind: Kind, value: Value): string {
  if (kind === 'secret') return value === '' ? '' : '(secret)'
  if (kind === 'store') return describeStore(String(value))
  if (kind === 'duration') return formatDuration(Number(value))
  if (kind === 'size') return formatSize(Number(value))
  if (!Array.isArray(value)) return String(value)
  if (value.length === 0) return ''
  if (value.every((entry) => typeof entry === 'string')) return value.join(',')
  return kind === 'issuers' ? value.map(formatIssuer).join(',') : JSON.stringify(value)
}

/** The keys of an issuer may be secrets. */
function formatIssuer(issuer: string | { readonly issuer: string }): string {
  return typeof issuer === 'string' ? issuer : `${issuer.issuer} (secret)`
}
