// The options of access control: who may publish and subscribe. Checks them and sets defaults.
import { dialects as allDialects, type Dialect } from '../../auth/dialect.ts'
import { algorithmsFor, readKey } from '../../auth/keys.ts'
import { readJwksAddress, remoteAlgorithms } from '../../auth/remote-keys.ts'
import { type CookieNames, defaultCookieNames } from '../../auth/token.ts'
import { type IssuerKeys, type RoleKeys, Verifier } from '../../auth/verifier.ts'
import { OptionError, withOptionName } from '../../errors.ts'
import { type MountOptions, readBasePath } from '../mount.ts'
import { hostsOf } from '../target.ts'
import type { AuthorizeOptions } from './authorizer.ts'

/** The path of a Mercure hub [Mercure 1.0, Hub Discovery]. */
export const hubPath = '/.well-known/mercure'
/** The path of the metadata about the tokens that the hub accepts [RFC 9728, 3.1]. */
export const metadataPath = `/.well-known/oauth-protected-resource${hubPath}`

export interface AccessOptions extends AuthorizeOptions {
  /**
   * The key that verifies publishers' tokens: an HMAC secret, which should have 32 bytes or more, or a public key as
   * PEM, JWK or JWK Set [RFC 7517]. Without a key for publishers, everyone may publish and subscribe. A key for
   * publishers requires one for subscribers or `anonymous`.
   */
  publisherKey?: string
  /** The key that verifies subscribers' tokens; the same forms. It requires a key for publishers. */
  subscriberKey?: string
  /**
   * The http(s) URL of a JWK Set for publishers' tokens [RFC 7517, 5], instead of `publisherKey`. Fetched when first
   * needed.
   */
  publisherJwks?: string
  /** The http(s) URL of a JWK Set for subscribers' tokens, instead of `subscriberKey`. */
  subscriberJwks?: string
  /**
   * The signature algorithms of publishers' tokens [RFC 7518, 3.1]; default HS256, RS256, ES256, ES384, ES512 or EdDSA,
   * by the type of the key, and all asymmetric ones for a JWK Set URL.
   */
  publisherAlgorithms?: readonly string[]
  /** The signature algorithms of subscribers' tokens; the same default. */
  subscriberAlgorithms?: readonly string[]
  /**
   * Trusted values of the claim `iss`. A string is an issuer that signs with the keys above. Tokens from an issuer with
   * its own keys are verified with those keys only. With issuers, a token of Mercure 1.0 must have a trusted `iss`.
   * Default none: the claim is not checked.
   */
  issuers?: readonly (string | IssuerKeys)[]
  /**
   * Accepted values of the claim `aud`, which a token of Mercure 1.0 must have [RFC 9068, 4]; default the URLs of the
   * hub.
   */
  audience?: readonly string[]
  /**
   * Seconds (not milliseconds) by which the clocks of issuers may differ, 0 to 300; default 0. It delays `exp` and
   * advances `nbf`.
   */
  clockTolerance?: number
  /** Let clients without a token subscribe to public updates; default false. */
  anonymous?: boolean
  /**
   * Announce and list the subscriptions of Mercure streams [Mercure 1.0, Active Subscriptions]; default false. It
   * requires a key for subscribers, and a log with a roster.
   */
  subscriptions?: boolean
  /**
   * The name of the cookie that contains a token; default `__Secure-mercure_access_token` for Mercure 1.0 and
   * `mercureAuthorization` for 0.x.
   */
  cookieName?: string
  /** The enabled dialects of Mercure, `1.0` and `0.x`; default both. */
  dialects?: readonly Dialect[]
  /**
   * The public URLs of the hub, such as `https://hub.example.com`. The first one is used in links. A request for
   * another host gets 421 `misdirected`. Default none: every `Host` is accepted.
   */
  publicUrls?: readonly string[]
}

/** The options after defaults and checks. */
export interface ResolvedAccess {
  /** The URL of the hub, against which relative topics and patterns are resolved. */
  readonly base: string
  /** Whether `base` is the hub's real address. */
  readonly hasAddress: boolean
  readonly dialects: readonly Dialect[]
  readonly isOpen: boolean
  readonly anonymous: boolean
  readonly subscriptions: boolean
  readonly audience: readonly string[]
  readonly authorizationServers: readonly string[]
  readonly hosts: ReadonlySet<string>
  readonly cookies: CookieNames
  readonly verifier: Verifier
}

/** @throws OptionError that names the option, what was found and what to do. */
export function resolveAccess(options: AccessOptions & MountOptions, failed: (error: unknown) => void): ResolvedAccess {
  const { anonymous = false, subscriptions = false, issuers = [], cookieName } = options
  const basePath = readBasePath(options)
  const publicUrls = (options.publicUrls ?? []).map((text) => readPublicUrl(text, basePath))
  const address = publicUrls[0]?.href ?? options.audience?.find(isWebAddress)
  const base = address ?? `http://localhost${basePath}${hubPath}`
  const audience = options.audience?.length ? options.audience : publicUrls.length > 0 ? hrefs(publicUrls) : [base]
  const verifier = new Verifier({
    ...rolesOf(options),
    issuers,
    audience,
    base,
    failed,
    ...(options.clockTolerance !== undefined && { clockTolerance: options.clockTolerance })
  })
  checkRoles(verifier, { anonymous, subscriptions, issuers })
  return {
    base,
    hasAddress: address !== undefined,
    dialects: readDialects(options.dialects),
    isOpen: !verifier.has('publish'),
    anonymous,
    subscriptions,
    audience,
    authorizationServers: issuers.map(nameOf).filter(isWebAddress),
    hosts: new Set(publicUrls.flatMap(hostsOf)),
    cookies: readCookieNames(cookieName),
    verifier
  }
}

