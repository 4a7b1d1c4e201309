// The grant of an operator, and the claims by which a token can be revoked, in both dialects.
import { decodeJwt } from 'jose'
import { describe, expect, it } from 'vitest'
import { readGrants } from '../../dist/auth/claims.js'
import { type MintOptions, mint } from '../../dist/auth/mint.js'
import { TokenError, Verifier } from '../../dist/auth/verifier.js'
import { detail, hub, now, secret, sign } from '../support/auth/tokens.ts'

const forever = Number.POSITIVE_INFINITY
const newer = (...details: unknown[]) => readGrants({ authorization_details: details }, '1.0', hub, forever)
const older = (mercure: unknown) => readGrants({ mercure }, '0.x', hub, forever)
const operate = { type: 'tidings:operate' }

describe('the grant tidings:operate', () => {
  it('is a detail of its own type in 1.0, which needs nothing else', () => {
    const grants = newer(operate)
    expect([grants.isOperator, grants.isPublisher, grants.mayPublish(['a']), grants.mayRead('a')]).toEqual([
      true,
      false,
      false,
      false
    ])
    expect(newer(detail(), operate)).toMatchObject({ isOperator: true, isPublisher: true })
  })

  it.each([
    ['no detail', []],
    ['details that grant everything', [detail()]],
    ['a type in another case', [{ type: 'Tidings:Operate' }]],
    ['an action of that name', [detail({ actions: ['tidings:operate'] })]]
  ])('is not in %s', (_, details) => expect(newer(...details).isOperator).toBe(false))

  it('is a member of the claim in 0.x, in both of its names', () => {
    expect(older({ 'tidings:operate': true })).toMatchObject({ isOperator: true, isPublisher: false })
    const claims = { 'https://mercure.rocks/': { 'tidings:operate': true } }
    expect(readGrants(claims, '0.x', hub, forever).isOperator).toBe(true)
  })

  it.each([undefined, null, false])('is not in 0.x with the value %s', (value) => {
    expect(older({ publish: ['*'], 'tidings:operate': value }).isOperator).toBe(false)
  })

  it.each(['true', 1, {}, []])('with the value %j makes a token of 0.x invalid', (value) => {
    expect(() => older({ 'tidings:operate': value })).toThrow(TokenError)
  })

  it('of one dialect is nothing in the other', () => {
    expect(readGrants({ mercure: { 'tidings:operate': true } }, '1.0', hub, forever).isOperator).toBe(false)
    expect(readGrants({ authorization_details: [operate] }, '0.x', hub, forever).isOperator).toBe(false)
  })

  const make = (options: Partial<MintOptions>) =>
    mint({ dialect: '1.0', key: secret, audience: hub, publish: [], subscribe: [], ...options })
  it.each(['1.0', '0.x'] as const)('can be minted in %s', async (dialect) => {
    const verifier = new Verifier({ publisher: { key: secret }, base: hub })
    const grants = await verifier.verify(await make({ dialect, operate: true }), 'publish', dialect)
    expect([grants.isOperator, grants.mayPublish(['a'])]).toEqual([true, false])
    const both = await verifier.verify(await make({ dialect, operate: true, publish: ['a'] }), 'publish', dialect)
    expect([both.isOperator, both.mayPublish(['a'])]).toEqual([true, true])
    expect((await verifier.verify(await make({ dialect, publish: ['a'] }), 'publish', dialect)).isOperator).toBe(false)
  })

  it.each(['1.0', '0.x'] as const)(
    'a minted token of %s has an id of its own, so that it can be revoked',
    async (dialect) => {
      const [one, two] = await Promise.all([make({ dialect }), make({ dialect })])
      expect(decodeJwt(one).jti).toMatch(/^[0-9a-f-]{36}$/)
      expect(decodeJwt(one).jti).not.toBe(decodeJwt(two).jti)
    }
  )
})

describe('the identity of a token', () => {
  const read = (claims: Record<string, unknown>, tolerance?: number) =>
    readGrants(claims, '0.x', hub, forever, tolerance)

  it('has sub, jti, and iat in milliseconds', () => {
    const grants = read({ sub: 'ann', jti: '7', iat: 1_000.5 })
    expect(grants).toMatchObject({ subject: 'ann', jti: '7', issuedAt: 1_000_500 })
    expect(grants.identity).toEqual({ subject: 'ann', jti: '7', issuedAt: 1_000_500 })
  })

  it('counts a token as older by the tolerance for clocks of issuers', () => {
    expect(read({ sub: 'ann', iat: 1_000 }, 30).issuedAt).toBe(970_000)
  })

  it.each([{}, { iat: 1 }, { sub: '', jti: '' }, { sub: 7, jti: ['7'] }])('does not exist for %j', (claims) => {
    const { identity, jti, subject } = read(claims)
    expect([identity, jti, subject]).toEqual([undefined, undefined, undefined])
  })

  it('is that of the verified token, also from the cache', async () => {
    const verifier = new Verifier({ publisher: { key: secret }, base: hub, clockTolerance: 10 })
    const iat = now()
    const token = await sign({ sub: 'ann', jti: '7', iat, mercure: {} })
    for (let time = 0; time < 2; time++) {
      const { identity } = await verifier.verify(token, 'publish', '0.x')
      expect(identity).toEqual({ subject: 'ann', jti: '7', issuedAt: (iat - 10) * 1_000 })
    }
  })
})
