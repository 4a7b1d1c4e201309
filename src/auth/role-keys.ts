// Verifies a token's signature, dates and fixed claims with the keys of one role of one issuer. It knows no other keys, and
// nothing of what the claims grant.
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

/** The keys of a role: either a key or an address. */
export interface RoleKeys {
  /** PEM, JWK, JWK Set or secret, as `readKey` takes it. */
  readonly key?: string
  /** The address of a JWK Set. */
  readonly jwks?: string
  /** The algorithms that are accepted; by default those of `algorithmsFor` and `remoteAlgorithms`. */
  readonly algorithms?: readonly string[]
}

/** What is asked of a token besides its signature and its algorithm. */
export type Requirements = Pick<JWTVerifyOptions, 'typ' | 'audience' | 'issuer' | 'requiredClaims' | 'clockTolerance'>

/** Answers the claims of a token. @throws TokenError */
export type VerifyToken = (token: string, demands: Requirements) => Promise<JWTPayload>

/**
 * Makes the check of a role.
 * @param failed told when the address of a JWK Set fails
 * @throws RangeError when a key or an algorithm cannot be used
 */
export function makeVerify({ key, jwks, algorithms }: RoleKeys, failed?: (error: unknown) => void): VerifyToken {
  if ((key === undefined) === (jwks === undefined))
    throw new RangeError('a role needs either a key or a JWK Set address')
  if (jwks !== undefined) return check(remoteKeys(jwks, failed ? { failed } : {}), remoteAlgorithms(algorithms))
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
  return async (token, demands) => {
    try {
      return await verified(token, source, { ...demands, algorithms: allowed })
    } catch (error) {
      throw new TokenError(reasonOf(error))
    }
  }
}

/** How many keys of a set are tried for a token that does not say which one it is signed with. */
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
  // One call for each of jose's overloads.
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

/** In jose's codes and names of claims, which are fixed texts; its errors hold the claims themselves and go no further. */
function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTClaimValidationFailed) return `${error.claim}: ${error.reason}`
  return error instanceof errors.JOSEError ? error.code : 'no key to verify it with could be had'
}
