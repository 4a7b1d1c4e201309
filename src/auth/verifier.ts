// Verifies tokens with the keys of their issuer and role, and reads their grants.
import { decodeJwt, type JWTPayload } from 'jose'
import { OptionError, withOptionName } from '../errors.ts'
import { readGrants } from './claims.ts'
import type { Dialect } from './dialect.ts'
import type { Grants } from './grants.ts'
import { GrantsCache } from './grants-cache.ts'
import { makeVerify, type Requirements, type RoleKeys, type VerifyToken } from './role-keys.ts'
import { TokenError } from './token.ts'

export type { RoleKeys } from './role-keys.ts'
export { TokenError } from './token.ts'

/** What a token is used for. Each role has its own keys. */
export type Role = 'publish' | 'subscribe'

/**
 * An issuer with its own keys. Its tokens are verified with those keys only. In a role without a key, they are refused.
 */
export interface IssuerKeys {
  /** The claim `iss`, exactly. */
  readonly issuer: string
  readonly publisher?: RoleKeys
  readonly subscriber?: RoleKeys
}

export interface VerifierOptions {
  readonly publisher?: RoleKeys
  readonly subscriber?: RoleKeys
  /**
   * The issuers that tokens of 1.0 may have; default any. An issuer that is a string signs with the keys above.
   */
  readonly issuers?: readonly (string | IssuerKeys)[]
  /** Accepted values of `aud` in tokens of 1.0; default `base`. */
  readonly audience?: readonly string[]
  /** Seconds by which the clocks of issuers may differ, 0 to 300; default 0. */
  readonly clockTolerance?: number
  /** The hub's URL, against which relative URL patterns in grants are resolved. */
  readonly base: string
  /** Called when a JWK Set cannot be fetched, at most once in 30 seconds for each URL. */
  readonly failed?: (error: unknown) => void
}

type Checks = Readonly<Partial<Record<Role, VerifyToken>>>

export class Verifier {
  readonly #base: string
  readonly #audience: string[]
  readonly #clockTolerance: number
  /** The keys for tokens of issuers without their own keys. */
  readonly #shared: Checks
  /** The trusted issuers. Undefined for an issuer without its own keys. */
  readonly #issuers: ReadonlyMap<string, Checks | undefined>
  readonly #cache = new GrantsCache()

  /** @throws OptionError, which quotes no key */
  constructor({ issuers = [], audience, clockTolerance = 0, base, failed, ...keys }: VerifierOptions) {
    if (!(clockTolerance >= 0 && clockTolerance <= 300)) {
      throw new OptionError('clockTolerance', `expected 0 to 300 seconds, got ${clockTolerance} seconds`)
    }
    if (!URL.canParse(base)) throw new OptionError('base', 'expected the URL of the hub')
    this.#base = base
    this.#audience = [...(audience ?? [base])]
    this.#clockTolerance = clockTolerance
    this.#shared = checksOf(keys, failed)
    this.#issuers = withOptionName('issuers', () => readIssuers(issuers, failed))
  }

  /** Whether any issuer has a key for the role. */
  has(role: Role): boolean {
    return [this.#shared, ...this.#issuers.values()].some((checks) => checks?.[role] !== undefined)
  }

  /**
   * Verifies a token and returns its grants.
   *
   * - `1.0` requires `typ` at+jwt, `aud`, `exp`, and, if issuers are configured, `iss` [Mercure 1.0, Token Validation;
   *   RFC 9068, 4]
   * - `0.x` requires none of them, but checks `exp` and `nbf` if they are present [RFC 7519, 4.1]
   * @throws TokenError
   */
  async verify(token: string, role: Role, dialect: Dialect): Promise<Grants> {
    const key = this.#cache.keyOf(token, `${role} ${dialect}`)
    const cached = this.#cache.get(key)
    if (cached) return cached
    const claims = await this.#checkFor(token, role, dialect)(token, this.#requirementsFor(dialect))
    const grants = readGrants(claims, dialect, this.#base, this.#expiryOf(claims), this.#clockTolerance)
    this.#cache.set(key, grants)
    return grants
  }

  /** The issuer that the token names selects the keys. Other keys are not tried, even if they could verify it. */
  #checkFor(token: string, role: Role, dialect: Dialect): VerifyToken {
    const issuer = this.#issuers.size > 0 ? issuerOf(token) : undefined
    const isTrusted = issuer !== undefined && this.#issuers.has(issuer)
    if (dialect === '1.0' && this.#issuers.size > 0 && !isTrusted)
      throw new TokenError('the iss of the token is not a trusted issuer')
    const own = isTrusted ? this.#issuers.get(issuer) : undefined
    const check = (own ?? this.#shared)[role]
    if (!check) throw new TokenError('the issuer has no key for this role')
    return check
  }

  #requirementsFor(dialect: Dialect): Requirements {
    const clockTolerance = this.#clockTolerance
    if (dialect === '0.x') return { clockTolerance }
    return { clockTolerance, typ: 'at+jwt', audience: this.#audience, requiredClaims: ['exp'] }
  }

  /** When the token expires, in milliseconds since 1970. */
  #expiryOf({ exp }: JWTPayload): number {
    return exp === undefined ? Number.POSITIVE_INFINITY : (exp + this.#clockTolerance) * 1_000
  }
}

type Keys = Pick<VerifierOptions, 'publisher' | 'subscriber'>

function checksOf({ publisher, subscriber }: Keys, failed: VerifierOptions['failed']): Checks {
  return {
    ...(publisher && { publish: makeVerify(publisher, failed) }),
    ...(subscriber && { subscribe: makeVerify(subscriber, failed) })
  }
}

function readIssuers(
  issuers: readonly (string | IssuerKeys)[],
  failed: VerifierOptions['failed']
): ReadonlyMap<string, Checks | undefined> {
  const read = new Map<string, Checks | undefined>()
  for (const entry of issuers) {
    const { issuer, ...keys } = typeof entry === 'string' ? { issuer: entry } : entry
    if (issuer === '' || read.has(issuer))
      throw new RangeError(`${JSON.stringify(issuer)} is empty or given twice; give each issuer once, with its name`)
    const checks = typeof entry === 'string' ? undefined : checksOf(keys, failed)
    if (checks && !checks.publish && !checks.subscribe) {
      throw new RangeError(`${JSON.stringify(issuer)} has no keys; give its name alone to use the shared keys`)
    }
    read.set(issuer, checks)
  }
  return read
}

function issuerOf(token: string): string | undefined {
  try {
    const { iss } = decodeJwt(token)
    return typeof iss === 'string' ? iss : undefined
  } catch {
    throw new TokenError('the token is not a JWT')
  }
}
