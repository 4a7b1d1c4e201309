// Who may come in: finds a request's token, has it verified, and answers what it grants. It knows no topic.
import type { IncomingMessage } from 'node:http'
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
import type { Parameters } from '../body.ts'
import type { MountOptions } from '../mount.ts'
import { hostOf, plainHost } from '../target.ts'
import { type Authorizer, readAuthorizer } from './authorizer.ts'
import { type OriginOptions, readOriginOption } from './cors.ts'
import { type AccessOptions, hubPath, metadataPath, resolveAccess } from './options.ts'
import { hasAllowedOrigin, isCrossSite } from './origin.ts'

/** What speaks for a request, and in which dialect it is to be answered. */
export interface Identity {
  readonly grants: Grants
  readonly dialect: Dialect
}

type Role = 'publish' | 'subscribe'

export class Access {
  /** The hub's own address, which relative topics and patterns are resolved against. */
  readonly base: string
  readonly dialects: readonly Dialect[]
  /** Whether there are no keys, so that everyone may publish and subscribe. */
  readonly isOpen: boolean
  /** Whether subscriptions are announced and listed. */
  readonly subscriptions: boolean
  readonly audience: readonly string[]
  readonly authorizationServers: readonly string[]
  /** Whoever is asked besides, where there is one. */
  readonly authorizer: Authorizer | undefined
  readonly #anonymous: boolean
  readonly #hasAddress: boolean
  readonly #hosts: ReadonlySet<string>
  readonly #verifier: Verifier
  readonly #cookies: CookieNames
  readonly #publishOrigins: OriginList | undefined

  /** @throws OptionError that names the option, what was found and what to do. */
  constructor(options: AccessOptions & OriginOptions & MountOptions, failed: (error: unknown) => void) {
    const settled = resolveAccess(options, failed)
    this.base = settled.base
    this.dialects = settled.dialects
    this.isOpen = settled.isOpen
    this.subscriptions = settled.subscriptions
    this.audience = settled.audience
    this.authorizationServers = settled.authorizationServers
    this.authorizer = readAuthorizer(options, failed)
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

  /** @throws TidingsError `misdirected`, where the public addresses are known and this is none of them. */
  requireHost(request: IncomingMessage): void {
    if (this.#hosts.size === 0 || this.#hosts.has(plainHost(hostOf(request) ?? ''))) return
    throw new TidingsError('misdirected', 'its addresses are those in publicUrls')
  }

  /**
   * What a publish may do. The token alone says in which dialect it is.
   * @throws Refusal with `token_missing`, `token_invalid`, `token_malformed` or `origin_refused`
   */
  async publisher(request: IncomingMessage, query: Parameters): Promise<Identity> {
    if (this.isOpen) {
      if (isCrossSite(request, this.#publishOrigins)) throw new AccessError('origin_refused', this.#first)
      return { grants: Grants.open(), dialect: this.#first }
    }
    const { dialect, ...found } = findPublisherToken(carriersOf(request, query), this.#cookies, this.dialects)
    // What only a cookie speaks for may be what another site's page sent.
    if (found.kind === 'token' && found.by === 'cookie' && !hasAllowedOrigin(request, this.#publishOrigins)) {
      throw new AccessError('cookie_refused', dialect)
    }
    return { grants: await this.#verify(found, 'publish', dialect), dialect }
  }

  /** What a subscriber may read whose dialect is known. @throws Refusal as above */
  async subscriber(request: IncomingMessage, query: Parameters, dialect: Dialect): Promise<Grants> {
    if (this.isOpen) return Grants.open()
    const found = findToken(carriersOf(request, query), dialect, this.#cookies)
    // Clients of the older dialect may be given tokens of the newer one before they speak it themselves.
    const isNewer = found.kind === 'token' && this.dialects.includes('1.0') && dialectOf(found.token) === '1.0'
    return this.#verifySubscriber(found, dialect, isNewer ? '1.0' : dialect)
  }

  /** What a subscriber may read, in whichever dialect its token is. @throws Refusal as above */
  async reader(request: IncomingMessage, query: Parameters): Promise<Identity> {
    if (this.isOpen) return { grants: Grants.open(), dialect: this.#first }
    const { dialect, ...found } = findPublisherToken(carriersOf(request, query), this.#cookies, this.dialects)
    return { grants: await this.#verifySubscriber(found, dialect, dialect), dialect }
  }

  /**
   * For what tells of others: with keys, it is for those whose token may read its path.
   * @throws Refusal as above, or TidingsError `not_granted`
   */
  async requireReader(request: IncomingMessage, query: Parameters, path: string): Promise<void> {
    const { grants } = await this.reader(request, query)
    if (!this.isOpen && !grants.mayRead(path))
      throw new TidingsError('not_granted', `the token has to cover the topic ${path}`)
  }

  /** In which dialect a request is to be answered that says it by its token alone, if at all. */
  dialectOf(request: IncomingMessage, query: Parameters): Dialect {
    if (this.isOpen) return this.#first
    return findPublisherToken(carriersOf(request, query), this.#cookies, this.dialects).dialect
  }

  get #first(): Dialect {
    return this.dialects[0] as Dialect
  }

  async #verifySubscriber(found: TokenLookup, dialect: Dialect, ofToken: Dialect): Promise<Grants> {
    if (found.kind === 'none' && this.#anonymous) return Grants.anonymous(dialect)
    return this.#verify(found, 'subscribe', dialect, ofToken)
  }

  async #verify(found: TokenLookup, role: Role, dialect: Dialect, ofToken = dialect): Promise<Grants> {
    if (found.kind === 'none') throw new AccessError('token_missing', dialect)
    if (found.kind === 'malformed') throw new AccessError('token_malformed', dialect)
    try {
      return await this.#verifier.verify(found.token, role, ofToken)
    } catch (error) {
      if (!(error instanceof TokenError)) throw error
      throw new AccessError('token_invalid', dialect, error)
    }
  }
}

/** A refusal that knows in which dialect it is to be told. */
export class AccessError extends TidingsError {
  readonly dialect: Dialect

  constructor(code: TidingsError['code'], dialect: Dialect, cause?: unknown) {
    super(code, undefined, { cause })
    this.dialect = dialect
  }
}

function carriersOf(request: IncomingMessage, query: Parameters): TokenSources {
  return {
    // Two of them are to be refused.
    authorization: valuesOf(request, 'authorization'),
    cookies: request.headers.cookie,
    query: query.filter(([name]) => name === 'authorization').map(([, value]) => value)
  }
}

/** Every value of a header, in order; `headers` tells the first one alone, and HTTP/2 has no `headersDistinct`. */
function valuesOf({ rawHeaders }: IncomingMessage, wanted: string): string[] {
  const values: string[] = []
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if ((rawHeaders[at] as string).toLowerCase() === wanted) values.push(rawHeaders[at + 1] as string)
  }
  return values
}
