import { describe, expect, it } from 'vitest'
import { readGrants } from '../../dist/auth/claims.js'
import { Grants } from '../../dist/auth/grants.js'
import { TokenError } from '../../dist/auth/verifier.js'
import { detail, hub } from '../support/auth/tokens.ts'

const forever = Number.POSITIVE_INFINITY
const newer = (...details: unknown[]) => readGrants({ authorization_details: details }, '1.0', hub, forever)
const match = (...matches: string[]) => ({ topics: matches.map((one) => ({ match: one })) })

describe('in 1.0', () => {
  it('an action is granted for the topics of its own detail', () => {
    const grants = newer(
      detail({ actions: ['publish'], ...match('a') }),
      detail({ actions: ['subscribe'], ...match('b') })
    )
    expect([grants.mayPublish(['a']), grants.mayPublish(['b']), grants.mayRead('a'), grants.mayRead('b')]).toEqual([
      true,
      false,
      false,
      true
    ])
  })

  it('several details are combined', () => {
    const grants = newer(detail(match('a')), detail(match('b')))
    expect([grants.mayPublish(['a', 'b']), grants.mayPublish(['a', 'c'])]).toEqual([true, false])
  })

  it('a plain match is an exact topic, with any characters', () => {
    const grants = newer(detail(match('a/{id}', 'b/:id', 'c*')))
    expect(['a/{id}', 'b/:id', 'c*', 'a/1', 'b/1', 'c1'].map((topic) => grants.mayRead(topic))).toEqual([
      true,
      true,
      true,
      false,
      false,
      false
    ])
  })

  it.each([undefined, 'exact', 'urlpattern'])('* covers everything with the type %s', (type) => {
    const grants = newer(detail({ topics: [{ match: '*', match_type: type }] }))
    expect([grants.mayPublish(['anything', 'https://e.com/']), grants.mayRead('x')]).toEqual([true, true])
  })

  it('readable selectors have their type where a text would mean something else, and patterns the URL of the hub', () => {
    const pattern = { match: '/b/:id', match_type: 'urlpattern' }
    expect(newer(detail({ topics: [{ match: 'a' }, { match: 'a/{id}' }, pattern] })).subscribe).toEqual([
      'a',
      { match: 'a/{id}', type: 'exact' },
      { match: '/b/:id', type: 'urlpattern', base: hub }
    ])
  })

  it.each<[string, unknown[], boolean]>([
    ['no details', [], false],
    ['a detail of another type', [{ type: 'payment', topics: 'anything', actions: 1 }], false],
    ['an action that is unknown', [detail({ actions: ['delete'] })], false],
    ['an action in other letter case', [detail({ actions: ['Publish', 'SUBSCRIBE'] })], false]
  ])('%s: grants nothing', (_, details, isPublisher) => {
    const grants = newer(...details)
    expect([grants.mayPublish(['a']), grants.mayRead('a'), grants.isPublisher]).toEqual([false, false, isPublisher])
  })

  it('a token without details grants nothing, also with a 0.x claim', () => {
    expect(readGrants({ mercure: { publish: ['*'] } }, '1.0', hub, forever).mayPublish(['a'])).toBe(false)
  })

  it('an unknown action does not affect the others', () => {
    expect(newer(detail({ actions: ['delete', 'subscribe'] })).mayRead('a')).toBe(true)
  })

  it('100 details with 100 topics are accepted, and details of other types do not count', () => {
    const details = Array.from({ length: 100 }, (_, number) => detail(match(`t${number}`)))
    const others = Array.from({ length: 200 }, () => ({ type: 'payment', topics: [1, 2] }))
    expect(newer(...others, ...details).mayPublish(['t0', 't99'])).toBe(true)
  })

  it('a topic of 4,096 bytes is accepted', () => {
    expect(newer(detail(match('é'.repeat(2_048)))).mayRead('é'.repeat(2_048))).toBe(true)
  })

  const oneTopic = (topic: unknown) => [detail({ topics: [{ match: 'good' }, topic] })]
  it.each<[string, unknown]>([
    ['details that are an object', { 0: detail() }],
    ['details that are a string', 'all'],
    ['details that are null', null],
    ['a detail that is a string', ['all']],
    ['a detail that is null', [null]],
    ['a detail without a type', [{ actions: ['publish'], topics: [{ match: 'a' }] }]],
    ['a detail whose type is not a string', [detail({ type: 1 })]],
    ['no actions', [detail({ actions: undefined })]],
    ['empty actions', [detail({ actions: [] })]],
    ['actions that are a string', [detail({ actions: 'publish' })]],
    ['an action that is not a string', [detail({ actions: ['publish', 1] })]],
    ['no topics', [detail({ topics: undefined })]],
    ['empty topics', [detail({ topics: [] })]],
    ['topics that are a string', [detail({ topics: '*' })]],
    ['topics that are an object', [detail({ topics: { match: '*' } })]],
    ['a topic that is a string', oneTopic('*')],
    ['a topic that is null', oneTopic(null)],
    ['a topic that is a list', oneTopic(['*'])],
    ['a topic without match', oneTopic({ match_type: 'exact' })],
    ['a match that is empty', oneTopic({ match: '' })],
    ['a match that is null', oneTopic({ match: null })],
    ['a match that is a number', oneTopic({ match: 1 })],
    ['a match with a control character', oneTopic({ match: 'a\nb' })],
    ['a match with NUL', oneTopic({ match: 'a\0b' })],
    ['a match with DEL', oneTopic({ match: 'a\x7fb' })],
    ['a match with C1', oneTopic({ match: 'a\x85b' })],
    ['a match with a format character', oneTopic({ match: 'a\u200eb' })],
    ['a match with a byte order mark', oneTopic({ match: '\ufeffa' })],
    ['a match that is not Unicode', oneTopic({ match: 'a\ud800' })],
    ['a match of 4,097 bytes', oneTopic({ match: `${'é'.repeat(2_048)}x` })],
    ['a match type that is unknown', oneTopic({ match: 'a', match_type: 'regexp' })],
    ['a match type in other letter case', oneTopic({ match: 'a', match_type: 'Exact' })],
    ['a match type of 0.x', oneTopic({ match: 'a', match_type: 'uritemplate' })],
    ['a match type that is null', oneTopic({ match: 'a', match_type: null })],
    ['a match type that is unknown, with *', oneTopic({ match: '*', match_type: 'any' })],
    ['a URL pattern that is malformed', oneTopic({ match: 'https://example.com/[(', match_type: 'urlpattern' })],
    ['a payload that is a string', [detail({ payload: 'x' })]],
    ['a payload that is a list', [detail({ payload: [] })]],
    ['a payload that is null', [detail({ payload: null })]],
    ['101 details', Array.from({ length: 101 }, () => detail({ topics: [] }))],
    ['101 topics in one', [detail(match(...Array.from({ length: 101 }, () => 'a')))]],
    [
      '101 topics in all',
      [detail(match(...Array.from({ length: 51 }, () => 'a'))), detail(match(...Array.from({ length: 50 }, () => 'b')))]
    ],
    ['one valid and one invalid detail', [detail(), detail({ topics: [] })]]
  ])('%s makes the token invalid', (_, authorization_details) => {
    expect(() => readGrants({ authorization_details }, '1.0', hub, forever)).toThrow(TokenError)
  })

  it('a subscription has the payload of the first detail that covers it', () => {
    const grants = newer(
      detail({ actions: ['publish'], payload: { not: 'this' } }),
      detail({ actions: ['subscribe'], payload: { for: 'a' }, ...match('a', 'b/{id}') }),
      detail({ actions: ['subscribe'], ...match('silent') }),
      detail({ payload: { for: 'all' } })
    )
    const payloads = ['a', 'b/{id}', 'silent', 'other'].map((selector) => grants.payloadFor(selector))
    expect(payloads).toEqual([{ for: 'a' }, { for: 'a' }, undefined, { for: 'all' }])
  })

  it('a subscription that no detail covers has no payload', () => {
    expect(newer(detail({ payload: { for: 'a' }, ...match('a') })).payloadFor('b')).toBeUndefined()
  })

  const pattern = (text: string) => ({ topics: [{ match: text, match_type: 'urlpattern' }] })

  it('a URL pattern covers the topics that match it; relative ones resolve against the hub', () => {
    const grants = newer(detail(pattern('https://example.com/books/:id')), detail(pattern('/here/:id')))
    const topics = [
      'https://example.com/books/1',
      'https://hub.example/here/1',
      '/here/2',
      'https://example.com/books/1/2'
    ]
    expect(topics.map((topic) => grants.mayRead(topic))).toEqual([true, true, true, false])
  })

  it('a subscription to a URL pattern has the payload of the detail with this exact pattern', () => {
    const grants = newer(detail({ payload: { for: 'books' }, ...pattern('https://example.com/:id') }))
    const selectors = ['https://example.com/:id', 'https://example.com/1', 'https://other.example/:id']
    expect(selectors.map((selector) => grants.payloadFor(selector))).toEqual([
      { for: 'books' },
      { for: 'books' },
      undefined
    ])
  })
})

it('the subject is the sub claim', () => {
  const subjects = ['someone', '', 1, undefined].map((sub) => readGrants({ sub }, '1.0', hub, forever).subject)
  expect(subjects).toEqual(['someone', undefined, undefined, undefined])
})

it('without a token nothing is granted', () => {
  const grants = Grants.anonymous()
  expect([grants.mayPublish(['a']), grants.mayRead('a'), grants.isPublisher, grants.until]).toEqual([
    false,
    false,
    false,
    forever
  ])
})

it('without keys, everyone may publish, and no one may read private updates', () => {
  const grants = Grants.open('0.x')
  expect([grants.mayPublish(['a']), grants.mayRead('a'), grants.isPublisher, grants.dialect]).toEqual([
    true,
    false,
    true,
    '0.x'
  ])
})
