// Token verification over HTTP: kinds of keys, and the required claims of a 1.0 token.
import { createPrivateKey, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { certificateOf } from '../support/auth/certificate.ts'
import { jwksServer } from '../support/auth/jwks-server.ts'
import {
  credentialsIn,
  type Role,
  roles,
  startKeyedServer,
  startServer,
  statusOf,
  validToken
} from '../support/auth/token-sources.ts'
import { curvePair, ed25519Pair, jwk, legacy, modern, pem, rsaPair } from '../support/auth/tokens.ts'
import {
  audience,
  type Dialect,
  dialects,
  keyed,
  keys,
  type MercureServer,
  serverWith
} from '../support/http/mercure.ts'

const server = serverWith()
const pairs = {
  rsa: rsaPair(),
  ec: curvePair(),
  ed: ed25519Pair()
}
const stranger = {
  RS256: rsaPair(),
  ES256: curvePair(),
  EdDSA: ed25519Pair()
}

type Algorithm = keyof typeof stranger

const signed = (dialect: Dialect, key: KeyObject, alg: Algorithm, kid?: string) => {
  const signing = { key, alg, ...(kid !== undefined && { header: { kid } }) }
  return dialect === '1.0' ? modern({ aud: audience }, signing) : legacy(undefined, signing)
}

/** Sends a token of each role and dialect, with the right key and with another key. */
async function expectBelieved(server: MercureServer, key: KeyObject, alg: Algorithm, kid?: string): Promise<void> {
  for (const [dialect, role] of dialects.flatMap((dialect) => roles.map((role) => [dialect, role] as const))) {
    const status = async (key: KeyObject) =>
      statusOf(server, role, dialect, credentialsIn.header(dialect, await signed(dialect, key, alg, kid)))
    expect([dialect, role, await status(key)]).toEqual([dialect, role, 200])
    expect([dialect, role, await status(stranger[alg].privateKey)]).toEqual([dialect, role, 401])
  }
}

const withKey = (key: string) =>
  startServer('--publisher-key', key, '--subscriber-key', key, '--audience', audience, '--port', '0')

describe('over HTTP', () => {
  test.each<[string, Algorithm, () => string, KeyObject]>([
    ['RS256 and a public key', 'RS256', () => pem(pairs.rsa.publicKey), pairs.rsa.privateKey],
    [
      'RS256 and a certificate',
      'RS256',
      () => certificateOf(pairs.rsa.publicKey, pairs.rsa.privateKey),
      pairs.rsa.privateKey
    ],
    ['ES256 and a public key', 'ES256', () => pem(pairs.ec.publicKey), pairs.ec.privateKey],
    ['ES256 and a certificate', 'ES256', () => fixture('cert'), createPrivateKey(fixture('key'))],
    ['EdDSA and a JWK', 'EdDSA', () => JSON.stringify(jwk(pairs.ed.publicKey)), pairs.ed.privateKey]
  ])('Z1 a token is accepted with %s', async (_, alg, key, privateKey) => {
    await expectBelieved(await withKey(key()), privateKey, alg)
  })

  test('Z1 a token is accepted with the address of a JWK Set', async () => {
    const jwks = await jwksServer(jwk(pairs.rsa.publicKey, { kid: 'one' }), jwk(pairs.ec.publicKey, { kid: 'two' }))
    const addresses = ['--publisher-jwks', jwks.address, '--subscriber-jwks', jwks.address]
    const remote = await startServer(...addresses, '--audience', audience)
    await expectBelieved(remote, pairs.rsa.privateKey, 'RS256', 'one')
    await expectBelieved(remote, pairs.ec.privateKey, 'ES256', 'two')
  })
})

describe.each(roles)('to %s in 1.0', (role) => {
  const status = async (more: object) =>
    statusOf(server, role, '1.0', credentialsIn.header('1.0', await validToken(role, '1.0', more)))

  test.each(['at+jwt', 'AT+JWT', 'application/at+jwt', 'Application/At+Jwt'])(
    'Z4 the type %s is accepted',
    async (typ) => {
      expect(await status({ header: { typ } })).toBe(200)
    }
  )

  test.each([
    ['another audience', { claims: { aud: 'https://other.example' } }],
    ['no audience', { claims: { aud: undefined } }],
    ['an audience that only starts with it', { claims: { aud: `${audience}/` } }],
    ['no exp', { claims: { exp: undefined } }],
    ['an exp in the past', { expiresIn: -10 }],
    ['an nbf in the future', { claims: { nbf: 4e9 } }],
    ['another type', { header: { typ: 'JWT' } }],
    ['no type', { header: { typ: undefined } }]
  ])('Z4 a token with %s is rejected', async (_, more) => {
    expect(await status(more)).toBe(401)
  })

  test('Z4 one of several audiences is sufficient', async () => {
    expect(await status({ claims: { aud: ['https://other.example', audience] } })).toBe(200)
  })

  test.each<[string, unknown]>([
    ['a text', ['https://example.com/topic']],
    ['of an unknown match_type', [{ match: '*', match_type: 'regexp' }]],
    ['empty', [{ match: '' }]],
    ['null', [{ match: null }]],
    ['left out', [{ match_type: 'exact' }]],
    ['with a control character', [{ match: 'a\u0001' }]],
    ['with a format character', [{ match: 'a\u200b' }]],
    ['no pattern', [{ match: 'https://[', match_type: 'urlpattern' }]],
    ['too long', [{ match: 'a'.repeat(4_097) }]],
    ['one of more than a hundred', Array.from({ length: 101 }, (_, number) => ({ match: `${number}` }))]
  ])('Z4 a token with a topic that is %s is rejected as a whole', async (_, topics) => {
    const type = 'https://mercure.rocks/authorization-detail'
    const authorization_details = [
      { type, actions: ['publish', 'subscribe'], topics: [{ match: '*' }] },
      { type, actions: ['publish', 'subscribe'], topics }
    ]
    expect(await status({ claims: { authorization_details } })).toBe(401)
  })

  test('Z4 details of other types and unknown actions are ignored', async () => {
    const type = 'https://mercure.rocks/authorization-detail'
    const authorization_details = [
      { type: 'https://other.example', actions: 'whatever' },
      { type, actions: ['publish', 'subscribe', 'dance'], topics: [{ match: '*' }] }
    ]
    expect(await status({ claims: { authorization_details } })).toBe(200)
  })
})

describe('issuers', () => {
  test.each(roles)('Z4 an issuer that is not configured is not trusted, to %s in 1.0', async (role) => {
    const trusting = await startKeyedServer('--issuers', 'https://issuer.example.com')
    const status = async (iss: unknown) =>
      statusOf(trusting, role, '1.0', credentialsIn.header('1.0', await validToken(role, '1.0', { claims: { iss } })))
    expect(await status('https://issuer.example.com')).toBe(200)
    for (const iss of ['https://other.example', 'https://issuer.example.com/', undefined]) {
      expect(await status(iss)).toBe(401)
    }
  })

  test.each(dialects)("Z4 an issuer's key is valid for its own tokens only, in %s", async (dialect) => {
    const own = { a: 'a-secret-of-the-first-issuer-alone-xx', b: 'a-secret-of-the-second-issuer-alone-x' }
    const issuers = Object.entries(own).map(([name, key]) => ({
      issuer: name,
      publisher: { key },
      subscriber: { key }
    }))
    const trusting = await startServer(...keyed, '--issuers', JSON.stringify(issuers))
    const status = async (role: Role, iss: string, key: string) =>
      statusOf(
        trusting,
        role,
        dialect,
        credentialsIn.header(dialect, await validToken(role, dialect, { key, claims: { iss } }))
      )
    for (const role of roles) {
      expect([await status(role, 'a', own.a), await status(role, 'b', own.b)]).toEqual([200, 200])
      expect([await status(role, 'a', own.b), await status(role, 'b', own.a)]).toEqual([401, 401])
      expect(await status(role, 'a', keys[role])).toBe(401)
    }
  })
})

function fixture(kind: 'cert' | 'key'): string {
  return readFileSync(new URL(`../support/auth/for-tests-only.${kind}.pem`, import.meta.url), 'utf8')
}
