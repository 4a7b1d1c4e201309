import type { KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { algorithmsFor, isShort, type Key, readKey } from '../../dist/auth/keys.js'
import { curvePair, ed25519Pair, jwk, pem, rsaPair, secret, x25519Pair } from '../support/auth/tokens.ts'

const rsa = rsaPair()
const ed25519 = ed25519Pair()
const certificate = readFileSync('test/support/auth/for-tests-only.cert.pem', 'utf8')
const json = (value: unknown) => JSON.stringify(value)
const oct = (bytes: number) => json({ kty: 'oct', k: Buffer.alloc(bytes, 1).toString('base64url') })

describe('parses a key and determines its algorithms', () => {
  it.each<[string, string, string[]]>([
    ['a secret', secret, ['HS256']],
    ['a secret as JWK', oct(32), ['HS256']],
    ['a secret as JWK with an algorithm', json({ ...JSON.parse(oct(64)), alg: 'HS512' }), ['HS512']],
    ['RSA in PEM', pem(rsa.publicKey), ['RS256']],
    ['RSA in PKCS #1 PEM', rsa.publicKey.export({ type: 'pkcs1', format: 'pem' }) as string, ['RS256']],
    ['RSA as JWK', json(jwk(rsa.publicKey)), ['RS256']],
    ['RSA as JWK with an algorithm', json(jwk(rsa.publicKey, { alg: 'PS384' })), ['PS384']],
    ['P-256', pem(curvePair('P-256').publicKey), ['ES256']],
    ['P-384', pem(curvePair('P-384').publicKey), ['ES384']],
    ['P-521', pem(curvePair('P-521').publicKey), ['ES512']],
    ['Ed25519', pem(ed25519.publicKey), ['EdDSA', 'Ed25519']],
    ['Ed25519 as JWK', json(jwk(ed25519.publicKey, { use: 'sig' })), ['EdDSA', 'Ed25519']],
    ['a certificate', certificate, ['ES256']],
    ['a JWK Set', json({ keys: [jwk(rsa.publicKey), jwk(ed25519.publicKey)] }), ['RS256', 'EdDSA', 'Ed25519']]
  ])('%s', (_, text, algorithms) => {
    expect(algorithmsFor(readKey(text))).toEqual(algorithms)
  })
})

it.each([
  ['PEM', pem(rsa.privateKey)],
  ['a JWK', json(jwk(rsa.privateKey))],
  ['a JWK Set', json({ keys: [jwk(rsa.privateKey, { kid: 'one' })] })]
])('keeps only the public half of a private key in %s', (_, text) => {
  const key = readKey(text)
  const kept: KeyObject[] =
    key.kind === 'set' ? key.keys.map((one) => one.publicKey) : [(key as { publicKey: KeyObject }).publicKey]
  expect(kept.map(({ type }) => type)).toEqual(['public'])
  expect(key.kind === 'set' ? Object.keys(key.jwks.keys[0] ?? {}).sort() : []).not.toContain('d')
})

it('ignores unusable keys of a set', () => {
  const others = [jwk(x25519Pair().publicKey), { kty: 'new' }, jwk(rsa.publicKey, { use: 'enc' })]
  const key = readKey(json({ keys: [...others, jwk(ed25519.publicKey)] }))
  expect(algorithmsFor(key)).toEqual(['EdDSA', 'Ed25519'])
})

describe('rejects an invalid key without quoting it', () => {
  it.each<[string, string, string]>([
    ['an empty text', '', 'empty'],
    ['broken PEM', '-----BEGIN PUBLIC KEY-----\nWrongAsCanBe\n-----END PUBLIC KEY-----\n', 'PEM'],
    ['truncated PEM', pem(rsa.publicKey).slice(0, 200), 'PEM'],
    ['PEM of a short RSA key', pem(rsaPair(1_024).publicKey), '2048'],
    ['PEM of an unsupported curve', pem(curvePair('secp256k1').publicKey), 'P-256'],
    ['PEM of an unsupported type', pem(x25519Pair().publicKey), 'PEM'],
    [
      'encrypted PEM',
      rsa.privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'p' }) as string,
      'PEM'
    ],
    ['truncated JSON', json(jwk(rsa.publicKey)).slice(0, -2), 'JSON'],
    ['JSON that is not a JWK', '{"WrongAsCanBe":1}', 'JWK'],
    ['an incomplete JWK', '{"kty":"RSA","n":"WrongAsCanBe"}', 'JWK'],
    ['a JWK of a secret that is not base64url', '{"kty":"oct","k":"WrongAsCanBe!"}', 'JWK'],
    ['a JWK for encryption', json(jwk(rsa.publicKey, { use: 'enc' })), 'JWK'],
    ['a JWK whose algorithm is for other keys', json(jwk(rsa.publicKey, { alg: 'HS256' })), 'JWK'],
    ['a JWK whose algorithm is none', json(jwk(rsa.publicKey, { alg: 'none' })), 'JWK'],
    ['an empty JWK Set', '{"keys":[]}', 'no usable key'],
    ['a JWK Set without objects', '{"keys":[1,null]}', 'no usable key'],
    ['a JWK Set with a secret', json({ keys: [jwk(rsa.publicKey), JSON.parse(oct(32))] }), 'secret']
  ])('%s', (_, text, message) => {
    const refused = () => readKey(text)
    expect(refused).toThrow(RangeError)
    expect(refused).toThrow(message)
    expect(refused).not.toThrow(/WrongAsCanBe|MII|-----/)
  })
})

