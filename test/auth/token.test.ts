import { describe, expect, it } from 'vitest'
import type { Dialect } from '../../dist/auth/dialect.js'
import { defaultCookieNames, findPublisherToken, findToken, type TokenSources } from '../../dist/auth/token.js'
import { legacy, modern } from '../support/auth/tokens.ts'

const nothing: TokenSources = { authorization: [], cookies: undefined, query: [] }
const sourcesWith = (sources: Partial<TokenSources>): TokenSources => ({ ...nothing, ...sources })
const names = defaultCookieNames
const token = 'abcdefgh.'.repeat(5)
const shortest = 'x'.repeat(41)
const tooShort = 'x'.repeat(40)

const find = (sources: Partial<TokenSources>, dialect: Dialect) => findToken(sourcesWith(sources), dialect, names)

describe('in 0.x the token is found', () => {
  it.each<[string, Partial<TokenSources>, string, string]>([
    ['in the header', { authorization: [`Bearer ${token}`] }, token, 'header'],
    ['in the header at the minimum length', { authorization: [`Bearer ${shortest}`] }, shortest, 'header'],
    ['in the parameter', { query: [token] }, token, 'query'],
    ['in the cookie', { cookies: `a=b; mercureAuthorization=${token}; c=d` }, token, 'cookie'],
    ['in the cookie, with any length', { cookies: 'mercureAuthorization=x' }, 'x', 'cookie'],
    [
      'in the header, which takes precedence',
      { authorization: [`Bearer ${token}`], query: ['q'], cookies: 'c' },
      token,
      'header'
    ],
    [
      'in the parameter, which precedes the cookie',
      { query: [token], cookies: 'mercureAuthorization=x' },
      token,
      'query'
    ]
  ])('%s', (_, sources, expected, by) => {
    expect(find(sources, '0.x')).toEqual({ kind: 'token', token: expected, by })
  })
})

describe('in 0.x a token source is malformed', () => {
  it.each<[string, Partial<TokenSources>, string]>([
    ['when there are two headers', { authorization: [`Bearer ${token}`, `Bearer ${token}`] }, 'header'],
    ['when its token is too short', { authorization: [`Bearer ${tooShort}`] }, 'header'],
    ['when it has another scheme', { authorization: [`Greater ${token}`] }, 'header'],
    ['when its scheme is in lower case', { authorization: [`bearer ${token}`] }, 'header'],
    ['when a header is empty', { authorization: [''] }, 'header'],
    [
      'even if the other sources are valid',
      { authorization: ['Bearer x'], query: [token], cookies: 'mercureAuthorization=x' },
      'header'
    ],
    ['when there are two parameters', { query: [token, token] }, 'query'],
    ['when the parameter is too short', { query: [tooShort] }, 'query'],
    ['when the parameter is empty', { query: [''], cookies: `mercureAuthorization=${token}` }, 'query']
  ])('%s', (_, sources, by) => {
    expect(find(sources, '0.x')).toMatchObject({ kind: 'malformed', by })
  })
})

describe('in 1.0 the token is found', () => {
  it.each<[string, Partial<TokenSources>, string, string]>([
    ['in the header', { authorization: [`Bearer ${token}`] }, token, 'header'],
    ['when the scheme is in lower case', { authorization: [`bearer ${token}`] }, token, 'header'],
    ['when the scheme is in upper case', { authorization: [`BEARER ${token}`] }, token, 'header'],
    ['after several spaces', { authorization: [`Bearer   ${token}`] }, token, 'header'],
    ['with any length', { authorization: ['Bearer x=='] }, 'x==', 'header'],
    ['in the cookie', { cookies: `__Secure-mercure_access_token=${token}` }, token, 'cookie'],
    [
      'in the header, which precedes the cookie',
      { authorization: ['Bearer x'], cookies: `${names.modern}=y` },
      'x',
      'header'
    ],
    ['in the cookie, regardless of the query', { query: [token], cookies: `${names.modern}=y` }, 'y', 'cookie']
  ])('%s', (_, sources, expected, by) => {
    expect(find(sources, '1.0')).toEqual({ kind: 'token', token: expected, by })
  })
})

