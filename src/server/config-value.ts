// Reads one option's value from text: a flag and a variable are the same here. It knows no option by name.
import type { IssuerKeys } from '../auth/verifier.ts'
import { type RetentionRule, readRules } from '../logs.ts'
import { parseDuration } from '../units.ts'

/** What kinds of values there are; `secret` is a text that is never shown. */
export type Kind =
  | 'text'
  | 'secret'
  | 'folder'
  | 'port'
  | 'switch'
  | 'duration'
  | 'flush|os'
  | 'rules'
  | 'list'
  | 'issuers'

export type Value = string | number | boolean | readonly RetentionRule[] | readonly (string | IssuerKeys)[]

/** Something is wrong with the configuration; `message` says what, and what to do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

type Refuse = (expected: string) => never

const parsers: Record<Kind, (text: string, refuse: Refuse) => Value> = {
  text: (text, refuse) => text || refuse('a text'),
  secret: (text) => text,
  folder: (text) => text,
  port: (text, refuse) => (/^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : refuse('0 to 65535')),
  'flush|os': (text, refuse) => (text === 'flush' || text === 'os' ? text : refuse('flush or os')),
  switch: (text, refuse) => {
    if (['true', '1', 'yes', 'on'].includes(text)) return true
    return ['false', '0', 'no', 'off', ''].includes(text) ? false : refuse('true or false')
  },
  duration: (text, refuse) => {
    try {
      return parseDuration(text)
    } catch {
      return refuse('a duration such as 10s or 5m')
    }
  },
  rules: (text, refuse) => {
    try {
      return readRules(text === '' ? [] : JSON.parse(text))
    } catch (error) {
      return error instanceof RangeError ? refuse(error.message) : refuse('a list of rules as JSON')
    }
  },
  list: (text) => text.split(/[\s,]+/).filter((entry) => entry !== ''),
  issuers: (text, refuse) => (text.startsWith('[') ? readIssuers(text, refuse) : parsers.list(text, refuse))
}

const roleFields = ['key', 'jwks', 'algorithms']

function readIssuers(text: string, refuse: Refuse): readonly (string | IssuerKeys)[] {
  const expected =
    'a list of issuers, or as JSON [{"issuer":"https://a.example","publisher":{"jwks":"https://…"},"subscriber":{"key":"…"}}]'
  let issuers: unknown
  try {
    issuers = JSON.parse(text)
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

/** @throws ConfigError that names where the value came from, the value unless it is secret, and what was expected. */
export function parse({ kind }: { readonly kind: Kind }, value: unknown, source: string): Value {
  return parsers[kind](String(value).trim(), (expected) => {
    if (expected.startsWith('retention')) throw new ConfigError(`${source}: ${expected}`)
    // Issuers may come with keys.
    const found = kind === 'secret' || kind === 'issuers' ? '' : `, not "${value}"`
    throw new ConfigError(`${source}: expected ${expected}${found}`)
  })
}
