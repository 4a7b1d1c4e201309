import { describe, expect, it } from 'vitest'
import type { VerifierOptions } from '../../dist/auth/verifier.js'
import { hub, legacy, modern, now, pem, rsaPair, secret, sign } from '../support/auth/tokens.ts'
import { outcome, verifier } from '../support/auth/verifier.ts'

const rsa = rsaPair()
const issuer = 'https://issuer.example'
const otherAudience = (received: string) => `aud: expected "${hub}", got ${received}`

describe('in 1.0', () => {
  it.each<[string, Record<string, unknown>]>([
    ['whose type is application/at+jwt', { header: { typ: 'application/at+jwt' } }],
    ['whose type is in other letter case', { header: { typ: 'AT+JWT' } }],
    ['whose long type is in other letter case', { header: { typ: 'Application/At+Jwt' } }],
    ['for several hubs', { claims: { aud: ['https://other.example', hub] } }],
    ['that began a moment ago', { claims: { nbf: now() - 1 } }],
    ['of an unknown issuer, if none is configured', { claims: { iss: 'anyone' } }],
    ['without an issuer, if none is configured', { claims: { iss: undefined } }],
    ['without details', { claims: { authorization_details: undefined } }]
  ])('a token is accepted %s', async (_, { claims = {}, ...signing }) => {
    expect(await outcome(verifier(), modern(claims as Record<string, unknown>, signing), '1.0')).toBe('accepted')
  })

  it.each<[string, Record<string, unknown>, Record<string, unknown>, string]>([
    ['without a type', {}, { typ: undefined }, 'typ: check_failed'],
    ['of the type JWT', {}, { typ: 'JWT' }, 'typ: check_failed'],
    ['of the type id_token+jwt', {}, { typ: 'id_token+jwt' }, 'typ: check_failed'],
    ['whose type is not a string', {}, { typ: ['at+jwt'] }, 'typ: check_failed'],
    ['without an audience', { aud: undefined }, {}, 'aud: missing'],
    ['for another hub', { aud: 'https://other.example' }, {}, otherAudience('"https://other.example"')],
    ['for a hub whose URL starts with ours', { aud: `${hub}/x` }, {}, otherAudience(`"${hub}/x"`)],
    ['for several other hubs', { aud: ['https://other.example'] }, {}, otherAudience('["https://other.example"]')],
    ['for a very long audience', { aud: 'x'.repeat(1_000) }, {}, otherAudience(`"${'x'.repeat(199)}…`)],
    ['for an empty audience', { aud: [] }, {}, otherAudience('[]')],
    ['whose audience is an object', { aud: { [hub]: 1 } }, {}, otherAudience(`{"${hub}":1}`)],
    ['without an end', { exp: undefined }, {}, 'exp: missing'],
    ['whose end is null', { exp: null }, {}, 'exp: invalid'],
    ['with details that are bad', { authorization_details: 'all' }, {}, 'authorization_details is not a list'],
    [
      'with a URL pattern that is bad',
      {
        authorization_details: [
          { type: 'x' },
          {
            type: 'https://mercure.rocks/authorization-detail',
            actions: ['publish'],
            topics: [{ match: 'https://e.com/[(', match_type: 'urlpattern' }]
          }
        ]
      },
      {},
      'a URL pattern is malformed or too expensive to match'
    ]
  ])('a token is rejected %s', async (_, claims, header, reason) => {
    expect(await outcome(verifier(), modern(claims, { header }), '1.0')).toBe(reason)
  })

  it('any of several audiences is accepted, and no other', async () => {
    const by = verifier({ publisher: { key: secret }, audience: ['https://a.example', 'https://b.example'] })
    const outcomes = ['https://b.example', ['x', 'https://a.example'], hub].map((aud) =>
      outcome(by, modern({ aud }), '1.0')
    )
    expect(await Promise.all(outcomes)).toEqual([
      'accepted',
      'accepted',
      `aud: expected "https://a.example" or "https://b.example", got "${hub}"`
    ])
  })

  it('an empty audience list rejects every token', async () => {
    const by = verifier({ publisher: { key: secret }, audience: [] })
    expect(await outcome(by, modern(), '1.0')).toBe(`aud: expected nothing, got "${hub}"`)
  })

  it('a 0.x token is rejected', async () => {
    expect(await outcome(verifier(), legacy(), '1.0')).not.toBe('accepted')
  })
})