describe('in 1.0 the header is malformed', () => {
  it.each([
    ['when there are two', ['Bearer x', 'Bearer x']],
    ['when it has another scheme', ['Basic dTpw']],
    ['when it has no token', ['Bearer ']],
    ['when it has no space', ['Bearerx']],
    ['when it has a tab for a space', ['Bearer\tx']],
    ['when it has two tokens', ['Bearer x y']],
    ['when its token has invalid characters', ['Bearer x"y']],
    ['when it is empty', ['']]
  ])('%s', (_, authorization) => {
    const sources = { authorization, cookies: `${names.modern}=${token}` }
    expect(find(sources, '1.0')).toMatchObject({ kind: 'malformed', by: 'header' })
  })
})

it.each<[string, Partial<TokenSources>, Dialect]>([
  ['the query', { query: [token] }, '1.0'],
  ['the cookie of 0.x', { cookies: `mercureAuthorization=${token}` }, '1.0'],
  ['the cookie of 1.0', { cookies: `__Secure-mercure_access_token=${token}` }, '0.x'],
  ['a cookie whose name only ends with it', { cookies: `xmercureAuthorization=${token}` }, '0.x'],
  ['a cookie whose name only starts with it', { cookies: `mercureAuthorizationx=${token}` }, '0.x'],
  ['a cookie in other letter case', { cookies: `MercureAuthorization=${token}` }, '0.x'],
  ['a cookie without a value', { cookies: 'mercureAuthorization' }, '0.x'],
  ['a cookie within a value', { cookies: `a="b, mercureAuthorization=${token}"` }, '0.x'],
  ['no cookies', { cookies: ';;; ;' }, '0.x']
])('ignores the token in %s', (_, sources, dialect) => {
  expect(find(sources, dialect)).toEqual({ kind: 'none' })
})

it.each([
  ['the first of the name wins', 'mercureAuthorization=first; mercureAuthorization=second', 'first'],
  ['quotes are removed', 'mercureAuthorization="quoted"', 'quoted'],
  ['an unpaired quote is kept', 'mercureAuthorization="half', '"half'],
  ['it may hold equals signs', 'mercureAuthorization=a=b==', 'a=b=='],
  ['it may be empty', 'mercureAuthorization=', ''],
  ['spaces around pairs do not matter', ' \ta=b ;mercureAuthorization=x ;c', 'x']
])('parses a cookie: %s', (_, cookies, expected) => {
  expect(find({ cookies }, '0.x')).toMatchObject({ token: expected })
})

it('parses a megabyte of cookies in linear time', () => {
  const cookies = '=;"'.repeat(350_000)
  const began = process.cpuUsage()
  expect(find({ cookies }, '0.x')).toEqual({ kind: 'none' })
  expect(process.cpuUsage(began).user).toBeLessThan(1_000_000)
})

it('a configured cookie name serves both dialects', () => {
  const own = { modern: 'token', legacy: 'token' }
  for (const dialect of ['1.0', '0.x'] as const) {
    expect(findToken(sourcesWith({ cookies: 'token=x' }), dialect, own)).toMatchObject({ token: 'x' })
  }
})

