// Finds the token of a request, in a header, parameter or cookie. It does not verify the token.
import { decodeProtectedHeader } from 'jose'
import { BoundedMap } from '../bounded-map.ts'
import type { Dialect } from './dialect.ts'

/** The parts of a request that may contain a token. */
export interface TokenSources {
  /** The value of each `Authorization` header. */
  readonly authorization: readonly string[]
  /** The `Cookie` header. */
  readonly cookies: string | undefined
  /** The value of each `authorization` parameter of the query. */
  readonly query: readonly string[]
}

/** The names of the cookies that contain tokens. Both dialects may use the same name. */
export interface CookieNames {
  /** For dialect 1.0. */
  readonly modern: string
  /** For dialect 0.x. */
  readonly legacy: string
}

/** The names in the protocol. */
export const defaultCookieNames: CookieNames = {
  modern: '__Secure-mercure_access_token',
  legacy: 'mercureAuthorization'
}

export type TokenSource = 'header' | 'query' | 'cookie'

/** `malformed`: a source is present and does not contain exactly one token. `reason` does not quote it. */
export type TokenLookup =
  | { readonly kind: 'none' }
  | { readonly kind: 'malformed'; readonly by: TokenSource; readonly reason: string }
  | { readonly kind: 'token'; readonly token: string; readonly by: TokenSource }

/** The result, and the dialect to verify the token and to answer in. */
export type PublisherTokenLookup = TokenLookup & { readonly dialect: Dialect }

/** Minimum length of a token of dialect 0.x, in characters. No signed JWT is shorter. */
const minTokenLength = 41

/**
 * Finds the token of a request whose dialect is known. The first source that is present decides, even if it is
 * malformed:
 *
 * - `0.x`: header, parameter `authorization`, cookie [Mercure draft-07, Authorization]
 * - `1.0`: header, cookie [Mercure 1.0, Presenting the Access Token; RFC 6750, 2.1]
 */
export function findToken(sources: TokenSources, dialect: Dialect, names: CookieNames): TokenLookup {
  const { authorization, query, cookies } = sources
  if (authorization.length > 0) return dialect === '0.x' ? strictHeader(authorization) : header(authorization)
  if (dialect === '0.x' && query.length > 0) return parameter(query)
  return cookie(cookies, dialect === '0.x' ? names.legacy : names.modern)
}

/**
 * Finds the token of a request whose dialect depends on the token, such as a publish request. The order is header,
 * parameter, cookie of 1.0, cookie of 0.x. A token is ignored if its dialect does not have the source. A token that
 * cannot be decoded is used, so that it is refused: as 1.0 in a header, elsewhere in the dialect of the source.
 * @param dialects the enabled dialects; if there is one, every token has that dialect
 */
export function findPublisherToken(
  sources: TokenSources,
  names: CookieNames,
  dialects: readonly Dialect[]
): PublisherTokenLookup {
  const [only] = dialects
  if (only !== undefined && dialects.every((dialect) => dialect === only)) {
    return { ...findToken(sources, only, names), dialect: only }
  }
  if (sources.authorization.length > 0) return eitherHeader(sources.authorization)
  return eitherParameter(sources.query) ?? eitherCookie(sources.cookies, names) ?? { kind: 'none', dialect: '1.0' }
}

function eitherHeader(values: readonly string[]): PublisherTokenLookup {
  const found = header(values)
  if (found.kind !== 'token' || dialectOf(found.token) !== '0.x') return { ...found, dialect: '1.0' }
  return { ...strictHeader(values), dialect: '0.x' }
}

function eitherParameter(values: readonly string[]): PublisherTokenLookup | undefined {
  if (values.every((token) => dialectOf(token) === '1.0')) return undefined
  return { ...parameter(values), dialect: '0.x' }
}