describe('accepts other algorithms that fit', () => {
  it.each<[string, string, string[], string[]]>([
    ['a secret', secret, ['HS512', 'HS384', 'HS512'], ['HS512', 'HS384']],
    ['RSA', pem(rsa.publicKey), ['PS256', 'RS512'], ['PS256', 'RS512']],
    ['Ed25519', pem(ed25519.publicKey), ['EdDSA'], ['EdDSA', 'Ed25519']],
    [
      'a set',
      json({ keys: [jwk(rsa.publicKey), jwk(ed25519.publicKey)] }),
      ['RS384', 'Ed25519'],
      ['RS384', 'EdDSA', 'Ed25519']
    ]
  ])('for %s', (_, text, wanted, algorithms) => {
    expect(algorithmsFor(readKey(text), wanted)).toEqual(algorithms)
  })
})

describe('rejects an algorithm', () => {
  it.each<[string, string, string[], RegExp]>([
    ['none', secret, ['none'], /"none"; use HS256, .*EdDSA/],
    ['none in other letter case', secret, ['nOnE'], /; use HS256/],
    ['an unknown one', secret, ['HS256', 'HS1'], /"HS1"; use/],
    ['a property name of every object', secret, ['constructor'], /; use/],
    ['an empty list', secret, [], /empty/],
    [
      'HS256 with a public key',
      pem(rsa.publicKey),
      ['RS256', 'HS256'],
      /HS256 does not fit the key; use RS256, RS384, RS512, PS256/
    ],
    ['HS256 with a certificate', certificate, ['HS256'], /does not fit .* use ES256$/],
    ['RS256 with a secret', secret, ['RS256'], /use HS256, HS384, HS512$/],
    ['ES384 with P-256', pem(curvePair('P-256').publicKey), ['ES384'], /does not fit/],
    ['EdDSA with RSA', pem(rsa.publicKey), ['EdDSA'], /does not fit/],
    ['HS256 with a set', json({ keys: [jwk(rsa.publicKey)] }), ['HS256'], /does not fit/],
    ['RS512 with a JWK for RS256', json(jwk(rsa.publicKey, { alg: 'RS256' })), ['RS512'], /use RS256$/]
  ])('%s', (_, text, wanted, message) => {
    const key: Key = readKey(text)
    expect(() => algorithmsFor(key, wanted)).toThrow(RangeError)
    expect(() => algorithmsFor(key, wanted)).toThrow(message)
  })
})

it.each([
  ['31 bytes', 'x'.repeat(31), true],
  ['32 bytes', 'x'.repeat(32), false],
  ['16 letters of two bytes', 'é'.repeat(16), false],
  ['31 bytes in a JWK', oct(31), true],
  ['32 bytes in a JWK', oct(32), false],
  ['a public key', pem(ed25519.publicKey), false]
])('detects a short secret: %s', (_, text, expected) => {
  expect(isShort(readKey(text))).toBe(expected)
})
