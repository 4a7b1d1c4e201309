import { decodeJwt, decodeProtectedHeader } from 'jose'
import { describe, expect, it } from 'vitest'
import { type MintOptions, mint } from '../../dist/auth/mint.js'
import { Verifier } from '../../dist/auth/verifier.js'
import { curvePair, detail, ed25519Pair, hub, jwk, now, pem, rsaPair, secret } from '../support/auth/tokens.ts'

const rsa = rsaPair()
const ed25519 = ed25519Pair()
const some = { key: secret, publish: ['a'], subscribe: ['b'] }
const modern = (options: Partial<MintOptions> = {}) => mint({ dialect: '1.0', audience: hub, ...some, ...options })
const legacy = (options: Partial<MintOptions> = {}) => mint({ dialect: '0.x', ...some, ...options })
const verify = (token: string, key = secret) => {
  const role = { key }
  return new Verifier({ publisher: role, subscriber: role, base: hub }).verify(
    token,
    'publish',
    decodeProtectedHeader(token).typ === 'JWT' ? '0.x' : '1.0'
  )
}

describe('a minted token is verified', () => {
  it.each([
    ['1.0', modern],
    ['0.x', legacy]
  ])('in %s', async (dialect, make) => {
    const grants = await verify(await make({ payload: { user: 'x' }, subject: 'someone' }))
    expect(grants).toMatchObject({ dialect, subject: 'someone', isPublisher: true })
    expect([grants.mayPublish(['a']), grants.mayPublish(['b']), grants.mayRead('a'), grants.mayRead('b')]).toEqual([
      true,
      false,
      false,
      true
    ])
    expect(grants.payloadFor('b')).toEqual({ user: 'x' })
  })

  it.each([
    ['a secret', secret, 'HS256'],
    ['a JWK of a secret', JSON.stringify({ kty: 'oct', k: Buffer.alloc(32, 1).toString('base64url') }), 'HS256'],
    ['RSA', pem(rsa.privateKey), 'RS256'],
    ['RSA as JWK', JSON.stringify(jwk(rsa.privateKey, { alg: 'PS512' })), 'PS512'],
    ['Ed25519', pem(ed25519.privateKey), 'EdDSA'],
    ['P-256', pem(curvePair().privateKey), 'ES256']
  ])('when it is signed with %s', async (_, key, alg) => {
    for (const make of [modern, legacy]) {
      const token = await make({ key })
      expect(decodeProtectedHeader(token).alg).toBe(alg)
      expect((await verify(token, key)).mayPublish(['a'])).toBe(true)
    }
  })
})

it('in 1.0 it is an access token that expires after an hour', async () => {
  const before = now()
  const token = await modern()
  expect(decodeProtectedHeader(token)).toEqual({ alg: 'HS256', typ: 'at+jwt' })
  const { iat = 0, exp, jti, ...claims } = decodeJwt(token)
  expect(claims).toEqual({
    iss: 'tidings',
    aud: hub,
    authorization_details: [
      detail({ actions: ['publish'], topics: [{ match: 'a' }] }),
      detail({ actions: ['subscribe'], topics: [{ match: 'b' }] })
    ]
  })
  expect([iat >= before && iat <= now(), exp === iat + 3_600]).toEqual([true, true])
  expect(jti).toMatch(/^[0-9a-f-]{36}$/)
})

it('in 0.x it is a plain token without expiry', async () => {
  const token = await legacy({ publish: ['a/{id}', '*', 'bad{'], subscribe: [] })
  expect(decodeProtectedHeader(token)).toEqual({ alg: 'HS256', typ: 'JWT' })
  expect(decodeJwt(token)).toEqual({
    iat: expect.any(Number),
    jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
    mercure: { publish: ['a/{id}', '*', 'bad{'] }
  })
})

it('it contains the given claims', async () => {
  const more = { issuer: 'https://issuer.example', audience: [hub, 'x'], subject: 'someone', expiresIn: 5 }
  for (const make of [modern, legacy]) {
    const { iat = 0, ...claims } = decodeJwt(await make(more))
    expect(claims).toMatchObject({ iss: 'https://issuer.example', aud: [hub, 'x'], sub: 'someone', exp: iat + 5 })
  }
})

it('it contains the id of its key', async () => {
  const token = await legacy({ key: JSON.stringify(jwk(rsa.privateKey, { kid: 'one' })), algorithm: 'PS256' })
  expect(decodeProtectedHeader(token)).toEqual({ alg: 'PS256', typ: 'JWT', kid: 'one' })
})

