// Reads the grants from the claims of a verified token, in either dialect. One invalid claim makes the whole token
// invalid: the rest may grant something that its issuer did not intend.
import { isObject, type JsonObject } from '../json.ts'
import type { Selector, TypedSelector } from '../topics/matcher.ts'
import type { Dialect } from './dialect.ts'
import { Grants, type GrantsInit, type Json, type PayloadRule } from './grants.ts'
import { TokenError } from './token.ts'

/** The `type` of authorization details for a hub [Mercure 1.0, Authorization Details; RFC 9396, 2]. */
export const detailType = 'https://mercure.rocks/authorization-detail'

/**
 * The grant of an operator: in 1.0 an authorization detail of this type, and in 0.x a member of the claim with the value
 * `true`.
 */
export const operateGrant = 'tidings:operate'

/** The claim of dialect 0.x, and its newer name, which takes precedence. */
const legacyClaim = 'mercure'
const namespacedClaim = 'https://mercure.rocks/'

/** Limits: selectors per list in 0.x, and details and topics per token in 1.0. */
const maxSelectors = 1_000
const maxDetails = 100
const maxTopics = 100
/** In bytes. */
const maxMatch = 4_096

/** The claims of a token whose signature and dates are verified. */
export type Claims = JsonObject

/**
 * @param base the hub's URL, against which relative URL patterns are resolved
 * @param until when the token expires, in milliseconds since 1970
 * @param clockTolerance seconds by which the clocks of issuers may differ
 * @throws TokenError
 */
export function readGrants(claims: Claims, dialect: Dialect, base: string, until: number, clockTolerance = 0): Grants {
  const read = dialect === '0.x' ? legacyGrants(claims) : modernGrants(claims, base)
  const { iat } = claims
  // The issuer's clock may be fast, and a token from before a revocation must not look newer.
  const issuedAt = typeof iat === 'number' ? (iat - clockTolerance) * 1_000 : undefined
  try {
    return new Grants({ ...read, dialect, until, subject: textIn(claims.sub), jti: textIn(claims.jti), issuedAt })
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new TokenError('a URL pattern is malformed or too expensive to match')
  }
}

/** An empty text identifies nobody. */
function textIn(claim: unknown): string | undefined {
  return typeof claim === 'string' && claim !== '' ? claim : undefined
}

type Read = Pick<GrantsInit, 'publish' | 'subscribe' | 'payloads' | 'isOperator'>

/** Null counts as absent, since serializers write it for unset values. A token without the claim grants nothing. */
function legacyGrants(claims: Claims): Read {
  const claim = claims[namespacedClaim] ?? claims[legacyClaim] ?? {}
  if (!isObject(claim)) throw new TokenError('the claim mercure is not an object')
  const payload = claim.payload as Json | undefined
  return {
    publish: selectorList(claim.publish, 'publish'),
    subscribe: selectorList(claim.subscribe, 'subscribe'),
    payloads: payload === undefined ? [] : [{ selectors: ['*'], payload }],
    isOperator: readOperate(claim[operateGrant])
  }
}

function readOperate(value: unknown): boolean {
  if (value === undefined || value === null) return false
  if (typeof value === 'boolean') return value
  throw new TokenError(`mercure.${operateGrant} is not a boolean`)
}

function selectorList(list: unknown, name: string): string[] | undefined {
  if (list === undefined || list === null) return undefined
  if (!Array.isArray(list) || !list.every((entry) => typeof entry === 'string')) {
    throw new TokenError(`mercure.${name} is not a list of strings`)
  }
  if (list.length > maxSelectors) throw new TokenError(`mercure.${name} contains more than ${maxSelectors} selectors`)
  return list.filter(couldCover)
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the expression searches for control characters
const control = /[\0-\x1f\x7f]/

/**
 * Whether a valid topic can match the selector. Topics are not empty, have limited length, and contain no control
 * characters.
 */
function couldCover(selector: string): boolean {
  return selector !== '' && !control.test(selector) && Buffer.byteLength(selector) <= maxMatch
}

function modernGrants(claims: Claims, base: string): Read {
  const { authorization_details: entries = [] } = claims
  if (!Array.isArray(entries)) throw new TokenError('authorization_details is not a list')
  const ours = entries.filter((entry) => typeOf(entry) === detailType)
  if (ours.length > maxDetails) throw new TokenError(`the token has more than ${maxDetails} authorization details`)
  requireFewTopics(ours)
  const details = ours.map((entry) => readDetail(entry, base))
  const publishing = details.filter(({ actions }) => actions.includes('publish'))
  const subscribing = details.filter(({ actions }) => actions.includes('subscribe'))
  return {
    publish: publishing.length > 0 ? publishing.flatMap(({ selectors }) => selectors) : undefined,
    subscribe: subscribing.flatMap(({ selectors }) => selectors),
    payloads: subscribing,
    isOperator: entries.some((entry) => typeOf(entry) === operateGrant)
  }
}

/** Every detail must have a type. Details of other types are ignored. */
function typeOf(entry: unknown): string {
  if (!isObject(entry) || typeof entry.type !== 'string') throw new TokenError('an authorization detail has no type')
  return entry.type
}

/** Counts the topics of the whole token before it compiles any, so that a token cannot cause unlimited work. */
function requireFewTopics(details: readonly Claims[]): void {
  const count = details.reduce((sum, { topics }) => sum + (Array.isArray(topics) ? topics.length : 0), 0)
  if (count > maxTopics)
    throw new TokenError(`the token has more than ${maxTopics} topics in its authorization details`)
}

interface Detail extends PayloadRule {
  readonly actions: readonly string[]
}

function readDetail({ actions, topics, payload }: Claims, base: string): Detail {
  if (!isFilledList(actions) || !actions.every((action) => typeof action === 'string')) {
    throw new TokenError('actions of an authorization detail must be a list of strings, and not empty')
  }
  if (!isFilledList(topics)) throw new TokenError('topics of an authorization detail must be a list, and not empty')
  const selectors = topics.map((topic) => readTopic(topic, base))
  if (payload === undefined) return { actions, selectors }
  if (!isObject(payload)) throw new TokenError('payload of an authorization detail is not an object')
  return { actions, selectors, payload: payload as Json }
}

function readTopic(topic: unknown, base: string): Selector {
  if (!isObject(topic)) throw new TokenError('a topic of an authorization detail is not an object')
  const { match, match_type: type = 'exact' } = topic
  if (typeof match !== 'string' || !isMatch(match))
    throw new TokenError('match of a topic must be a text that is neither empty nor too long')
  if (!isMatchType(type)) throw new TokenError('match_type of a topic is unknown')
  return { match, type, base }
}

function isMatchType(type: unknown): type is TypedSelector['type'] {
  return type === 'exact' || type === 'urlpattern'
}

/** Whether text is valid as `match`: Unicode without control and format characters, 1 to 4,096 bytes. */
export function isMatch(text: string): boolean {
  if (text === '' || !text.isWellFormed() || /[\p{Cc}\p{Cf}]/u.test(text)) return false
  return Buffer.byteLength(text) <= maxMatch
}

function isFilledList(value: unknown): value is unknown[] {
  return Array.isArray(value) && value.length > 0
}
