// Reads the keys that sign tokens. Error messages never quote a key.
import { createPrivateKey, type JsonWebKeyInput, type KeyObject } from 'node:crypto'
import { withOptionName } from '../errors.ts'
import { algorithmsFor, type Key, readKey } from './keys.ts'

export interface SigningKey {
  readonly key: Uint8Array | KeyObject
  readonly algorithm: string
  /** The `kid` of a JWK. */
  readonly kid?: string
}

const expected = 'expected a secret, a PEM private key or a private JWK'

/**
 * Reads a PEM private key, a private JWK, or an HMAC secret.
 * @param algorithm default: the first of `algorithmsFor`
 * @throws OptionError for a key that cannot sign, or not with this algorithm
 */
export function readSigningKey(text: string, algorithm?: string): SigningKey {
  const read = withOptionName('key', () => readKey(text))
  const wanted = algorithm === undefined ? undefined : [algorithm]
  const [chosen] = withOptionName('algorithm', () => algorithmsFor(read, wanted))
  const kid = kidOf(text)
  const key = withOptionName('key', () => signingHalf(text, read))
  return { key, algorithm: algorithm ?? (chosen as string), ...(kid !== undefined && { kid }) }
}

function signingHalf(text: string, read: Key): Uint8Array | KeyObject {
  if (read.kind === 'secret') return read.secret
  if (read.kind === 'set') throw new RangeError(`a JWK Set cannot sign: ${expected}`)
  try {
    return createPrivateKey(isJson(text) ? { key: JSON.parse(text) as JsonWebKeyInput['key'], format: 'jwk' } : text)
  } catch {
    throw new RangeError(`a public key cannot sign: ${expected}`)
  }
}

function kidOf(text: string): string | undefined {
  if (!isJson(text)) return undefined
  const { kid } = JSON.parse(text) as { kid?: unknown }
  return typeof kid === 'string' ? kid : undefined
}

/** The same test as in `readKey`, which has accepted the text. */
function isJson(text: string): boolean {
  return !text.includes('-----BEGIN ') && text.trimStart().startsWith('{')
}
