// Signs any claims, well-formed or not.
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { type JWTPayload, SignJWT } from 'jose'

export const hub = 'https://hub.example/.well-known/mercure'
const detailType = 'https://mercure.rocks/authorization-detail'
export const secret = 'a secret of this test, of more than 256 bits'

/** Seconds since 1970. */
export const now = () => Math.floor(Date.now() / 1_000)

export interface Signing {
  /** A secret as text, or a private key; `secret` by default. */
  readonly key?: string | KeyObject
  readonly alg?: string
  /** Additional header members; `typ: undefined` removes it. */
  readonly header?: Record<string, unknown>
}

export function sign(claims: Record<string, unknown>, { key = secret, alg = 'HS256', header = {} }: Signing = {}) {
  const bytes = typeof key === 'string' ? new TextEncoder().encode(key) : key
  return new SignJWT(claims as JWTPayload).setProtectedHeader({ alg, ...header }).sign(bytes)
}

/** A 1.0 token with all permissions, except for the given changes. */
export function modern(claims: Record<string, unknown> = {}, { header, ...signing }: Signing = {}) {
  const all = { iss: 'https://issuer.example', aud: hub, exp: now() + 60, authorization_details: [detail()], ...claims }
  return sign(all, { ...signing, header: { typ: 'at+jwt', ...header } })
}

export function detail(change: Record<string, unknown> = {}): Record<string, unknown> {
  return { type: detailType, actions: ['publish', 'subscribe'], topics: [{ match: '*' }], ...change }
}

/** A 0.x token. */
export function legacy(mercure: unknown = { publish: ['*'], subscribe: ['*'] }, signing?: Signing) {
  return sign({ mercure }, signing)
}

export interface KeyPair {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

/**
 * In Node 20, a `KeyObject` that was generated shares a lock with its generator. The export as JWK holds the lock and allocates; if the garbage
 * collector then frees the generator, the process waits for itself. So the pairs of tests are read from PEM.
 */
function readAgain({ publicKey, privateKey }: KeyPair): KeyPair {
  return { publicKey: createPublicKey(pem(publicKey)), privateKey: createPrivateKey(pem(privateKey)) }
}

export const rsaPair = (modulusLength = 2_048) => readAgain(generateKeyPairSync('rsa', { modulusLength }))
export const curvePair = (namedCurve = 'P-256') => readAgain(generateKeyPairSync('ec', { namedCurve }))
export const ed25519Pair = () => readAgain(generateKeyPairSync('ed25519'))
export const x25519Pair = () => readAgain(generateKeyPairSync('x25519'))

export function pem(key: KeyObject): string {
  return key.export({ type: key.type === 'public' ? 'spki' : 'pkcs8', format: 'pem' }) as string
}

export function jwk(key: KeyObject, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { ...key.export({ format: 'jwk' }), ...more }
}
