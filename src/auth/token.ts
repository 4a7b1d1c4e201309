// Finds the token among what a request carries. It knows no HTTP server, and does not know whether a token is any good.
import { decodeProtectedHeader } from 'jose'
import type { Dialect } from './dialect.ts'

/** Everything in a request that may hold a token. */
export interface TokenSources {
  /** The value of each `Authorization` header. */
  readonly authorization: readonly string[]
  /** The `Cookie` header. */
  readonly cookies: string | undefined
  /** The value of each `authorization` parameter of the query. */
  readonly query: readonly string[]
}

/** Which cookies hold tokens. One name may stand for both dialects. */
export interface CookieNames {
  /** Of dialect 1.0. */
  readonly modern: string
  /** Of dialect 0.x. */
  readonly legacy: string
}

/** The names that the protocol gives. */
export const defaultCookieNames: CookieNames = {
  modern: '__Secure-mercure_access_token',
  legacy: 'mercureAuthorization'
}

export type TokenSource = 'header' | 'query' | 'cookie'

/** `malformed`: a carrier is there that does not hold one token; `reason` says why, and quotes nothing of it. */
export type TokenLookup =
  | { readonly kind: 'none' }
  | { readonly kind: 'malformed'; readonly by: TokenSource; readonly reason: string }
  | { readonly kind: 'token'; readonly token: string; readonly by: TokenSource }

/** What was found, and the dialect to judge it by and to answer in. */
export type PublisherTokenLookup = TokenLookup & { readonly dialect: Dialect }

/** The shortest token of dialect 0.x, in characters: the shortest signed JWT that can be. */
const shortestToken = 41

/**
 * The token of a request whose dialect is known. The first carrier that is present decides; if that is malformed, no other is
 * looked at.
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
 * The token of a request whose dialect only the token can tell, as publishing is. A token in a carrier that its dialect does
 * not have is ignored. The order is header, parameter, cookie of 1.0, cookie of 0.x. A token that cannot be read counts, so
 * that it is refused: in a header as one of 1.0, elsewhere as one of the dialect that has the carrier.
 * @param dialects those that are spoken; with one of them, every token is of that one
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

/** What a token says that it is, before anything is verified; undefined when it cannot be read [RFC 9068, 2.1]. */
export function dialectOf(token: string): Dialect | undefined {
  try {
    const { typ } = decodeProtectedHeader(token)
    return typeof typ === 'string' && /^(application\/)?at\+jwt$/i.test(typ) ? '1.0' : '0.x'
  } catch {
    return undefined
  }
}

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
  return token.length < shortestToken ? malformed('header', 'too short') : { kind: 'token', token, by: 'header' }
}

function parameter(values: readonly string[]): TokenLookup {
  const [token = ''] = values
  if (values.length !== 1) return malformed('query', 'more than one parameter named authorization')
  return token.length < shortestToken ? malformed('query', 'too short') : { kind: 'token', token, by: 'query' }
}

function cookie(cookies: string | undefined, name: string): TokenLookup {
  const token = cookies === undefined ? undefined : cookieValue(cookies, name)
  return token === undefined ? { kind: 'none' } : { kind: 'token', token, by: 'cookie' }
}

function malformed(by: TokenSource, reason: string): TokenLookup {
  return { kind: 'malformed', by, reason }
}

/**
 * The first cookie of the name [RFC 6265, 4.2.1 and 5.4]: browsers send the one with the longest path first. One pass, which
 * ends at the cookie that was looked for.
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
 * A token that is not accepted. Its bearer learns nothing more [RFC 6750, 3.1], because the failed check would help an attacker who
 * makes tokens up. `reason` is for debug logs. It quotes neither the token nor a key.
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
