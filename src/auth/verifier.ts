// Decides whether a token is to be believed, and by whose keys: those of the issuer it names, for the role it is used in. It
// knows no request.
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

/** What a token is presented for. */
export type Role = 'publish' | 'subscribe'

/** An issuer whose tokens only its own keys verify; in a role without any, its tokens are refused. */
export interface IssuerKeys {
  /** Exactly as in the claim `iss`. */
  readonly issuer: string
  readonly publisher?: RoleKeys
  readonly subscriber?: RoleKeys
}

export interface VerifierOptions {
  readonly publisher?: RoleKeys
  readonly subscriber?: RoleKeys
  /**
   * The issuers that tokens of 1.0 may come from; any by default. The tokens of one that is only named are verified with the
   * keys above.
   */
  readonly issuers?: readonly (string | IssuerKeys)[]
  /** What a token of 1.0 may be for, one of which its `aud` has to name; `base` by default. */
  readonly audience?: readonly string[]
  /** How far the clocks of issuers may be off, in seconds from 0 to 300; 0 by default, so that `exp` is the end. */
  readonly clockTolerance?: number
  /** The hub's URL, which relative URL patterns in grants are resolved against. */
  readonly base: string
  /** Told when the address of a JWK Set fails, at most once in 30 seconds for each role that has one. */
  readonly failed?: (error: unknown) => void
}

type Checks = Readonly<Partial<Record<Role, VerifyToken>>>

/** Turns tokens into grants. */
export class Verifier {
  readonly #base: string
  readonly #audience: string[]
  readonly #clockTolerance: number
  /** The keys for tokens of all who have none of their own. */
  readonly #shared: Checks
  /** Each issuer that is trusted; without keys of its own, undefined. */
  readonly #issuers: ReadonlyMap<string, Checks | undefined>
  readonly #verified = new GrantsCache()

  /** @throws OptionError, which quotes no key */
  constructor({ issuers = [], audience, clockTolerance = 0, base, failed, ...keys }: VerifierOptions) {
    if (!(clockTolerance >= 0 && clockTolerance <= 300)) {
      throw new OptionError('clockTolerance', `expected 0 to 300 seconds, got ${clockTolerance}`)
    }
    if (!URL.canParse(base)) throw new OptionError('base', 'expected the URL of the hub')
    this.#base = base
    this.#audience = [...(audience ?? [base])]
    this.#clockTolerance = clockTolerance
    this.#shared = checksOf(keys, failed)
    this.#issuers = withOptionName('issuers', () => readIssuers(issuers, failed))
  }

  /** Whether there is a key for the role, of whichever issuer. */
  has(role: Role): boolean {
    return [this.#shared, ...this.#issuers.values()].some((checks) => checks?.[role] !== undefined)
  }

  /**
   * What the token grants.
   *
   * - `1.0`: `typ` at+jwt, `aud`, `exp` and, where issuers are named, `iss` are required [Mercure 1.0, Token Validation; RFC
   *   9068, 4]
   * - `0.x`: none of them is; `exp` and `nbf` are obeyed where they are present [RFC 7519, 4.1]
   * @throws TokenError, which does not tell its bearer what is wrong
   */
  async verify(token: string, role: Role, dialect: Dialect): Promise<Grants> {
    const circumstances = `${role} ${dialect}`
    const known = this.#verified.get(token, circumstances)
    if (known) return known
    const claims = await this.#checkFor(token, role, dialect)(token, this.#demandsOf(dialect))
    const grants = readGrants(claims, dialect, this.#base, this.#endOf(claims))
    this.#verified.set(token, circumstances, grants)
    return grants
  }

  /** Which keys a token is held against is decided by what it claims to be, and never by who turns out to have signed it. */
  #checkFor(token: string, role: Role, dialect: Dialect): VerifyToken {
    const issuer = this.#issuers.size > 0 ? issuerOf(token) : undefined
    const isTrusted = issuer !== undefined && this.#issuers.has(issuer)
    if (dialect === '1.0' && this.#issuers.size > 0 && !isTrusted) throw new TokenError('iss: not trusted')
    const own = isTrusted ? this.#issuers.get(issuer) : undefined
    const check = (own ?? this.#shared)[role]
    if (!check) throw new TokenError('there is no key for this role of this issuer')
    return check
  }

  #demandsOf(dialect: Dialect): Requirements {
    const clockTolerance = this.#clockTolerance
    if (dialect === '0.x') return { clockTolerance }
    return { clockTolerance, typ: 'at+jwt', audience: this.#audience, requiredClaims: ['exp'] }
  }

  /** When the token is no longer accepted. */
  #endOf({ exp }: JWTPayload): number {
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
    if (issuer === '' || read.has(issuer)) throw new RangeError(`${JSON.stringify(issuer)} is empty or given twice`)
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
    throw new TokenError('not a JWT')
  }
}