describe('in 0.x', () => {
  it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['without a type', {}, {}],
    ['of any type', {}, { typ: 'anything' }],
    ['of the type of 1.0', {}, { typ: 'at+jwt' }],
    ['for another hub', { aud: 'https://other.example' }, {}],
    ['of any issuer', { iss: 'anyone' }, {}],
    ['without any claim', { mercure: undefined }, {}],
    ['with a namespaced claim', { mercure: undefined, 'https://mercure.rocks/': { publish: ['*'] } }, {}]
  ])('a token is accepted %s', async (_, claims, header) => {
    const token = sign({ mercure: { publish: ['*'] }, ...claims }, { header })
    expect(await outcome(verifier(), token, '0.x')).toBe('accepted')
  })

  it.each<[string, unknown]>([
    ['a claim that is a string', '*'],
    ['more than a thousand selectors', { subscribe: Array.from({ length: 1_001 }, () => 'a') }]
  ])('a token is rejected with %s', async (_, mercure) => {
    expect(await outcome(verifier(), legacy(mercure), '0.x')).toContain('mercure')
  })

  it('a token without exp never expires, and one with exp expires then', async () => {
    const by = verifier()
    const [unending, ending] = [await legacy(), await sign({ exp: now() + 60, mercure: {} })]
    expect((await by.verify(unending, 'publish', '0.x')).until).toBe(Number.POSITIVE_INFINITY)
    const { until } = await by.verify(ending, 'publish', '0.x')
    expect(until % 1_000).toBe(0)
    expect(until - Date.now()).toBeLessThanOrEqual(60_000)
  })
})

describe('roles', () => {
  const by = verifier({ publisher: { key: secret }, subscriber: { key: pem(rsa.publicKey) } })

  it('have separate keys', async () => {
    const publisher = await modern()
    const subscriber = await modern({}, { key: rsa.privateKey, alg: 'RS256' })
    expect(await outcome(by, publisher, '1.0', 'publish')).toBe('accepted')
    expect(await outcome(by, subscriber, '1.0', 'subscribe')).toBe('accepted')
    expect(await outcome(by, publisher, '1.0', 'subscribe')).not.toBe('accepted')
    expect(await outcome(by, subscriber, '1.0', 'publish')).not.toBe('accepted')
  })

  it('may have no key, and then reject every token', async () => {
    const one = verifier({ subscriber: { key: secret } })
    expect([one.has('publish'), one.has('subscribe')]).toEqual([false, true])
    expect(await outcome(one, legacy(), '0.x', 'publish')).toContain('no key')
    expect([verifier({}).has('publish'), verifier({}).has('subscribe')]).toEqual([false, false])
  })

  it('have a key if an issuer has one', () => {
    const one = verifier({ issuers: [{ issuer, publisher: { key: secret } }] })
    expect([one.has('publish'), one.has('subscribe')]).toEqual([true, false])
  })
})

describe('clocks', () => {
  it('have no tolerance by default', async () => {
    expect(await outcome(verifier(), modern({ exp: now() - 1 }), '1.0')).toBe('ERR_JWT_EXPIRED')
  })

  it('may have a tolerance in seconds, which also extends the grants', async () => {
    const by = verifier({ publisher: { key: secret }, clockTolerance: 60 })
    const exp = now() - 30
    expect((await by.verify(await modern({ exp, nbf: now() + 30 }), 'publish', '1.0')).until).toBe((exp + 60) * 1_000)
    expect(await outcome(by, modern({ exp: now() - 61 }), '1.0')).toBe('ERR_JWT_EXPIRED')
  })
})

it('a rejection reveals nothing to the client, and contains no part of the token', async () => {
  const token = await modern({ sub: 'a person', exp: now() - 1 })
  const error = await verifier()
    .verify(token, 'publish', '1.0')
    .catch((error: unknown) => error)
  expect(error).toMatchObject({
    code: 'invalid_token',
    message: 'The token is not accepted',
    reason: 'ERR_JWT_EXPIRED'
  })
  expect((error as Error).cause).toBeUndefined()
  expect(JSON.stringify(error)).not.toContain('a person')
})

describe('rejects an option', () => {
  it.each<[string, Partial<VerifierOptions>, string]>([
    ['a tolerance below zero', { clockTolerance: -1 }, 'clockTolerance'],
    ['a tolerance above five minutes', { clockTolerance: 301 }, 'clockTolerance'],
    ['a tolerance that is not a number', { clockTolerance: Number.NaN }, 'clockTolerance'],
    ['a base that is not a URL', { base: '/.well-known/mercure' }, 'base'],
    ['a role without a key', { publisher: {} }, 'expected either key or jwks, and not both'],
    [
      'a role with a key and an address',
      { publisher: { key: secret, jwks: 'https://example.com/' } },
      'expected either key or jwks, and not both'
    ],
    [
      'an algorithm that does not go with the key',
      { publisher: { key: pem(rsa.publicKey), algorithms: ['HS256'] } },
      'HS256'
    ],
    [
      'an algorithm of secrets with an address',
      { publisher: { jwks: 'https://example.com/', algorithms: ['HS256'] } },
      'HS256'
    ],
    ['a duplicate issuer', { issuers: [issuer, { issuer, publisher: { key: secret } }] }, 'twice'],
    ['an issuer without a name', { issuers: [''] }, 'empty'],
    ['an issuer object without keys', { issuers: [{ issuer }] }, 'has no keys']
  ])('%s', (_, options, message) => {
    expect(() => verifier(options)).toThrow(RangeError)
    expect(() => verifier(options)).toThrow(message)
    expect(() => verifier(options)).not.toThrow(secret)
  })
})
