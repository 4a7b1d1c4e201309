// JSON objects from untrusted text.
import { expect, it } from 'vitest'
import { isObject, parseObject } from '../dist/json.js'

it('reads an object', () => {
  expect(parseObject(' {"a":[1]} ', 'it')).toEqual({ a: [1] })
})

it.each(['', '{', "{'a':1}", 'secret'])('refuses %j, and does not quote it', (text) => {
  expect(() => parseObject(text, 'the answer')).toThrow(/^the answer is not JSON$/)
})

it.each(['null', '[]', '"secret"', '1', 'true'])('refuses %s, which is no object', (text) => {
  expect(() => parseObject(text, 'the answer')).toThrow(/^the answer is not a JSON object$/)
})

it('neither null nor an array is an object', () => {
  expect([null, [], 'a', 1, undefined, {}].map(isObject)).toEqual([false, false, false, false, false, true])
})
