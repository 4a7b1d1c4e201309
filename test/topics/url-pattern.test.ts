import * as fc from 'fast-check'
// The reference is used only for harmless patterns and short topics, because it backtracks.
import { URLPattern } from 'urlpattern-polyfill/urlpattern'
import { describe, expect, it } from 'vitest'
import { compileUrlPattern } from '../../dist/topics/url-pattern/pattern.js'

const hub = 'https://hub.example.net/.well-known/mercure'
const subscription = '/.well-known/mercure/subscriptions/exact/:match/:subscriber'

/** Undefined if the pattern is rejected. */
const covers = (pattern: string, topic: string, base = hub) => compileUrlPattern(pattern, base)?.matches(topic)

const rows: [pattern: string, topic: string, expected: boolean, base?: string][] = [
  // Segments
  ['https://example.com/books/:id', 'https://example.com/books/1', true],
  ['https://example.com/books/:id', 'https://example.com/books/1/2', false],
  ['https://example.com/books/:id', 'https://example.com/books/', false],
  ['https://example.com/books/:id', 'https://example.com/books', false],
  ['https://example.com/books/:id', 'http://example.com/books/1', false],
  ['https://example.com/books/:id', 'https://example.com/books/1?page=2#top', true],
  ['https://example.com/:a/:b', 'https://example.com/1/2', true],
  ['https://example.com/:a-:b.json', 'https://example.com/1-2.json', true],
  ['https://example.com/:a-:b.json', 'https://example.com/12.json', false],
  ['https://example.com/books', 'https://example.com/books', true],
  ['https://example.com/books', 'https://example.com/books/', false],
  // Wildcards
  ['https://example.com/*', 'https://example.com/', true],
  ['https://example.com/*', 'https://example.com/a/b', true],
  ['https://example.com/a*z', 'https://example.com/a/b/z', true],
  ['https://example.com/a*z', 'https://example.com/a/b', false],
  ['https://example.com/ab*bc', 'https://example.com/abc', false],
  ['https://*/a', 'https://a.b.c/a', true],
  ['*://example.com/a', 'ftp://example.com/a', true],
  // Modifiers
  ['https://example.com/books/:id?', 'https://example.com/books', true],
  ['https://example.com/books/:id?', 'https://example.com/books/1', true],
  ['https://example.com/books/:id?', 'https://example.com/books/', false],
  ['https://example.com/books/:id+', 'https://example.com/books/1/2/3', true],
  ['https://example.com/books/:id+', 'https://example.com/books', false],
  ['https://example.com/books/:id+', 'https://example.com/books/1//2', false],
  ['https://example.com/books/:id*', 'https://example.com/books', true],
  ['https://example.com/books/:id*', 'https://example.com/books/1/2', true],
  ['https://example.com/:id.html?', 'https://example.com/1.html', true, ''],
  // Groups
  ['https://example.com/book{s}?/1', 'https://example.com/book/1', true],
  ['https://example.com/book{s}?/1', 'https://example.com/books/1', true],
  ['https://example.com/book{s}?/1', 'https://example.com/bookss/1', false],
  ['https://example.com/{a/}+b', 'https://example.com/a/a/b', true],
  ['https://example.com/{a/}+b', 'https://example.com/b', false],
  ['https://example.com/x{-:part}*', 'https://example.com/x', true],
  ['https://example.com/x{-:part}*', 'https://example.com/x-1-2', true],
  ['https://example.com/x{-:part}*', 'https://example.com/x-', false],
  ['http{s}?://example.com/a', 'http://example.com/a', true],
  // Regular expressions
  ['https://example.com/(\\d+)', 'https://example.com/12', true],
  ['https://example.com/(\\d+)', 'https://example.com/a', false],
  ['https://example.com/:id(\\d{2,3})', 'https://example.com/1', false],
  ['https://example.com/:id(\\d{2,3})', 'https://example.com/123', true],
  ['https://example.com/:id(\\d{2,3})', 'https://example.com/1234', false],
  ['https://example.com/(a|b(?:c|d)*)', 'https://example.com/bcdc', true],
  ['https://example.com/([^/]+?)/x', 'https://example.com/a/x', true],
  ['https://example.com/(\\u{61}\\x62[\\w.-]+)', 'https://example.com/ab.c-d', true],
  ['https://example.com/(x|\\bfoo\\b)-bar', 'https://example.com/foo-bar', true],
  ['https://example.com/a(^b)', 'https://example.com/ab', false],
  ['(https?)://example.com/:id', 'http://example.com/1', true],
  ['(https?)://example.com/:id', 'https://example.com/1/2', false],
  ['HTTP(s?)://example.com/:id', 'https://example.com/1', true],
  // Hosts and ports
  ['https://EXAMPLE.com/a', 'https://example.COM/a', true],
  ['https://*.example.com/a', 'https://a.b.example.com/a', true],
  ['https://*.example.com/a', 'https://example.com/a', false],
  ['https://:sub.example.com/a', 'https://a.example.com/a', true],
  ['https://:sub.example.com/a', 'https://a.b.example.com/a', false],
  ['https://{:sub.}?example.com/a', 'https://example.com/a', true],
  ['https://bücher.example/a', 'https://xn--bcher-kva.example/a', true],
  ['https://[\\:\\:1]/a', 'https://[::1]/a', true],
  ['https://example.com:443/a', 'https://example.com/a', true],
  ['https://example.com/a', 'https://example.com:8443/a', false],
  ['https://example.com:*/a', 'https://example.com:8443/a', true],
  ['https://example.com:(8\\d{3})/a', 'https://example.com:8443/a', true],
  ['https://example.com/a', 'https://user:secret@example.com/a', true],
  ['https://user:*@example.com/a', 'https://other:secret@example.com/a', false],
  // Case, queries and fragments
  ['https://example.com/Books', 'https://example.com/books', false],
  ['https://example.com/a?Q=1', 'https://example.com/a?q=1', false],
  ['https://example.com/a\\?q=:q', 'https://example.com/a?q=1', true],
  ['https://example.com/a\\?q=:q', 'https://example.com/a', false],
  ['https://example.com/a?q=*', 'https://example.com/a?q=1&r=2', true],
  ['https://example.com/a#*', 'https://example.com/a#b', true],
  ['https://example.com/a#b', 'https://example.com/a', false],
  // Equivalent spellings are equal
  ['https://example.com/caf\u00e9/:id', 'https://example.com/caf%C3%A9/1', true],
  ['https://example.com/caf%C3%A9/:id', 'https://example.com/caf\u00e9/1', true],
  ['https://example.com/a%20b', 'https://example.com/a b', true],
  ['https://example.com/%41', 'https://example.com/A', false],
  ['https://example.com/a/../b', 'https://example.com/b', true],
  ['https://example.com/b', 'https://example.com/a/../b', true],
  // Relative patterns and topics are resolved against the base
  ['/books/:id', 'https://hub.example.net/books/1', true],
  ['/books/:id', '/books/1', true],
  ['/books/:id', 'https://example.com/books/1', false],
  ['books/:id', '/.well-known/books/1', true],
  ['books/:id', 'books/1', true],
  ['books/:id', '/books/1', false],
  ['https://hub.example.net/.well-known/:id', 'x', true],
  ['?q=*', '?q=1', true],
  ['?q=*', '/other?q=1', false],
  ['#a', '#a', true],
  [subscription, '/.well-known/mercure/subscriptions/exact/https%3A%2F%2Fexample.com%2Fbooks%2F1/urn%3Auuid%3A1', true],
  [subscription, '/.well-known/mercure/subscriptions/exact/https%3A%2F%2Fexample.com/a/b', false],
  [subscription, '/.well-known/mercure/subscriptions/urlpattern/a/b', false],
  // Invalid URLs
  ['https://example.com/*', 'not a url', false, ''],
  ['https://example.com/*', 'https://', false],
  ['https://example.com/*', 'https://exa mple.com/', false],
  ['https://example.com/*', '/a', false, ''],
  // Schemes without a hierarchy have no segments
  ['urn\\:book\\::id', 'urn:book:1', true, ''],
  ['urn\\:book\\::id', 'urn:book:1/2', true, ''],
  ['urn\\:book\\::id', 'urn:film:1', false, ''],
  ['urn\\:book\\:*', 'URN:book:', true, ''],
  ['(urn|tag):1', 'tag:1', true, ''],
  // [URLPattern, process a URLPatternInit] A path without a slash is resolved against the base, even after a scheme.
  ['urn\\:book\\:1', 'urn:book:1', false],
  ['urn\\:/book/:id', 'urn:/book/1', true]
]