it('it may grant nothing', async () => {
  for (const make of [modern, legacy]) {
    const grants = await verify(await make({ publish: [], subscribe: [] }))
    expect([grants.isPublisher, grants.mayPublish(['a']), grants.mayRead('b')]).toEqual([false, false, false])
  }
})

it.each([
  ['*', { match: '*' }],
  ['a', { match: 'a' }],
  ['https://example.com/books/1?a=b', { match: 'https://example.com/books/1?a=b' }],
  ['https://example.com:8443/books', { match: 'https://example.com:8443/books' }],
  ['urn:uuid:bb3de268', { match: 'urn:uuid:bb3de268' }],
  ['a/{x}', { match: 'a/:x', match_type: 'urlpattern' }],
  ['https://example.com/{a}/b/{c_1}', { match: 'https://example.com/:a/b/:c_1', match_type: 'urlpattern' }],
  ['https://example.com/books/:id', { match: 'https://example.com/books/:id', match_type: 'urlpattern' }],
  [':id', { match: ':id', match_type: 'urlpattern' }],
  ['books-:id', { match: 'books-:id', match_type: 'urlpattern' }],
  ['https://example.com/*', { match: 'https://example.com/*', match_type: 'urlpattern' }]
])('1.0 encodes the selector %s as %o', async (selector, topic) => {
  const token = await modern({ publish: [selector], subscribe: [] })
  expect(decodeJwt(token).authorization_details).toMatchObject([{ topics: [topic] }])
})

it('a template converted to a URL pattern covers the same topics', async () => {
  const grants = await verify(await modern({ publish: ['https://example.com/books/{id}'] }))
  expect([
    grants.mayPublish(['https://example.com/books/1']),
    grants.mayPublish(['https://example.com/books/1/2'])
  ]).toEqual([true, false])
})

describe('1.0 has no equivalent of the template', () => {
  it.each([
    'a/{+path}',
    'a{/x}',
    'a{?x}',
    'a/{x,y}',
    'a/{x}.json',
    'a-{x}',
    '{x}{y}',
    'a/{x}/{x}',
    'a/{1}',
    'a/{x',
    'a/{x}?b=c',
    'a/{x}/*',
    'a/:b/{x}'
  ])('%s', async (selector) => {
    const refused = modern({ publish: [selector] })
    await expect(refused).rejects.toThrow(RangeError)
    await expect(refused).rejects.toThrow('write it as one')
  })
})

describe('minting is rejected', () => {
  const half = JSON.stringify({ ...jwk(rsa.publicKey), d: 'WrongAsCanBe' })
  it.each<[string, Partial<MintOptions>, string]>([
    ['with a public key', { key: pem(rsa.publicKey) }, 'a public key cannot sign'],
    ['with a public JWK', { key: JSON.stringify(jwk(rsa.publicKey)) }, 'a public key cannot sign'],
    ['with half a private JWK', { key: half }, 'cannot'],
    ['with a JWK Set', { key: JSON.stringify({ keys: [jwk(rsa.privateKey)] }) }, 'a JWK Set cannot sign'],
    ['with an empty key', { key: '' }, 'empty'],
    ['with broken PEM', { key: '-----BEGIN PRIVATE KEY-----\nWrongAsCanBe' }, 'PEM'],
    ['with an algorithm for other keys', { algorithm: 'RS256' }, 'does not fit'],
    ['with the algorithm none', { algorithm: 'none' }, '; use HS256'],
    ['with an expiry of 0', { expiresIn: 0 }, 'expiresIn'],
    ['with an infinite expiry', { expiresIn: Number.POSITIVE_INFINITY }, 'expiresIn'],
    ['with an expiry that is not a number', { expiresIn: Number.NaN }, 'expiresIn'],
    ['without an audience value', { audience: [] }, 'audience'],
    ['with a payload that is a string', { payload: 'x' }, 'payload'],
    ['with a payload and no subscribe grant', { payload: { x: 1 }, subscribe: [] }, 'payload'],
    ['with an empty selector', { publish: [''] }, 'selector'],
    ['with a selector that has a line break', { subscribe: ['a\nb'] }, 'selector']
  ])('%s', async (_, options, message) => {
    await expect(modern(options)).rejects.toThrow(RangeError)
    await expect(modern(options)).rejects.toThrow(message)
    await expect(modern(options)).rejects.not.toThrow(/WrongAsCanBe|MII/)
  })

  it('in 1.0 without an audience', async () => {
    await expect(mint({ dialect: '1.0', ...some })).rejects.toThrow('audience')
  })
})
