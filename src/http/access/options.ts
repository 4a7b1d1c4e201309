// The options that say who may do what, checked and completed. It looks at no request.
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
   * What publishers' tokens are signed with: a secret for HMAC, or a public key as PEM or JWK. Without any key, everyone may
   * publish and subscribe.
   */
  publisherKey?: string
  /** What subscribers' tokens are signed with. */
  subscriberKey?: string
  /** Address of a JWK Set for publishers' tokens [RFC 7517]. */
  publisherJwks?: string
  /** Address of a JWK Set for subscribers' tokens. */
  subscriberJwks?: string
  /** Algorithms that publishers' tokens may be signed with; default what goes with the key. */
  publisherAlgorithms?: readonly string[]
  /** Algorithms that subscribers' tokens may be signed with; default what goes with the key. */
  subscriberAlgorithms?: readonly string[]
  /** Issuers whose tokens are accepted, by name, or with keys of their own; default any that signs with our keys. */
  issuers?: readonly (string | IssuerKeys)[]
  /** The hub's names, one of which a token of Mercure 1.0 has to be for; default the hub's address. */
  audience?: readonly string[]
  /** Seconds by which clocks may differ; default 0, at most 300. */
  clockTolerance?: number
  /** Whether those without a token may subscribe, to what is public; default false. */
  anonymous?: boolean
  /** Whether subscriptions are announced and listed [Mercure 1.0, Active Subscriptions]; default false. */
  subscriptions?: boolean
  /** The name of the cookie that holds a token; default each dialect's own. */
  cookieName?: string
  /** Dialects of Mercure that are spoken; default both. */
  dialects?: readonly Dialect[]
  /** The addresses that the hub is reached at, such as `https://hub.example.com`; default whatever a client asks for. */
  publicUrls?: readonly string[]
}

/** What follows from the options. */
export interface ResolvedAccess {
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
  checkRoles(verifier, anonymous, subscriptions)
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
  if (!key && !jwks) return undefined
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

/** Keys for one half alone would leave the other half open, or of no use. */
function checkRoles(verifier: Verifier, anonymous: boolean, subscriptions: boolean): void {
  const publishers = verifier.has('publish')
  const subscribers = verifier.has('subscribe')
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

// [RFC 6265, 4.1.1] A cookie's name is a token of HTTP.
const cookieNameForm = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

function readCookieNames(name: string | undefined): CookieNames {
  if (!name) return defaultCookieNames
  if (!cookieNameForm.test(name)) {
    throw new OptionError('cookieName', `expected the name of a cookie, got ${JSON.stringify(name)}`)
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
