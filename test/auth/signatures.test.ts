import { execFile } from 'node:child_process'
import { createHmac, createPrivateKey, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { type RoleKeys, TokenError } from '../../dist/auth/verifier.js'
import { curvePair, ed25519Pair, hub, jwk, legacy, modern, now, pem, rsaPair, secret } from '../support/auth/tokens.ts'
import { outcome, verifier } from '../support/auth/verifier.ts'

const rsa = rsaPair()
const otherRsa = rsaPair()
const withKey = (key: RoleKeys) => verifier({ publisher: key })

describe('an algorithm is accepted', () => {
  const ed25519 = ed25519Pair()
  const p256 = curvePair('P-256')
  const [p384, p521] = [curvePair('P-384'), curvePair('P-521')]
  const certified = readFileSync('test/support/auth/for-tests-only.key.pem', 'utf8')
  const certificate = readFileSync('test/support/auth/for-tests-only.cert.pem', 'utf8')

  it.each<[string, RoleKeys, KeyObject | string]>([
    ['HS256', { key: secret }, secret],
    ['HS384', { key: secret, algorithms: ['HS384'] }, secret],
    ['HS512', { key: secret, algorithms: ['HS256', 'HS512'] }, secret],
    ['RS256', { key: pem(rsa.publicKey) }, rsa.privateKey],
    ['RS384', { key: pem(rsa.publicKey), algorithms: ['RS384'] }, rsa.privateKey],
    ['PS256', { key: pem(rsa.publicKey), algorithms: ['RS256', 'PS256'] }, rsa.privateKey],
    ['ES256', { key: pem(p256.publicKey) }, p256.privateKey],
    ['ES384', { key: pem(p384.publicKey) }, p384.privateKey],
    ['ES512', { key: pem(p521.publicKey) }, p521.privateKey],
    ['EdDSA', { key: pem(ed25519.publicKey) }, ed25519.privateKey],
    ['Ed25519', { key: pem(ed25519.publicKey) }, ed25519.privateKey],
    ['RS256 of a JWK', { key: JSON.stringify(jwk(rsa.publicKey)) }, rsa.privateKey],
    ['RS256 of the public half of a private key', { key: pem(rsa.privateKey) }, rsa.privateKey],
    [
      'EdDSA of a JWK Set',
      { key: JSON.stringify({ keys: [jwk(rsa.publicKey), jwk(ed25519.publicKey)] }) },
      ed25519.privateKey
    ]
  ])('%s', async (title, keys, key) => {
    const [alg = ''] = title.split(' ')
    expect(await outcome(withKey(keys), modern({}, { key, alg }), '1.0')).toBe('accepted')
    expect(await outcome(withKey(keys), legacy({}, { key, alg }), '0.x')).toBe('accepted')
  })

  it('ES256 of a certificate', async () => {
    const token = legacy({}, { key: createPrivateKey(certified), alg: 'ES256' })
    expect(await outcome(withKey({ key: certificate }), token, '0.x')).toBe('accepted')
  })
})

/** Signs an invalid combination that no library would sign. */
function forged(header: object, claims: object, key?: string): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const content = `${encode(header)}.${encode(claims)}`
  return `${content}.${key === undefined ? '' : createHmac('sha256', key).update(content).digest('base64url')}`
}

describe('in both dialects a token is rejected', () => {
  const claims = { aud: hub, exp: now() + 60, mercure: { publish: ['*'] } }
  const header = { typ: 'at+jwt', alg: 'HS256' }
  const onlyRsa = { key: pem(rsa.publicKey) }
  const good = modern()
  const swapped = async () => {
    const [head, , signature] = (await good).split('.')
    return `${head}.${Buffer.from(JSON.stringify({ ...claims, sub: 'admin' })).toString('base64url')}.${signature}`
  }

  it.each<[string, RoleKeys, () => string | Promise<string>]>([
    ['signed with another secret', { key: secret }, () => modern({}, { key: 'x'.repeat(32) })],
    ['signed with another key', onlyRsa, () => modern({}, { key: otherRsa.privateKey, alg: 'RS256' })],
    ['with an algorithm that is not on the list', { key: secret }, () => modern({}, { alg: 'HS384' })],
    [
      'with an algorithm of the key that is not on the list',
      onlyRsa,
      () => modern({}, { key: rsa.privateKey, alg: 'PS256' })
    ],
    ['signed with a public key as if it were a secret', onlyRsa, () => forged(header, claims, pem(rsa.publicKey))],
    ['signed with it, without the last line break', onlyRsa, () => forged(header, claims, pem(rsa.publicKey).trim())],
    ['whose algorithm is none', { key: secret }, () => forged({ ...header, alg: 'none' }, claims)],
    ['whose algorithm is nOnE', { key: secret }, () => forged({ ...header, alg: 'nOnE' }, claims)],
    [
      'whose algorithm is none, with a signature',
      { key: secret },
      () => forged({ ...header, alg: 'none' }, claims, secret)
    ],
    ['without an algorithm', { key: secret }, () => forged({ typ: 'at+jwt' }, claims, secret)],
    ['without a signature', { key: secret }, () => forged(header, claims)],
    ['with half a signature', { key: secret }, async () => (await good).slice(0, -20)],
    ['whose claims were changed', { key: secret }, swapped],
    [
      'with an embedded key',
      onlyRsa,
      () => modern({}, { key: otherRsa.privateKey, alg: 'RS256', header: { jwk: jwk(otherRsa.publicKey) } })
    ],
    [
      'with an unknown critical header',
      { key: secret },
      () => forged({ ...header, crit: ['x'], x: 1 }, claims, secret)
    ],
    ['whose claims are not an object', { key: secret }, () => forged(header, [1], secret)],
    ['that has expired', { key: secret }, () => modern({ exp: now() })],
    ['that is not yet valid', { key: secret }, () => modern({ nbf: now() + 60 })],
    ['whose exp is not a number', { key: secret }, () => modern({ exp: 'tomorrow' })],
    ['whose nbf is not a number', { key: secret }, () => modern({ nbf: 'today' })],
    ['that is empty', { key: secret }, () => ''],
    ['that is not a JWT', { key: secret }, () => 'a.b.c'],
    ['that has two parts', { key: secret }, () => 'eyJhbGciOiJIUzI1NiJ9.e30'],
    ['that is plain text', { key: secret }, () => 'x'.repeat(100)]
  ])('%s', async (_, keys, token) => {
    const by = withKey(keys)
    for (const dialect of ['1.0', '0.x'] as const) {
      expect(await outcome(by, token(), dialect)).not.toBe('accepted')
      await expect(by.verify(await token(), 'publish', dialect)).rejects.toThrow(TokenError)
    }
  })
})

it('Ed25519 makes Node print no warning', async () => {
  const { privateKey } = ed25519Pair()
  const script = `
    import { mint } from './dist/auth/mint.js'
    import { Verifier } from './dist/auth/verifier.js'
    const pem = ${JSON.stringify(pem(privateKey))}
    const jwk = ${JSON.stringify(JSON.stringify({ keys: [jwk(privateKey)] }))}
    const token = await mint({ dialect: '0.x', key: pem, publish: ['a'], subscribe: [] })
    for (const key of [pem, jwk]) {
      const grants = await new Verifier({ publisher: { key }, base: '${hub}' }).verify(token, 'publish', '0.x')
      console.log(grants.mayPublish(['a']))
    }`
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script])
  expect([stdout, stderr]).toEqual(['true\ntrue\n', ''])
})