it.each(rows)('%s on %s: %s', (pattern, topic, expected, base) => {
  expect(covers(pattern, topic, base)).toBe(expected)
})

it('agrees with the reference on each row', () => {
  const other = rows.filter(([pattern, topic, expected, base = hub]) => reference(pattern, topic, base) !== expected)
  expect(other).toEqual([])
})

function reference(pattern: string, topic: string, base: string): boolean {
  const made = new URLPattern(pattern, base || undefined)
  return base === '' ? made.test(topic) : made.test(topic, base)
}

describe('follows the standard where the reference deviates from it', () => {
  it.each([
    ['an empty first segment is part of the path', 'https://example.com//a/:id', 'https://example.com//a/1', true],
    [
      'an empty first segment after a regular expression is part of the path',
      '(https?)://example.com//\\:id',
      'https://example.com//:id',
      true
    ],
    ['a fragment may start with its delimiter', 'https://example.com/a#', 'https://example.com/a##', false],
    ['each special scheme has its default port', 'wss://example.com:443/a', 'wss://example.com/a', true],
    ['an invalid host does not match another host', 'https://1.2.3.999/a', 'https://example.com/a', undefined]
  ])('%s', (_, pattern, topic, expected) => {
    expect(covers(pattern, topic)).toBe(expected)
  })
})