function eitherCookie(cookies: string | undefined, names: CookieNames): PublisherTokenLookup | undefined {
  const modern = cookie(cookies, names.modern)
  if (modern.kind === 'token' && dialectOf(modern.token) !== '0.x') return { ...modern, dialect: '1.0' }
  const legacy = cookie(cookies, names.legacy)
  if (legacy.kind === 'token' && dialectOf(legacy.token) !== '1.0') return { ...legacy, dialect: '0.x' }
  return undefined
}

/** The dialects of the headers of tokens. Nearly all tokens of an issuer have the same one, which is no secret. */
const dialects = new BoundedMap<string, Dialect>({ maxEntries: 100 })
const maxHeaderLength = 1_000

/** The dialect of a token that is not verified yet, by its `typ` [RFC 9068, 2.1]. Undefined if it cannot be decoded. */
export function dialectOf(token: string): Dialect | undefined {
  const [, headerOfToken = ''] = threeParts.exec(token) ?? []
  const known = dialects.get(headerOfToken)
  if (known) return known
  try {
    const { typ } = decodeProtectedHeader(token)
    const dialect = typeof typ === 'string' && /^(application\/)?at\+jwt$/i.test(typ) ? '1.0' : '0.x'
    if (headerOfToken !== '' && headerOfToken.length <= maxHeaderLength) dialects.set(headerOfToken, dialect)
    return dialect
  } catch {
    return undefined
  }
}

/** The header of a token in the compact form of JWS [RFC 7515, 7.1]. */
const threeParts = /^([^.]+)\.[^.]*\.[^.]*$/

// [RFC 6750, 2.1] b64token
const bearer = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i

function header(values: readonly string[]): TokenLookup {
  if (values.length !== 1) return malformed('header', 'more than one Authorization header')
  const token = bearer.exec(values[0] as string)?.[1]
  return token === undefined ? malformed('header', 'not a Bearer token') : { kind: 'token', token, by: 'header' }
}

function strictHeader(values: readonly string[]): TokenLookup {
  const [value = ''] = values
  if (values.length !== 1) return malformed('header', 'more than one Authorization header')
  if (!value.startsWith('Bearer ')) return malformed('header', 'not a Bearer token')
  const token = value.slice('Bearer '.length)
  return token.length < minTokenLength ? malformed('header', 'too short') : { kind: 'token', token, by: 'header' }
}

function parameter(values: readonly string[]): TokenLookup {
  const [token = ''] = values
  if (values.length !== 1) return malformed('query', 'more than one parameter named authorization')
  return token.length < minTokenLength ? malformed('query', 'too short') : { kind: 'token', token, by: 'query' }
}

function cookie(cookies: string | undefined, name: string): TokenLookup {
  const token = cookies === undefined ? undefined : cookieValue(cookies, name)
  return token === undefined ? { kind: 'none' } : { kind: 'token', token, by: 'cookie' }
}

function malformed(by: TokenSource, reason: string): TokenLookup {
  return { kind: 'malformed', by, reason }
}

/**
 * The first cookie with the name [RFC 6265, 4.2.1]. Browsers send the cookie with the longest path first [RFC 6265,
 * 5.4].
 */
function cookieValue(cookies: string, name: string): string | undefined {
  for (let at = 0; at < cookies.length; ) {
    const semicolon = cookies.indexOf(';', at)
    const end = semicolon === -1 ? cookies.length : semicolon
    const pair = cookies.slice(at, end).trim()
    if (pair.startsWith(`${name}=`)) return unquoted(pair.slice(name.length + 1))
    at = end + 1
  }
  return undefined
}

function unquoted(value: string): string {
  return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value
}

/**
 * A token is not accepted. Its bearer learns nothing more [RFC 6750, 3.1], because the failed check would help an
 * attacker who makes tokens up. `reason` is for log lines. It quotes neither the token nor a key.
 */
export class TokenError extends Error {
  override readonly name = 'TokenError'
  readonly code = 'invalid_token'
  readonly reason: string

  constructor(reason: string) {
    super('The token is not accepted')
    this.reason = reason
  }
}
