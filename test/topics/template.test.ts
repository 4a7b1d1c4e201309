import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compile, Selection } from '../../dist/topics/matcher.js'

const covers = (selector: string, topic: string) => compile(selector).matches(topic)

describe('a template covers its expansions', () => {
  it.each([
    // [RFC 6570, 3.2] by operator
    [
      'https://example.com/books/{id}',
      ['https://example.com/books/1', 'https://example.com/books/', 'https://example.com/books/a%20b']
    ],
    ['{a},{b}', ['1,2', ',', '1,2,3']],
    ['{+path}/here', ['/foo/bar/here', '/here', 'a?b#c/here']],
    ['X{#hash}', ['X', 'X#', 'X#/a?b']],
    ['X{.ext}', ['X', 'X.', 'X.tar.gz']],
    ['{/a,b}', ['', '/1', '/1/2', '/']],
    ['X{;x,y}', ['X', 'X;x', 'X;x=1', 'X;x=1;y=2', 'X;y=2']],
    ['X{?x,y}', ['X', 'X?x=1', 'X?x=1&y=2', 'X?y=', 'X?y=2']],
    ['X?fixed=yes{&x}', ['X?fixed=yes', 'X?fixed=yes&x=1024']],
    ['chat/{room}', ['chat/café', 'chat/日本', 'chat/{room}']]
  ])('%s', (template, topics) => {
    expect(topics.filter((topic) => !covers(template, topic))).toEqual([])
  })
})

describe('a template does not cover other topics', () => {
  it.each([
    [
      'https://example.com/books/{id}',
      [
        'https://example.com/books/1/2',
        'https://example.com/books',
        'xhttps://example.com/books/1',
        'https://example.com/books/a?b',
        'https://example.com/books/%zz'
      ]
    ],
    ['{a}', ['a/b', 'a b', 'a#']],
    ['{/a,b}', ['1', '/1/2/3', '1/2']],
    ['X{?x,y}', ['X?z=1', 'X?x', 'X&x=1', 'X?y=1&x=2']],
    ['X{;x}', ['X;', 'X;z', 'X;xx']]
  ])('%s', (template, topics) => {
    expect(topics.filter((topic) => covers(template, topic))).toEqual([])
  })
})

describe('a malformed template covers only its own text', () => {
  const tooMany = `{${Array.from({ length: 33 }, (_, number) => `a${number}`)}}`
  it.each(['faulty{iri', '{}', '{a', 'a}', '{a}}', '{a*}', '{a:3}', '{=a}', '{a,}', '{ a}', '{{a}}', tooMany])(
    '%s',
    (text) => {
      expect(covers(text, text)).toBe(true)
      expect(covers(text, text.replace('a', 'x'))).toBe(text.replace('a', 'x') === text)
    }
  )
})

it('covers exactly the expansions of simple variables, with any surrounding text', async () => {
  const value = fc.string({ unit: fc.constantFrom(...'abz019-._~') })
  const literal = fc.string({ unit: fc.constantFrom(...'abc/:?=&#%$') })
  await fc.assert(
    fc.property(fc.array(fc.tuple(literal, value), { minLength: 1, maxLength: 6 }), literal, (parts, end) => {
      const template = parts.map(([text], index) => `${text}{v${index}}`).join('') + end
      const topic = parts.map(([text, of]) => text + of).join('') + end
      expect(covers(template, topic)).toBe(true)
      expect(covers(template, `${topic}\n`)).toBe(false)
    })
  )
})

it('runs in time linear in the topic length', () => {
  // The slash makes each split fail; a backtracking matcher would need exponential time.
  expect(covers(`${'{a}{b}'.repeat(15)}!`, `${'a'.repeat(4_000)}/!`)).toBe(false)
})

describe('Selection', () => {
  it('is equal for equal selectors in any order', () => {
    expect(new Selection(['b', 'a', 'b']).selectors).toEqual(new Selection(['a', 'b']).selectors)
  })

  it('covers a topic if any of its selectors covers it', () => {
    const selection = new Selection(['a', 'b/{id}'])
    expect(['a', 'b/1', 'c', 'b/1/2'].filter((topic) => selection.covers(topic))).toEqual(['a', 'b/1'])
    expect(new Selection(['*']).covers('anything')).toBe(true)
    expect(new Selection([]).covers('anything')).toBe(false)
  })
})