describe('rejects malformed patterns', () => {
  it.each([
    ['https://example.com/{a', hub],
    ['https://example.com/a}', hub],
    ['https://example.com/(', hub],
    ['https://example.com/()', hub],
    ['https://example.com/(a', hub],
    ['https://example.com/(?:a)', hub],
    ['https://example.com/((a))', hub],
    ['https://example.com/([a)', hub],
    ['https://example.com/(a**)', hub],
    ['https://example.com/(a{2,1})', hub],
    ['https://example.com/([b-a])', hub],
    ['https://example.com/(\u00e9)', hub],
    ['https://example.com/:a/:a', hub],
    ['https://example.com:99999/', hub],
    ['https://exa%mple.com/', hub],
    ['https://example.com/+', hub],
    ['/relative', ''],
    ['/relative', 'no base'],
    ['', '']
  ])('%s', (pattern, base) => {
    expect(compileUrlPattern(pattern, base)).toBeUndefined()
    expect(() => new URLPattern(pattern, base || undefined)).toThrow()
  })
})

describe('rejects patterns without linear-time matching, or with ambiguous meaning', () => {
  it.each(['(?=a)a', 'a(?!b)', '(?<=a)b', '(?<!a)b', '(?<n>a)\\k<n>', '\\1', '\\p{L}', '[a&&b]', '[[]'])(
    '%s',
    (regexp) => {
      expect(compileUrlPattern(`https://example.com/(x${regexp})`, hub)).toBeUndefined()
    }
  )
})

/** Deviations of the reference from the standard: it drops an empty first segment, and a duplicate delimiter. */
const departs = /\/\/b|\?\?|##/
/** It also drops such text from a pattern, and so do we: a second `#`; `//` and spaces in a path without segments. */
const departsIn = /#.*#|^x:.*([^:]\/\/| )/

it('agrees with the reference on random patterns and topics', async () => {
  const of = (...texts: string[]) => fc.constantFrom(...texts)
  const starts = [
    '',
    '/',
    '/a/',
    'https://e.com/',
    'http{s}?://e.com/',
    '(https?)://e.com/',
    'https://*.e.com/',
    'x://h/'
  ]
  const tokens = ['a', 'b', '/', '.', '-', 'é', '%41', ':x', ':y', '*', '(a+)', '([^/]b)', '(a|b{2})', '{a}?', '{/:z}?']
  const more = ['{/b}*', '{:w-}+', '?', '#', '\\:', '+', '(\\w)', '(^a)', '(b\\b)', '{', '}', ':', ' ']
  const pattern = fc.tuple(of(...starts), fc.array(of(...tokens, ...more), { maxLength: 6 }))
  const topicStart = of('', '/', '/a/', 'https://e.com/', 'http://e.com/', 'https://a.e.com/', 'x://h/', 'x:')
  const topic = fc.tuple(
    topicStart,
    fc.array(of('a', 'b', '/b', '.', '-', 'é', '%41', 'w-', '?', '#'), { maxLength: 6 })
  )
  await fc.assert(
    fc.property(pattern, fc.array(topic, { minLength: 1, maxLength: 20 }), ([start, rest], topics) => {
      // A colon would turn the text before it into a protocol, in which fewer groups are allowed.
      const text = start + rest.filter((token) => start.includes(':') || !token.endsWith(':')).join('')
      fc.pre(!departsIn.test(text))
      const made = attempt(() => new URLPattern(text, 'https://e.com/a/b'))
      const ours = compileUrlPattern(text, 'https://e.com/a/b')
      expect(ours === undefined).toBe(made === undefined)
      for (const [begin, end] of topics) {
        const one = begin + end.join('')
        if (!departs.test(one)) expect([one, ours?.matches(one)]).toEqual([one, made?.test(one, 'https://e.com/a/b')])
      }
    }),
    { numRuns: 2_000 }
  )
})

function attempt<Result>(make: () => Result): Result | undefined {
  try {
    return make()
  } catch {
    return undefined
  }
}

describe('the cost of a pattern', () => {
  it.each(['https://example.com/:id', 'https://example.com/books', '/a/:b/:c', '/:id([0-9a-f]{8}-[0-9a-f]{4})', '*'])(
    'equals that of one variable if there is one way to continue: %s',
    (pattern) => {
      expect(compileUrlPattern(pattern, hub)?.cost).toBe(1)
    }
  )

  it('grows with the number of alternatives', () => {
    const costs = [1, 2, 4, 8].map((count) => compileUrlPattern(`/*${'a*'.repeat(count)}`, hub)?.cost ?? Number.NaN)
    expect(costs).toEqual([...costs].sort((a, b) => a - b))
    expect(new Set(costs).size).toBe(4)
  })

  it('is at most that of the most expensive template', () => {
    expect(compileUrlPattern(`/${'*a'.repeat(12)}`, hub)?.cost).toBeLessThanOrEqual(32)
    expect(compileUrlPattern(`/${'*a'.repeat(60)}`, hub)).toBeUndefined()
  })
})
