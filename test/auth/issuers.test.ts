import { describe, expect, it } from 'vitest'
import type { Role } from '../../dist/auth/verifier.js'
import { modern, secret, sign } from '../support/tokens.js'
import { outcome, verifier } from '../support/verifier.js'

const issuer = 'https://issuer.example'

describe('issuers', () => {
  const [own, other] = ['the own secret of the issuer, 32 bytes', 'the other secret of another, 32 bytes']
  const by = verifier({
    publisher: { key: secret },
    subscriber: { key: secret },
    issuers: [
      'https://plain.example',
      { issuer, publisher: { key: own } },
      { issuer: 'https://other.example', publisher: { key: other }, subscriber: { key: other } }
    ]
  })

  it.each<[string, string, string | undefined, string, Role]>([
    ['without keys of its own uses those of everyone', 'accepted', 'https://plain.example', secret, 'publish'],
    ['with keys of its own uses them', 'accepted', issuer, own, 'publish'],
    [
      'with keys of its own does not use those of everyone',
      'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
      issuer,
      secret,
      'publish'
    ],
    ['does not use those of another', 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED', issuer, other, 'publish'],
    [
      'without keys of its own does not use those of another',
      'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
      'https://plain.example',
      own,
      'publish'
    ],
    [
      'without a key for a role does not use that of its other role',
      'the issuer has no key for this role',
      issuer,
      own,
      'subscribe'
    ],
    [
      'without a key for a role does not use that of everyone',
      'the issuer has no key for this role',
      issuer,
      secret,
      'subscribe'
    ],
    ['that is not trusted is refused', 'iss: not trusted', 'https://unknown.example', secret, 'publish'],
    ['that ends with a slash is another', 'iss: not trusted', `${issuer}/`, own, 'publish'],
    ['in other letters is another', 'iss: not trusted', issuer.toUpperCase(), own, 'publish'],
    ['that is not named is refused', 'iss: not trusted', undefined, secret, 'publish']
  ])('in 1.0, one %s', async (_, expected, iss, key, role) => {
    expect(await outcome(by, modern({ iss }, { key }), '1.0', role)).toBe(expected)
  })

  it('in 1.0, one that is no text is refused', async () => {
    expect(await outcome(by, modern({ iss: [issuer] }, { key: own }), '1.0')).toBe('iss: not trusted')
  })

  it.each<[string, boolean, unknown, string]>([
    ['with keys of its own uses them', true, issuer, own],
    ['with keys of its own does not use those of everyone', false, issuer, secret],
    ['that is not known uses those of everyone', true, 'https://unknown.example', secret],
    ['that is not named uses those of everyone', true, undefined, secret],
    ['that is not named does not use those of an issuer', false, undefined, own],
    ['that is no text uses those of everyone', false, [issuer], own]
  ])('in 0.x, one %s', async (_, isAccepted, iss, key) => {
    const token = sign({ iss, mercure: {} }, { key })
    expect((await outcome(by, token, '0.x')) === 'accepted').toBe(isAccepted)
  })

  it('a token that cannot be read has none, and is refused', async () => {
    expect(await outcome(by, 'x', '1.0')).toBe('not a JWT')
    expect(await outcome(by, 'x', '0.x')).toBe('not a JWT')
  })
})
