import { describe, expect, it } from 'vitest'
import type { Role } from '../../dist/auth/verifier.js'
import { modern, secret, sign } from '../support/auth/tokens.ts'
import { outcome, verifier } from '../support/auth/verifier.ts'

const issuer = 'https://issuer.example'

describe('a token issuer', () => {
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
    ['without own keys uses the shared keys', 'accepted', 'https://plain.example', secret, 'publish'],
    ['with own keys uses them', 'accepted', issuer, own, 'publish'],
    ['with own keys does not use the shared keys', 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED', issuer, secret, 'publish'],
    ['does not use the keys of another issuer', 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED', issuer, other, 'publish'],
    [
      'without own keys does not use the keys of another issuer',
      'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
      'https://plain.example',
      own,
      'publish'
    ],
    [
      'without a key for a role does not use the key of its other role',
      'the issuer has no key for this role',
      issuer,
      own,
      'subscribe'
    ],
    [
      'without a key for a role does not use the shared key',
      'the issuer has no key for this role',
      issuer,
      secret,
      'subscribe'
    ],
    [
      'that is not trusted is rejected',
      'the iss of the token is not a trusted issuer',
      'https://unknown.example',
      secret,
      'publish'
    ],
    [
      'with a trailing slash is a different issuer',
      'the iss of the token is not a trusted issuer',
      `${issuer}/`,
      own,
      'publish'
    ],
    [
      'in other letter case is a different issuer',
      'the iss of the token is not a trusted issuer',
      issuer.toUpperCase(),
      own,
      'publish'
    ],
    ['that is missing is rejected', 'the iss of the token is not a trusted issuer', undefined, secret, 'publish']
  ])('in 1.0: %s', async (_, expected, iss, key, role) => {
    expect(await outcome(by, modern({ iss }, { key }), '1.0', role)).toBe(expected)
  })

  it('in 1.0: an issuer that is not a string is rejected', async () => {
    expect(await outcome(by, modern({ iss: [issuer] }, { key: own }), '1.0')).toBe(
      'the iss of the token is not a trusted issuer'
    )
  })

  it.each<[string, boolean, unknown, string]>([
    ['with own keys uses them', true, issuer, own],
    ['with own keys does not use the shared keys', false, issuer, secret],
    ['that is unknown uses the shared keys', true, 'https://unknown.example', secret],
    ['that is missing uses the shared keys', true, undefined, secret],
    ['that is missing does not use the keys of an issuer', false, undefined, own],
    ['that is not a string uses the shared keys', false, [issuer], own]
  ])('in 0.x: %s', async (_, isAccepted, iss, key) => {
    const token = sign({ iss, mercure: {} }, { key })
    expect((await outcome(by, token, '0.x')) === 'accepted').toBe(isAccepted)
  })

  it('a malformed token is rejected', async () => {
    expect(await outcome(by, 'x', '1.0')).toBe('the token is not a JWT')
    expect(await outcome(by, 'x', '0.x')).toBe('the token is not a JWT')
  })
})
