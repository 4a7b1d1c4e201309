// Authenticates requests: finds the token, verifies it, and returns what it grants.

import type { Dialect } from '../../auth/dialect.ts'
import { Grants } from '../../auth/grants.ts'
import type { OriginList } from '../../auth/origins.ts'
import {
  type CookieNames,
  dialectOf,
  findPublisherToken,
  findToken,
  type TokenLookup,
  type TokenSources
} from '../../auth/token.ts'
import { TokenError, type Verifier } from '../../auth/verifier.ts'
import { TidingsError } from '../../errors.ts'
import type { Hub } from '../../hub/hub.ts'
import type { Parameters } from '../body.ts'
import type { HttpRequest } from '../exchange.ts'
import type { MountOptions } from '../mount.ts'
import { hostOf, plainHost } from '../target.ts'
import { readAuthorizer } from './authorizer.ts'
import { type OriginOptions, readOriginOption } from './cors.ts'
import type { Authorizer } from './decision.ts'
import { type AccessOptions, hubPath, metadataPath, resolveAccess } from './options.ts'
import { hasAllowedOrigin, isCrossSite } from './origin.ts'
import { ReservedTopics } from './reserved.ts'

/** The grants of a request, and the dialect to answer in. */
export interface Identity {
  readonly grants: Grants
  readonly dialect: Dialect
}

type Role = 'publish' | 'subscribe'

export class Access {
  /** The URL of the hub, against which relative topics and patterns are resolved. */
  readonly base: string
  /** The topics that only the hub publishes to. */
  readonly reserved: ReservedTopics
  readonly dialects: readonly Dialect[]
  /** Whether no key is set, so that everyone may publish and subscribe. */
  readonly isOpen: boolean
  /** Whether only this machine can reach the server, and nobody else decides who may use it. */
  readonly isLocalOnly: boolean
  /** Whether subscriptions are announced and listed. */
  readonly subscriptions: boolean
  readonly audience: readonly string[]
  readonly authorizationServers: readonly string[]
  /** The application that decides in addition to the token; undefined if the option `authorize` is not set. */
  readonly authorizer: Authorizer | undefined
  readonly #hub: Pick<Hub, 'revocations'> | undefined
  readonly #anonymous: boolean
  readonly #hasAddress: boolean
  readonly #hosts: ReadonlySet<string>
  readonly #verifier: Verifier
  readonly #cookies: CookieNames
  readonly #publishOrigins: OriginList | undefined

  /**
   * @param hub knows which tokens are revoked; undefined to only check the options
   * @throws OptionError that names the option, what was found and what to do.
   */
  constructor(
    options: AccessOptions & OriginOptions & MountOptions & { readonly localOnly?: boolean },
    failed: (error: unknown, part: 'jwks' | 'authorize') => void,
    hub?: Pick<Hub, 'revocations'>
  ) {
    const settled = resolveAccess(options, (error) => failed(error, 'jwks'))
    this.base = settled.base
    this.reserved = new ReservedTopics(settled.base)
    this.dialects = settled.dialects
    this.isOpen = settled.isOpen
    this.subscriptions = settled.subscriptions
    this.audience = settled.audience
    this.authorizationServers = settled.authorizationServers
    this.authorizer = readAuthorizer(options, (error) => failed(error, 'authorize'))
    this.isLocalOnly = options.localOnly === true && !this.authorizer
    this.#hub = hub
    this.#anonymous = settled.anonymous
    this.#hasAddress = settled.hasAddress
    this.#hosts = settled.hosts
    this.#cookies = settled.cookies
    this.#verifier = settled.verifier
    this.#publishOrigins = readOriginOption('publishOrigins', options.publishOrigins)
  }

