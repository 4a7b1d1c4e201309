import { describe, expect, it } from 'vitest'
import { runInWorker } from '../support/run-in-worker.ts'

describe('a hostile pattern is rejected, or matches within half a second', () => {
  // A backtracking engine would need hours for many of these.
  const path = (text: string) => `https://e.com/${text}`
  it.each(
    Object.entries({
      'nested repetition': path('((?:a+)+)b'),
      'nested repetition in an ambiguous one': path('((?:(?:a*)*)*.*)*b'),
      'one in the protocol': '((?:(?:h|t|p|s)*)*)x://e.com/',
      'empty repetitions in the protocol': '((?:(?:(?:.?){1000}){1000}){1000})x://e.com/',
      'groups in the protocol': `${'(.*)'.repeat(60)}x://e.com/`,
      'groups in the protocol after stray braces': `{{}${'(.*)'.repeat(60)}x://e.com/`,
      'many wildcards': path(`${'(.*)'.repeat(30)}b`),
      'wildcards that must stop': path(`${'*a'.repeat(15)}b`),
      'many names': path(`${Array.from({ length: 30 }, (_, index) => `:a${index}`).join('')}b`),
      'many repeated names': path(`${Array.from({ length: 15 }, (_, index) => `{:a${index}}*`).join('')}b`),
      'many groups': path(`${'{*}'.repeat(1_300)}b`),
      'many states': path('(.*a.{20})b'),
      'as many as may be': path('(.*a.{55})b'),
      'counted repetition': path('((?:(?:a{1000}){1000}){1000})'),
      'counted repetition of nothing': path('((?:(?:(?:){1000}){1000}){1000})b'),
      'counted repetition of something': path('((?:(?:a?){15}){15})b'),
      'deep nesting': path(`(${'(?:'.repeat(600)}a${')*'.repeat(600)})b`),
      'many alternatives': path(`((?:${'a|'.repeat(1_000)}aa)*)b`),
      'many sets': path(`(${'[ac]?'.repeat(500)})b`),
      'a long set': path(`([${'a-y'.repeat(1_000)}]*a.*)b`),
      'long text after a wildcard': path(`*${'a'.repeat(4_000)}`),
      'long text between wildcards': path(`*${'a'.repeat(3_000)}*b`),
      colons: ':'.repeat(4_096),
      parentheses: '(a'.repeat(2_048),
      braces: '{'.repeat(4_096),
      backslashes: '\\'.repeat(4_096),
      'more than may be': path('a'.repeat(100_000))
    })
  )('%s', async (_, pattern) => {
    const module = new URL('../../dist/topics/url-pattern/pattern.js', import.meta.url).href
    const topics = ['a', 'ab', 'ba', 'aab', '"a', '/a'].map((text) => path(`${text.repeat(4_096 / text.length)}!`))
    const took = await runInWorker<number[]>(timed, { module, pattern, topics }, 30_000)
    expect(Math.max(...took)).toBeLessThan(500)
  })
})

/** The time of one topic includes a compilation. If it is long, it is the shortest of three, in which other processes took the least part. */
const timed = `
  const { compileUrlPattern } = await import(input.module)
  const time = (topic) => {
    const begin = performance.now()
    compileUrlPattern(input.pattern, 'https://hub.example.net/')?.matches(topic)
    return performance.now() - begin
  }
  answer = input.topics.map((topic) => {
    const first = time(topic)
    return first < 250 ? first : Math.min(first, time(topic), time(topic))
  })`
