// The signature algorithms, and which keys each goes with. It knows no key itself. A token never has a say in this
// [RFC 8725, 3.1]: with a public key taken for a secret, anyone could sign.

/** The kinds of keys that can verify. */
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
  // [RFC 9864] the newer name of the same
  Ed25519: 'Ed25519'
}

/** Those that the key of an address may verify: a secret is not a thing to be published. */
export const asymmetricAlgorithms: readonly string[] = Object.keys(families).filter(
  (name) => familyOf(name) !== 'secret'
)

/** What a key of a kind verifies where nothing else is said. */
export const defaultAlgorithms: Readonly<Record<KeyFamily, readonly string[]>> = {
  secret: ['HS256'],
  RSA: ['RS256'],
  'P-256': ['ES256'],
  'P-384': ['ES384'],
  'P-521': ['ES512'],
  Ed25519: ['EdDSA', 'Ed25519']
}

/** The kind of key that an algorithm goes with; undefined when there is no such algorithm here. */
export function familyOf(algorithm: string): KeyFamily | undefined {
  return Object.hasOwn(families, algorithm) ? families[algorithm] : undefined
}

/**
 * The list that someone asked for, each name once; either name of EdDSA stands for both.
 * @throws RangeError when it is empty, or for a name that is not known; `none` is not
 */
export function readAlgorithms(wanted: readonly string[]): readonly string[] {
  const unknown = wanted.find((name) => familyOf(name) === undefined)
  if (wanted.length === 0 || unknown !== undefined) {
    const found = unknown === undefined ? 'the list of algorithms is empty' : `no algorithm ${JSON.stringify(unknown)}`
    throw new RangeError(`${found}: there is ${Object.keys(families).join(', ')}`)
  }
  return [...new Set(wanted.flatMap((name) => (familyOf(name) === 'Ed25519' ? defaultAlgorithms.Ed25519 : name)))]
}
