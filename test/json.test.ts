// JSON objects from untrusted text.
import { expect, it } from 'vitest'
import { isObject, parseObject } from '../dist/json.js'

it('parses an object', () => {
  expect(parseObject(' {"a":[1]} ', 'it')).toEqual({ a: [1] })
})

it.each(['', '{', "{'a':1}", 'secret'])('rejects %j, and does not quote it', (text) => {
  expect(() => parseObject(text, 'the answer')).toThrow(/^the answer is not JSON$/)
})

it.each(['null', '[]', '"secret"', '1', 'true'])('rejects %s, which is not an object', (text) => {
  expect(() => parseObject(text, 'the answer')).toThrow(/^the answer is not a JSON object$/)
})

it('neither null nor an array is an object', () => {
  expect([null, [], 'a', 1, undefined, {}].map(isObject)).toEqual([false, false, false, false, false, true])
})
