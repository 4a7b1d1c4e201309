// The signature algorithms, and the type of key of each. The header of a token never chooses the type [RFC 8725, 3.1]:
// an attacker could sign with a public key as HMAC secret.

/** The types of keys. */
export type KeyFamily = 'secret' | 'RSA' | 'P-256' | 'P-384' | 'P-521' | 'Ed25519'

const families: Readonly<Record<string, KeyFamily>> = {
  HS256: 'secret',
  HS384: 'secret',
  HS512: 'secret',
  RS256: 'RSA',
  RS384: 'RSA',
  RS512: 'RSA',
  PS256: 'RSA',
  PS384: 'RSA',
  PS512: 'RSA',
  ES256: 'P-256',
  ES384: 'P-384',
  ES512: 'P-521',
  EdDSA: 'Ed25519',
  // [RFC 9864] The newer name of EdDSA with this curve.
  Ed25519: 'Ed25519'
}

/** The algorithms for a JWK Set at a URL, which must not contain secrets. */
export const asymmetricAlgorithms: readonly string[] = Object.keys(families).filter(
  (name) => familyOf(name) !== 'secret'
)

/** The default algorithms of each type of key. */
export const defaultAlgorithms: Readonly<Record<KeyFamily, readonly string[]>> = {
  secret: ['HS256'],
  RSA: ['RS256'],
  'P-256': ['ES256'],
  'P-384': ['ES384'],
  'P-521': ['ES512'],
  Ed25519: ['EdDSA', 'Ed25519']
}

/** The type of key for an algorithm; undefined for an unknown algorithm. */
export function familyOf(algorithm: string): KeyFamily | undefined {
  return Object.hasOwn(families, algorithm) ? families[algorithm] : undefined
}

/**
 * Reads a list of algorithms, and removes duplicates. Either name of EdDSA stands for both.
 * @throws RangeError for an empty list or an unknown name, such as `none`
 */
export function readAlgorithms(wanted: readonly string[]): readonly string[] {
  const unknown = wanted.find((name) => familyOf(name) === undefined)
  if (wanted.length === 0 || unknown !== undefined) {
    const found = unknown === undefined ? 'the list of algorithms is empty' : `no algorithm ${JSON.stringify(unknown)}`
    throw new RangeError(`${found}: there is ${Object.keys(families).join(', ')}`)
  }
  return [...new Set(wanted.flatMap((name) => (familyOf(name) === 'Ed25519' ? defaultAlgorithms.Ed25519 : name)))]
}
