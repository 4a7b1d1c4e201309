// Reads one option's value: from the text of a flag or a variable, or from what a file holds. It knows no option by name.
import type { IssuerKeys } from '../../auth/verifier.ts'
import { parseRules, type RetentionRule } from '../../log/retention/rules.ts'
import { parseDuration, parseSize, UnitMissingError } from '../../units.ts'

/** What kinds of values there are. A `secret` is a text that is never shown; `a|b` is one of a few words. */
export type Kind =
  | 'text'
  | 'secret'
  | 'file'
  | 'folder'
  | 'port'
  | 'count'
  | 'switch'
  | 'duration'
  | 'size'
  | 'rules'
  | 'list'
  | 'issuers'
  | `${string}|${string}`

export type Value = string | number | boolean | readonly RetentionRule[] | readonly (string | IssuerKeys)[]

/** Something is wrong with the configuration; `message` says what, and what to do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

type Refuse = (expected: string) => never
type Parser = (value: unknown, refuse: Refuse) => Value

const parsers: Record<Exclude<Kind, `${string}|${string}`>, Parser> = {
  text: (value, refuse) => textOf(value, refuse, 'a text'),
  secret: (value, refuse) => textOf(value, refuse, 'a text'),
  file: (value, refuse) => textOf(value, refuse, 'the path of a file'),
  folder: (value, refuse) => textOf(value, refuse, 'the path of a folder'),
  port: (value, refuse) =>
    /^\d{1,5}$/.test(`${value}`) && Number(value) <= 65_535 ? Number(value) : refuse('0 to 65535'),
  count: (value, refuse) =>
    /^\d{1,9}$/.test(`${value}`) ? Number(value) : refuse('a whole number, or 0 for no bound'),
  switch: (value, refuse) => {
    if (['true', '1', 'yes', 'on'].includes(`${value}`)) return true
    return ['false', '0', 'no', 'off', ''].includes(`${value}`) ? false : refuse('true or false')
  },
  duration: (value, refuse) => unit(() => parseDuration(`${value}`), refuse, 'a duration such as 500ms, 10s or 5m'),
  size: (value, refuse) => unit(() => parseSize(value as string), refuse, 'a size such as 64KiB or 1MiB'),
  rules: (value, refuse) => {
    try {
      return parseRules(withoutBareAges(fromJson(value === '' ? [] : value)))
    } catch (error) {
      return error instanceof RangeError ? refuse(error.message) : refuse('a list of rules as JSON')
    }
  },
  list: (value, refuse) => {
    if (!Array.isArray(value))
      return textOf(value, refuse, 'a list')
        .split(/[\s,]+/)
        .filter((entry) => entry !== '')
    return value.every((entry) => typeof entry === 'string') ? value : refuse('a list of texts')
  },
  issuers: (value, refuse) => {
    const isJson = Array.isArray(value) || `${value}`.startsWith('[')
    return isJson ? readIssuers(value, refuse) : parsers.list(value, refuse)
  }
}

function textOf(value: unknown, refuse: Refuse, expected: string): string {
  return typeof value === 'string' || typeof value === 'number' ? `${value}` : refuse(expected)
}

function unit(read: () => number, refuse: Refuse, expected: string): number {
  try {
    return read()
  } catch (error) {
    if (error instanceof UnitMissingError) throw error
    return refuse(expected)
  }
}

/** To code, a number is milliseconds; in a configuration it is a duration without a unit, as a text would be. */
function withoutBareAges(rules: unknown): RetentionRule[] {
  if (!Array.isArray(rules)) return rules as RetentionRule[]
  return rules.map((rule: RetentionRule) => (typeof rule?.age === 'number' ? { ...rule, age: `${rule.age}` } : rule))
}

/** A flag and a variable hold a list as JSON; a file holds it as it is. */
function fromJson(value: unknown): unknown {
  return typeof value === 'string' ? JSON.parse(value) : value
}

const roleFields = ['key', 'jwks', 'algorithms']

function readIssuers(value: unknown, refuse: Refuse): readonly (string | IssuerKeys)[] {
  const expected =
    'a list of issuers, or as JSON [{"issuer":"https://a.example","publisher":{"jwks":"https://…"},"subscriber":{"key":"…"}}]'
  let issuers: unknown
  try {
    issuers = fromJson(value)
  } catch {
    return refuse(expected)
  }
  return Array.isArray(issuers) && issuers.every(isIssuer) ? issuers : refuse(expected)
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
  return Object.keys(value).every((key) => roleFields.includes(key))
}

function parserOf(kind: Kind): Parser {
  const parser = (parsers as Record<string, Parser>)[kind]
  if (parser) return parser
  const words = kind.split('|')
  return (value, refuse) => (words.includes(`${value}`) ? `${value}` : refuse(words.join(' or ')))
}

/** @throws ConfigError that names where the value came from, the value unless it is secret, and what was expected. */
export function parse({ kind }: { readonly kind: Kind }, value: unknown, source: string): Value {
  const refuse = (expected: string): never => {
    if (expected.startsWith('retention')) throw new ConfigError(`${source}: ${expected}`)
    // Issuers may come with keys.
    const found =
      kind === 'secret' || kind === 'issuers'
        ? ''
        : `, not ${typeof value === 'string' ? `"${value}"` : JSON.stringify(value)}`
    throw new ConfigError(`${source}: expected ${expected}${found}`)
  }
  try {
    return parserOf(kind)(typeof value === 'string' ? value.trim() : value, refuse)
  } catch (error) {
    throw error instanceof UnitMissingError ? new ConfigError(`${source}: ${error.message}`) : error
  }
}
