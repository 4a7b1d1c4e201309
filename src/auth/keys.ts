// Reads the keys that verify tokens, and says which algorithms each may be used with. It knows no token, no file and no address.
// A key is a secret: no message quotes any of it.
import { createPublicKey, type JsonWebKeyInput, type KeyObject } from 'node:crypto'
import { base64url, type JSONWebKeySet, type JWK } from 'jose'
import { isObject, type JsonObject, parseObject } from '../json.ts'
import { defaultAlgorithms, familyOf, type KeyFamily, readAlgorithms } from './algorithms.ts'

/** Whoever has it can verify and sign. */
export interface SecretKey {
  readonly kind: 'secret'
  readonly secret: Uint8Array
  readonly family: 'secret'
  /** The one algorithm that the key itself allows, where it names one. */
  readonly algorithm?: string
}

/** The public half of a pair. */
export interface PublicKey {
  readonly kind: 'public'
  readonly publicKey: KeyObject
  readonly family: KeyFamily
  readonly algorithm?: string
}

/** Several public keys, of which the token's `kid` and `alg` choose. */
export interface KeySet {
  readonly kind: 'set'
  readonly keys: readonly PublicKey[]
  /** The same, for jose; without anything private. */
  readonly jwks: JSONWebKeySet
}

/** What verifies tokens. */
export type Key = SecretKey | PublicKey | KeySet

const expected =
  'expected a PEM public key, certificate or private key (RSA of 2048 bits or more, P-256, P-384, P-521 or Ed25519), a JWK, a JWK Set, or a secret'

/**
 * A key from its text: a PEM public key, certificate or private key, of which the public half is taken; a JWK or a JWK Set
 * [RFC 7517]; and otherwise the text is an HMAC secret, in UTF-8. What begins as PEM or JSON is never taken for a secret: a
 * public key with a typing error would then be one that everybody knows.
 * @throws RangeError that says what is expected, and nothing of the key
 */
export function readKey(text: string): Key {
  if (text === '') throw new RangeError(`the key is empty: ${expected}`)
  if (text.includes('-----BEGIN ')) return readPem(text)
  if (text.trimStart().startsWith('{')) return readJson(text)
  return { kind: 'secret', family: 'secret', secret: new TextEncoder().encode(text) }
}

/**
 * The algorithms that a key may verify, by default HS256 for a secret, RS256 for RSA, ES256, ES384 or ES512 for P-256, P-384 or
 * P-521, and EdDSA for Ed25519; of a JWK that names its `alg`, that one.
 * @param wanted instead of those
 * @throws RangeError for an algorithm that there is not, `none` among them, or that does not go with the key: HS256 with a
 * public key would accept whatever is signed with that key's text
 */
export function algorithmsFor(key: Key, wanted?: readonly string[]): readonly string[] {
  const members = key.kind === 'set' ? key.keys : [key]
  if (wanted === undefined) return [...new Set(members.flatMap(ownAlgorithms))]
  const algorithms = readAlgorithms(wanted)
  const stray = algorithms.find((name) => !members.some((member) => goesWith(name, member)))
  if (stray === undefined) return algorithms
  throw new RangeError(`the algorithm ${stray} does not go with the key, which is for ${possible(members).join(', ')}`)
}

/** Whether it is a secret of fewer than the 256 bits that HS256 asks for [RFC 7518, 3.2]. Such a secret can be guessed. */
export function isShort(key: Key): boolean {
  return key.kind === 'secret' && key.secret.length < 32
}

type OneKey = SecretKey | PublicKey

function ownAlgorithms({ algorithm, family }: OneKey): readonly string[] {
  return algorithm === undefined ? defaultAlgorithms[family] : readAlgorithms([algorithm])
}

function goesWith(name: string, member: OneKey): boolean {
  if (familyOf(name) !== member.family) return false
  return member.algorithm === undefined || ownAlgorithms(member).includes(name)
}

const everyAlgorithm = ['HS', 'RS', 'PS', 'ES'].flatMap((family) => [`${family}256`, `${family}384`, `${family}512`])

function possible(members: readonly OneKey[]): string[] {
  return [...everyAlgorithm, 'EdDSA'].filter((name) => members.some((member) => goesWith(name, member)))
}

function readPem(text: string): PublicKey {
  const key = publicKeyFrom(text)
  if (key === undefined) throw new RangeError(`the PEM cannot be used: ${expected}`)
  return key
}

function readJson(text: string): Key {
  const json = parse(text)
  if (json === undefined) throw new RangeError(`the key begins as JSON does, and is not: ${expected}`)
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

/** Undefined when the key names an algorithm that it cannot be used with. */
function withAlgorithm<Kind extends OneKey>(key: Kind, algorithm: unknown): Kind | undefined {
  if (algorithm === undefined) return key
  return typeof algorithm === 'string' && familyOf(algorithm) === key.family ? { ...key, algorithm } : undefined
}

/** Members that cannot be used are passed over [RFC 7517, 5]; a secret among them is a mistake that should be heard of. */
function readSet(members: readonly unknown[]): KeySet {
  const jwks = members.filter((member): member is JWK => isObject(member))
  if (jwks.some(({ kty }) => kty === 'oct')) {
    throw new RangeError('the JWK Set holds a secret: give a secret as a text, or as a JWK of its own')
  }
  const usable = jwks.flatMap((jwk) => {
    const key = readJwk(jwk)
    return key ? [{ key, jwk: publicJwk(key, jwk) }] : []
  })
  if (usable.length === 0) throw new RangeError(`the JWK Set holds no key that can be used: ${expected}`)
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
  // [RFC 7518, 3.3] 2048 bits or more
  return type === 'rsa' && (details?.modulusLength ?? 0) >= 2048 ? 'RSA' : undefined
}
