// Verifies the signature, dates and required claims of a token with the keys of one role of one issuer.
import type { KeyObject } from 'node:crypto'
import {
  createLocalJWKSet,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify
} from 'jose'
import { algorithmsFor, type Key, readKey } from './keys.ts'
import { remoteAlgorithms, remoteKeys } from './remote-keys.ts'
import { TokenError } from './token.ts'

/** The keys of a role: either `key` or `jwks`. */
export interface RoleKeys {
  /** A PEM key, JWK, JWK Set or secret, as for the option `publisherKey`. */
  readonly key?: string
  /** The http(s) URL of a JWK Set. */
  readonly jwks?: string
  /** The accepted algorithms; default as for the option `publisherAlgorithms`. */
  readonly algorithms?: readonly string[]
}

/** Requirements besides signature and algorithm. */
export type Requirements = Pick<JWTVerifyOptions, 'typ' | 'audience' | 'issuer' | 'requiredClaims' | 'clockTolerance'>

/** Returns the claims of a token. @throws TokenError */
export type VerifyToken = (token: string, requirements: Requirements) => Promise<JWTPayload>

/**
 * Makes the verification function of a role.
 * @param failed called when a JWK Set cannot be fetched
 * @throws RangeError for a key or an algorithm that cannot be used
 */
export function makeVerify({ key, jwks, algorithms }: RoleKeys, failed?: (error: unknown) => void): VerifyToken {
  if ((key === undefined) === (jwks === undefined)) throw new RangeError('expected either key or jwks, and not both')
  if (jwks !== undefined) return check(remoteKeys(jwks, failed), remoteAlgorithms(algorithms))
  const read = readKey(key as string)
  return check(sourceOf(read), algorithmsFor(read, algorithms))
}

type OneKey = Parameters<typeof jwtVerify>[1] & (Uint8Array | KeyObject)
type Source = OneKey | JWTVerifyGetKey

function sourceOf(key: Key): Source {
  if (key.kind === 'secret') return key.secret
  return key.kind === 'public' ? key.publicKey : createLocalJWKSet(key.jwks)
}

function check(source: Source, algorithms: readonly string[]): VerifyToken {
  const allowed = [...algorithms]
  return async (token, requirements) => {
    try {
      return await verified(token, source, { ...requirements, algorithms: allowed })
    } catch (error) {
      throw new TokenError(reasonOf(error, requirements))
    }
  }
}

/** Keys of a set that are tried for a token without `kid`. */
const maxKeysTried = 10

async function verified(token: string, source: Source, options: JWTVerifyOptions): Promise<JWTPayload> {
  try {
    return await payloadOf(token, source, options)
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error
    return firstOf(error, token, options)
  }
}

async function payloadOf(token: string, source: Source, options: JWTVerifyOptions): Promise<JWTPayload> {
  // jose has an overload for each type of the second argument.
  const { payload } =
    typeof source === 'function' ? await jwtVerify(token, source, options) : await jwtVerify(token, source, options)
  return payload
}

async function firstOf(
  candidates: errors.JWKSMultipleMatchingKeys,
  token: string,
  options: JWTVerifyOptions
): Promise<JWTPayload> {
  let tries = 0
  for await (const key of candidates) {
    if (++tries > maxKeysTried) break
    try {
      return (await jwtVerify(token, key, options)).payload
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error
    }
  }
  throw new errors.JWSSignatureVerificationFailed()
}

/**
 * jose's codes and the names of claims, which are fixed texts: its errors contain the claims themselves. A wrong audience is
 * quoted, because it is the usual mistake. The signature of such a token is valid, so a trusted issuer has written it.
 */
function reasonOf(error: unknown, { audience = [] }: Requirements): string {
  if (error instanceof errors.JWTClaimValidationFailed) {
    const { claim, reason, payload } = error
    const isOther = claim === 'aud' && reason === 'check_failed'
    return isOther ? describeAudience([audience].flat(), payload.aud) : `${claim}: ${reason}`
  }
  return error instanceof errors.JOSEError ? error.code : 'the keys could not be fetched'
}

/** Characters of a received audience in a reason. */
const maxQuoted = 200

function describeAudience(expected: readonly string[], received: unknown): string {
  const accepted = expected.map((one) => JSON.stringify(one)).join(' or ') || 'nothing'
  const quoted = JSON.stringify(received)
  const shown = quoted.length > maxQuoted ? `${quoted.slice(0, maxQuoted)}…` : quoted
  return `aud: expected ${accepted}, got ${shown}`
}