  /** The URL of the hub, for links. Relative if neither `publicUrls` nor `audience` contains its address. */
  hubUrl(mount: string): string {
    if (!this.#hasAddress) return `${mount}${hubPath}`
    const url = new URL(this.base)
    if (mount === '' || url.pathname !== hubPath) return this.base
    url.pathname = `${mount}${hubPath}`
    return url.href
  }

  /** The URL of the metadata about the tokens that the hub accepts [RFC 9728, 3]. */
  metadataUrl(mount: string): string {
    return `${new URL(this.base).origin}${mount}${metadataPath}`
  }

  /** @throws TidingsError `misdirected` for a host that is not in `publicUrls` */
  requireHost(request: HttpRequest): void {
    if (this.#hosts.size === 0 || this.#hosts.has(plainHost(hostOf(request) ?? ''))) return
    throw new TidingsError('misdirected', 'the option publicUrls does not contain the requested host')
  }

  /**
   * The grants of a publish request. Its dialect is that of its token.
   * @throws AccessError `token_missing`, `token_invalid`, `token_revoked`, `token_malformed`, `cookie_refused` or
   * `origin_refused`
   */
  async publisher(request: HttpRequest, query: Parameters): Promise<Identity> {
    if (this.isOpen) {
      if (isCrossSite(request, this.#publishOrigins)) throw new AccessError('origin_refused', this.#first)
      return { grants: Grants.open(), dialect: this.#first }
    }
    const { dialect, ...found } = findPublisherToken(carriersOf(request, query), this.#cookies, this.dialects)
    // A browser sends the cookie even if a page of another site makes the request (CSRF).
    if (found.kind === 'token' && found.by === 'cookie' && !hasAllowedOrigin(request, this.#publishOrigins)) {
      throw new AccessError('cookie_refused', dialect)
    }
    return { grants: await this.#verify(found, 'publish', dialect), dialect }
  }

  /**
   * The grants of a subscriber whose dialect is known.
   * @throws AccessError as above
   */
  async subscriber(request: HttpRequest, query: Parameters, dialect: Dialect): Promise<Grants> {
    if (this.isOpen) return Grants.open()
    const found = findToken(carriersOf(request, query), dialect, this.#cookies)
    // Clients of 0.x may have tokens of 1.0, so that tokens can be upgraded before clients.
    const isNewer = found.kind === 'token' && this.dialects.includes('1.0') && dialectOf(found.token) === '1.0'
    return this.#verifySubscriber(found, dialect, isNewer ? '1.0' : dialect)
  }

  /**
   * The grants of a subscriber. The dialect is that of its token.
   * @throws AccessError as above
   */
  async reader(request: HttpRequest, query: Parameters): Promise<Identity> {
    if (this.isOpen) return { grants: Grants.open(), dialect: this.#first }
    const { dialect, ...found } = findPublisherToken(carriersOf(request, query), this.#cookies, this.dialects)
    return { grants: await this.#verifySubscriber(found, dialect, dialect), dialect }
  }

  /**
   * The grants of a fresh token for a stream. Its dialect is its own, as that of a token in a header.
   * @throws AccessError `token_invalid` or `token_malformed`
   */
  async refreshed(token: string): Promise<Grants> {
    const sources = { authorization: [`Bearer ${token}`], cookies: undefined, query: [] }
    const { dialect, ...found } = findPublisherToken(sources, this.#cookies, this.dialects)
    return this.#verify(found, 'subscribe', dialect)
  }

  /**
   * Protects an endpoint that shows data about other clients. With keys, the token must be allowed to read the path as
   * a topic.
   * @throws AccessError as above, or TidingsError `not_granted`
   */
  async requireReader(request: HttpRequest, query: Parameters, path: string): Promise<void> {
    const { grants } = await this.reader(request, query)
    if (!this.isOpen && !grants.mayRead(path))
      throw new TidingsError('not_granted', `the token must cover the topic ${path}`)
  }

  /** The dialect of a request, by its token; 1.0 if it has none. */
  dialectOf(request: HttpRequest, query: Parameters): Dialect {
    if (this.isOpen) return this.#first
    return findPublisherToken(carriersOf(request, query), this.#cookies, this.dialects).dialect
  }

  /** The newest enabled dialect. */
  get #first(): Dialect {
    return this.dialects[0] as Dialect
  }

  async #verifySubscriber(found: TokenLookup, dialect: Dialect, ofToken: Dialect): Promise<Grants> {
    if (found.kind === 'none' && this.#anonymous) return Grants.anonymous(dialect)
    return this.#verify(found, 'subscribe', dialect, ofToken)
  }

  async #verify(found: TokenLookup, role: Role, dialect: Dialect, ofToken = dialect): Promise<Grants> {
    if (found.kind === 'none') throw new AccessError('token_missing', dialect)
    if (found.kind === 'malformed') throw new AccessError('token_malformed', dialect, new TokenError(found.reason))
    const grants = await this.#verifier.verify(found.token, role, ofToken).catch((error: unknown) => {
      throw error instanceof TokenError ? new AccessError('token_invalid', dialect, error) : error
    })
    // The grants may be from the cache, from before the token was revoked.
    await this.#hub?.revocations.loaded()
    if (this.#hub?.revocations.refusalOf({ token: grants.identity })) throw new AccessError('token_revoked', dialect)
    return grants
  }
}

/** An error about a token, with the dialect to answer in. */
export class AccessError extends TidingsError {
  readonly dialect: Dialect
  /** Why the token is not accepted, for log lines; undefined if `code` says all. */
  readonly reason: string | undefined

  constructor(code: TidingsError['code'], dialect: Dialect, cause?: TokenError) {
    super(code, undefined, { cause })
    this.dialect = dialect
    this.reason = cause?.reason
  }
}

function carriersOf(request: HttpRequest, query: Parameters): TokenSources {
  return {
    // All of them, since two `Authorization` headers are refused.
    authorization: valuesOf(request, 'authorization'),
    cookies: request.headers.cookie,
    query: query.filter(([name]) => name === 'authorization').map(([, value]) => value)
  }
}

/** All values of a header, in order. `headers` has only the first, and `headersDistinct` does not exist on HTTP/2. */
function valuesOf({ rawHeaders }: HttpRequest, wanted: string): string[] {
  const values: string[] = []
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if ((rawHeaders[at] as string).toLowerCase() === wanted) values.push(rawHeaders[at + 1] as string)
  }
  return values
}
