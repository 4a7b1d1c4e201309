// Reads the keys that verify tokens, and determines the algorithms of each. Error messages never quote a key.
import { createPublicKey, type JsonWebKeyInput, type KeyObject } from 'node:crypto'
import { base64url, type JSONWebKeySet, type JWK } from 'jose'
import { isObject, type JsonObject, parseObject } from '../json.ts'
import { defaultAlgorithms, familyOf, type KeyFamily, readAlgorithms } from './algorithms.ts'

/** An HMAC secret, which can verify and sign. */
export interface SecretKey {
  readonly kind: 'secret'
  readonly secret: Uint8Array
  readonly family: 'secret'
  /** The `alg` of a JWK, which is then its only algorithm. */
  readonly algorithm?: string
}

/** The public key of a pair. */
export interface PublicKey {
  readonly kind: 'public'
  readonly publicKey: KeyObject
  readonly family: KeyFamily
  readonly algorithm?: string
}

/** Several public keys. The `kid` and `alg` of a token select one. */
export interface KeySet {
  readonly kind: 'set'
  readonly keys: readonly PublicKey[]
  /** The same keys for jose, without private members. */
  readonly jwks: JSONWebKeySet
}

/** A key or set that verifies tokens. */
export type Key = SecretKey | PublicKey | KeySet

const expected =
  'expected a PEM public key, certificate or private key (RSA of 2048 bits or more, P-256, P-384, P-521 or Ed25519), a JWK, a JWK Set, or a secret'

/**
 * Reads a key: a PEM public key, certificate or private key (whose public key is used), a JWK or JWK Set [RFC 7517], or
 * else an HMAC secret in UTF-8. Text that begins like PEM or JSON is never a secret: a public key with a typing error
 * would be a secret that everyone knows.
 * @throws RangeError that says what is expected, and does not quote the key
 */
export function readKey(text: string): Key {
  if (text === '') throw new RangeError(`the key is empty: ${expected}`)
  if (text.includes('-----BEGIN ')) return readPem(text)
  if (text.trimStart().startsWith('{')) return readJson(text)
  return { kind: 'secret', family: 'secret', secret: new TextEncoder().encode(text) }
}

/**
 * The algorithms that a key verifies. Default: HS256 for a secret, RS256 for RSA, ES256, ES384 or ES512 for P-256,
 * P-384 or P-521, EdDSA for Ed25519, and for a JWK with `alg` only that.
 * @param wanted replaces the default
 * @throws RangeError for an unknown algorithm, such as `none`, or one for another type of key. HS256 with a public key
 * would accept tokens signed with the text of that key.
 */
export function algorithmsFor(key: Key, wanted?: readonly string[]): readonly string[] {
  const members = key.kind === 'set' ? key.keys : [key]
  if (wanted === undefined) return [...new Set(members.flatMap(ownAlgorithms))]
  const algorithms = readAlgorithms(wanted)
  const stray = algorithms.find((name) => !members.some((member) => fits(name, member)))
  if (stray === undefined) return algorithms
  throw new RangeError(`the algorithm ${stray} does not fit the key; use ${possible(members).join(', ')}`)
}

/**
 * Whether a secret has fewer than the 256 bits that HS256 requires [RFC 7518, 3.2]. Attackers can guess short secrets.
 */
export function isShort(key: Key): boolean {
  return key.kind === 'secret' && key.secret.length < 32
}

type OneKey = SecretKey | PublicKey

function ownAlgorithms({ algorithm, family }: OneKey): readonly string[] {
  return algorithm === undefined ? defaultAlgorithms[family] : readAlgorithms([algorithm])
}

function fits(name: string, member: OneKey): boolean {
  if (familyOf(name) !== member.family) return false
  return member.algorithm === undefined || ownAlgorithms(member).includes(name)
}

const everyAlgorithm = ['HS', 'RS', 'PS', 'ES'].flatMap((family) => [`${family}256`, `${family}384`, `${family}512`])

function possible(members: readonly OneKey[]): string[] {
  return [...everyAlgorithm, 'EdDSA'].filter((name) => members.some((member) => fits(name, member)))
}

function readPem(text: string): PublicKey {
  const key = publicKeyFrom(text)
  if (key === undefined) throw new RangeError(`the PEM cannot be used: ${expected}`)
  return key
}

function readJson(text: string): Key {
  const json = parse(text)
  if (json === undefined) throw new RangeError(`the key begins like JSON and cannot be parsed: ${expected}`)
  if (Array.isArray(json.keys)) return readSet(json.keys)
  const key = json.kty === 'oct' ? secretFrom(json) : readJwk(json)
  if (key === undefined) throw new RangeError(`the JWK cannot be used: ${expected}`)
  return key
}

function parse(text: string): JsonObject | undefined {
  try {
    return parseObject(text, 'the key')
  } catch {
    return undefined
  }
}

function secretFrom({ k, alg }: JWK): SecretKey | undefined {
  if (typeof k !== 'string' || !/^[A-Za-z0-9_-]+$/.test(k)) return undefined
  const key: SecretKey = { kind: 'secret', family: 'secret', secret: base64url.decode(k) }
  return withAlgorithm(key, alg)
}

function readJwk(jwk: JWK): PublicKey | undefined {
  if (jwk.use !== undefined && jwk.use !== 'sig') return undefined
  const key = publicKeyFrom({ key: jwk as JsonWebKeyInput['key'], format: 'jwk' })
  return key && withAlgorithm(key, jwk.alg)
}

/** Undefined if the JWK's `alg` is for another type of key. */
function withAlgorithm<Kind extends OneKey>(key: Kind, algorithm: unknown): Kind | undefined {
  if (algorithm === undefined) return key
  return typeof algorithm === 'string' && familyOf(algorithm) === key.family ? { ...key, algorithm } : undefined
}

/** Ignores keys that cannot be used [RFC 7517, 5]. Refuses a set with a secret, which is a mistake. */
function readSet(members: readonly unknown[]): KeySet {
  const jwks = members.filter((member): member is JWK => isObject(member))
  if (jwks.some(({ kty }) => kty === 'oct')) {
    throw new RangeError('the JWK Set contains a secret; give the secret as text or as a single JWK')
  }
  const usable = jwks.flatMap((jwk) => {
    const key = readJwk(jwk)
    return key ? [{ key, jwk: publicJwk(key, jwk) }] : []
  })
  if (usable.length === 0) throw new RangeError(`the JWK Set contains no usable key: ${expected}`)
  return { kind: 'set', keys: usable.map(({ key }) => key), jwks: { keys: usable.map(({ jwk }) => jwk) } }
}

function publicJwk({ publicKey }: PublicKey, { kid, alg }: JWK): JWK {
  const jwk = publicKey.export({ format: 'jwk' }) as JWK
  return { ...jwk, ...(kid !== undefined && { kid }), ...(alg !== undefined && { alg }) }
}

function publicKeyFrom(material: string | JsonWebKeyInput): PublicKey | undefined {
  try {
    const publicKey = createPublicKey(material)
    const family = familyOfKey(publicKey)
    return family && { kind: 'public', publicKey, family }
  } catch {
    return undefined
  }
}

const curves: Readonly<Record<string, KeyFamily>> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' }

function familyOfKey({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): KeyFamily | undefined {
  if (type === 'ed25519') return 'Ed25519'
  if (type === 'ec') return curves[details?.namedCurve ?? '']
  // [RFC 7518, 3.3] RSA keys have 2048 bits or more.
  return type === 'rsa' && (details?.modulusLength ?? 0) >= 2048 ? 'RSA' : undefined
}
