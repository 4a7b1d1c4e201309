import { describe, expect, it } from 'vitest'
import { readGrants } from '../../dist/auth/claims.js'
import { TokenError } from '../../dist/auth/verifier.js'
import { compile } from '../../dist/topics/matcher.js'
import { detail, hub } from '../support/auth/tokens.ts'

const forever = Number.POSITIVE_INFINITY
const older = (mercure: unknown) => readGrants({ mercure }, '0.x', hub, forever)

describe('in 0.x', () => {
  it('selectors are exact topics, * and templates', () => {
    const grants = older({ publish: ['a', 'b/{id}', 'bad{'], subscribe: ['*'] })
    expect(['a', 'b/1', 'b/{id}', 'bad{', 'c'].map((topic) => grants.mayPublish([topic]))).toEqual([
      true,
      true,
      true,
      true,
      false
    ])
    expect(grants.mayRead('anything')).toBe(true)
  })

  it('every topic of an update must be granted', () => {
    const grants = older({ publish: ['a', 'b'] })
    expect([['a', 'b'], ['a', 'c'], []].map((topics) => grants.mayPublish(topics))).toEqual([true, false, false])
  })

  it.each<[string, unknown, boolean]>([
    ['no claim', undefined, false],
    ['null for a claim', null, false],
    ['an empty claim', {}, false],
    ['null for a list', { publish: null, subscribe: null }, false],
    ['empty lists', { publish: [], subscribe: [] }, true],
    ['a selector that is not a valid topic', { publish: ['\0exact\0a', ''] }, true]
  ])('%s grants nothing', (_, mercure, isPublisher) => {
    const grants = older(mercure)
    expect([grants.mayPublish(['a']), grants.mayRead('a'), grants.isPublisher]).toEqual([false, false, isPublisher])
  })

  it('a namespaced claim replaces the plain one', () => {
    const claims = { mercure: { publish: ['a'] }, 'https://mercure.rocks/': { publish: ['b'] } }
    const grants = readGrants(claims, '0.x', hub, forever)
    expect([grants.mayPublish(['a']), grants.mayPublish(['b'])]).toEqual([false, true])
  })

  it('a selector with the internal prefix of the matcher grants nothing', () => {
    expect(compile({ match: 'a{b', type: 'exact' }).matches('a{b')).toBe(true)
    expect(older({ publish: ['\0exact\0a{b'] }).mayPublish(['a{b'])).toBe(false)
  })

  it('a thousand selectors are accepted', () => {
    const selectors = Array.from({ length: 1_000 }, (_, number) => `t${number}`)
    expect(older({ publish: selectors, subscribe: selectors }).mayPublish(['t0', 't999'])).toBe(true)
  })

  it.each<[string, unknown]>([
    ['a claim that is a string', '*'],
    ['a claim that is a list', ['*']],
    ['a list that is a string', { publish: '*' }],
    ['a list that is an object', { subscribe: { 0: '*' } }],
    ['an entry that is not a string', { publish: ['a', 1] }],
    ['an entry that is null', { subscribe: [null] }],
    ['an entry of the other dialect', { subscribe: [{ match: 'a' }] }],
    ['more than a thousand to publish', { publish: Array.from({ length: 1_001 }, () => 'a') }],
    ['more than a thousand to read', { subscribe: Array.from({ length: 1_001 }, () => 'a') }]
  ])('%s makes the token invalid', (_, mercure) => {
    expect(() => older(mercure)).toThrow(TokenError)
  })

  it.each<[unknown]>([['text'], [0], [false], [null], [[1]], [{ user: 'x' }]])(
    'the payload %j applies to every subscription',
    (payload) => {
      const grants = older({ payload })
      expect([grants.payloadFor('a'), grants.payloadFor('{b}'), grants.payloadFor('*')]).toEqual([
        payload,
        payload,
        payload
      ])
    }
  )

  it('the payload is optional', () => {
    expect(older({ subscribe: ['*'] }).payloadFor('a')).toBeUndefined()
  })

  it('details of 1.0 grant nothing', () => {
    expect(readGrants({ authorization_details: [detail()] }, '0.x', hub, forever).mayPublish(['a'])).toBe(false)
  })
})