function rolesOf(options: AccessOptions): { publisher?: RoleKeys; subscriber?: RoleKeys } {
  const publisher = keysOf('publisher', options.publisherKey, options.publisherJwks, options.publisherAlgorithms)
  const subscriber = keysOf('subscriber', options.subscriberKey, options.subscriberJwks, options.subscriberAlgorithms)
  return { ...(publisher && { publisher }), ...(subscriber && { subscriber }) }
}

function keysOf(
  role: string,
  key: string | undefined,
  jwks: string | undefined,
  algorithms: readonly string[] = []
): RoleKeys | undefined {
  if (!key && !jwks) {
    if (algorithms.length === 0) return undefined
    throw new OptionError(
      `${role}Algorithms`,
      (nameOf) => `requires a key; set ${nameOf(`${role}Key`)} or ${nameOf(`${role}Jwks`)}, or remove it`
    )
  }
  const parsed = key ? withOptionName(`${role}Key`, () => readKey(key)) : undefined
  if (algorithms.length > 0 && parsed) withOptionName(`${role}Algorithms`, () => algorithmsFor(parsed, algorithms))
  if (jwks) withOptionName(`${role}Jwks`, () => readJwksAddress(jwks))
  if (key && jwks) {
    throw new OptionError(
      `${role}Jwks`,
      (nameOf) => `cannot be combined with ${nameOf(`${role}Key`)}; remove one of them`
    )
  }
  if (algorithms.length > 0 && jwks) withOptionName(`${role}Algorithms`, () => remoteAlgorithms(algorithms))
  return { ...(key && { key }), ...(jwks && { jwks }), ...(algorithms.length > 0 && { algorithms }) }
}

/** A key for one role only would leave the other role open, or useless. */
function checkRoles(
  verifier: Verifier,
  { anonymous, subscriptions, issuers }: Required<Pick<AccessOptions, 'anonymous' | 'subscriptions' | 'issuers'>>
): void {
  const publishers = verifier.has('publish')
  const subscribers = verifier.has('subscribe')
  if (issuers.length > 0 && !publishers && !subscribers) {
    throw new OptionError(
      'issuers',
      (nameOf) =>
        `requires keys, without which tokens are not checked; set ${nameOf('publisherKey')} or ${nameOf('publisherJwks')}, ` +
        'give the issuers keys of their own, or remove it'
    )
  }
  if (subscribers && !publishers) {
    throw new OptionError(
      'publisherKey',
      (nameOf) => `required, because subscribers have a key; set it or ${nameOf('publisherJwks')}`
    )
  }
  if (publishers && !subscribers && !anonymous) {
    throw new OptionError(
      'subscriberKey',
      (nameOf) =>
        `required, because publishers have a key; set it, ${nameOf('subscriberJwks')} or ${nameOf('anonymous')}`
    )
  }
  if (subscriptions && !subscribers) {
    throw new OptionError(
      'subscriptions',
      (nameOf) => `requires a key for subscribers; set ${nameOf('subscriberKey')} or ${nameOf('subscriberJwks')}`
    )
  }
}

function readDialects(wanted: readonly Dialect[] = allDialects): readonly Dialect[] {
  const unknown = wanted.find((dialect) => !allDialects.includes(dialect))
  if (unknown !== undefined || wanted.length === 0) {
    throw new OptionError('dialects', `expected ${allDialects.join(' or ')}, got ${JSON.stringify(unknown ?? '')}`)
  }
  return allDialects.filter((dialect) => wanted.includes(dialect))
}

// [RFC 6265, 4.1.1] The name of a cookie is a token [RFC 9110, 5.6.2].
const cookieNameForm = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

function readCookieNames(name: string | undefined): CookieNames {
  if (!name) return defaultCookieNames
  if (!cookieNameForm.test(name)) {
    throw new OptionError(
      'cookieName',
      `expected a cookie name such as session, without spaces and separators, got ${JSON.stringify(name)}`
    )
  }
  return { modern: name, legacy: name }
}

/** The URL of the hub at one of its origins. The path may be left out, or be that of the mount or of the hub. */
function readPublicUrl(text: string, basePath: string): URL {
  const url = isWebAddress(text) ? new URL(text) : undefined
  const paths = ['/', hubPath, basePath, `${basePath}/`, `${basePath}${hubPath}`]
  if (url && paths.includes(url.pathname) && !url.search && !url.hash && !url.username) {
    return new URL(`${basePath}${hubPath}`, url)
  }
  throw new OptionError('publicUrls', `expected a URL such as https://hub.example.com, got ${JSON.stringify(text)}`)
}

function isWebAddress(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
}

function nameOf(issuer: string | IssuerKeys): string {
  return typeof issuer === 'string' ? issuer : issuer.issuer
}

function hrefs(urls: readonly URL[]): string[] {
  return urls.map((url) => url.href)
}