describe('for publishing, with both dialects enabled', async () => {
  const newer = await modern()
  const older = await legacy()
  const mixedCase = await modern({}, { header: { typ: 'Application/AT+JWT' } })
  const modernCookie = `${names.modern}=${newer}`
  const legacyCookie = `${names.legacy}=${older}`

  it.each<[string, Partial<TokenSources>, string, string, Dialect]>([
    ['1.0 in the header', { authorization: [`bearer ${newer}`] }, newer, 'header', '1.0'],
    ['a mixed-case type in the header', { authorization: [`Bearer ${mixedCase}`] }, mixedCase, 'header', '1.0'],
    ['0.x in the header', { authorization: [`Bearer ${older}`] }, older, 'header', '0.x'],
    ['an unreadable token in the header', { authorization: ['Bearer x'] }, 'x', 'header', '1.0'],
    ['0.x in the query', { query: [older], cookies: modernCookie }, older, 'query', '0.x'],
    ['an unreadable token in the query', { query: [shortest] }, shortest, 'query', '0.x'],
    ['the cookie of 1.0 before that of 0.x', { cookies: `${legacyCookie}; ${modernCookie}` }, newer, 'cookie', '1.0'],
    ['the cookie of 0.x', { cookies: legacyCookie }, older, 'cookie', '0.x'],
    ['an unreadable token in the cookie of 1.0', { cookies: `${names.modern}=x` }, 'x', 'cookie', '1.0'],
    ['an unreadable token in the cookie of 0.x', { cookies: `${names.legacy}=x` }, 'x', 'cookie', '0.x'],
    ['the cookie when the query holds 1.0', { query: [newer], cookies: legacyCookie }, older, 'cookie', '0.x'],
    [
      'the header, which takes precedence',
      { authorization: [`Bearer ${newer}`], query: [older], cookies: legacyCookie },
      newer,
      'header',
      '1.0'
    ]
  ])('finds %s', (_, sources, expected, by, dialect) => {
    expect(findPublisherToken(sourcesWith(sources), names, ['1.0', '0.x'])).toEqual({
      kind: 'token',
      token: expected,
      by,
      dialect
    })
  })

  it.each<[string, Partial<TokenSources>]>([
    ['nothing', {}],
    ['1.0 in the query', { query: [newer] }],
    ['1.0 in the cookie of 0.x', { cookies: `${names.legacy}=${newer}` }],
    ['0.x in the cookie of 1.0', { cookies: `${names.modern}=${older}` }]
  ])('finds no token in %s', (_, sources) => {
    expect(findPublisherToken(sourcesWith(sources), names, ['0.x', '1.0'])).toEqual({ kind: 'none', dialect: '1.0' })
  })

  it.each<[string, Partial<TokenSources>, Dialect]>([
    ['0.x after a scheme in lower case', { authorization: [`bearer ${older}`] }, '0.x'],
    ['0.x after two spaces', { authorization: [`BEARER  ${older}`] }, '0.x'],
    ['two headers', { authorization: [`Bearer ${older}`, `Bearer ${older}`] }, '1.0'],
    ['another scheme', { authorization: ['Basic dTpw'], cookies: modernCookie }, '1.0'],
    ['two parameters', { query: [older, older] }, '0.x'],
    ['an empty parameter', { query: [''], cookies: modernCookie }, '0.x']
  ])('reports %s as malformed', (_, sources, dialect) => {
    expect(findPublisherToken(sourcesWith(sources), names, ['1.0', '0.x'])).toMatchObject({
      kind: 'malformed',
      dialect
    })
  })

  it('finds both in the one configured cookie', () => {
    const own = { modern: 'token', legacy: 'token' }
    const found = [newer, older].map((one) =>
      findPublisherToken(sourcesWith({ cookies: `token=${one}` }), own, ['1.0', '0.x'])
    )
    expect(found).toMatchObject([{ dialect: '1.0' }, { dialect: '0.x' }])
  })

  it('treats every token as 0.x if only 0.x is enabled', () => {
    const found = findPublisherToken(sourcesWith({ query: [newer] }), names, ['0.x'])
    expect(found).toEqual({ kind: 'token', token: newer, by: 'query', dialect: '0.x' })
    expect(findPublisherToken(sourcesWith({ cookies: modernCookie }), names, ['0.x'])).toEqual({
      kind: 'none',
      dialect: '0.x'
    })
  })

  it('ignores the token sources of 0.x if only 1.0 is enabled', () => {
    const sources = sourcesWith({ query: [older], cookies: legacyCookie })
    expect(findPublisherToken(sources, names, ['1.0'])).toEqual({ kind: 'none', dialect: '1.0' })
    const header = sourcesWith({ authorization: [`Bearer ${older}`] })
    expect(findPublisherToken(header, names, ['1.0'])).toMatchObject({ kind: 'token', dialect: '1.0' })
  })
})
