// Option errors: each names its option as the reader typed it.
import { expect, it } from 'vitest'
import { withOptionName } from '../dist/errors.js'
import { createHandler, createHub, LmdbLog, MemoryLog, OptionError, RedisLog } from '../dist/index.js'

const flag = (name: string) => `--${name}`

it('names every option as the reader typed it', () => {
  const error = new OptionError('tlsKey', (nameOf) => `requires ${nameOf('tlsCert')}`)
  expect(error).toBeInstanceOf(RangeError)
  expect(error.message).toBe('tlsKey: requires tlsCert')
  expect(error.describe(flag)).toBe('--tlsKey: requires --tlsCert')
})

it('keeps a plain word that is also an option name', () => {
  expect(new OptionError('corsOrigins', 'its port is no number').describe(flag)).toBe(
    '--corsOrigins: its port is no number'
  )
})

it('adds a name to a parser error, and none to an error that has one', () => {
  const fail = (error: Error) => () => {
    throw error
  }
  expect(() => withOptionName('port', fail(new RangeError('expected a number')))).toThrow('port: expected a number')
  expect(() => withOptionName('port', fail(new OptionError('host', 'is empty')))).toThrow(/^host: is empty$/)
  expect(() => withOptionName('port', fail(new TypeError('a bug')))).toThrow(TypeError)
})

const hub = createHub()
it.each<[string, () => unknown]>([
  ['heartbeat', () => createHub({ heartbeat: -1 })],
  ['retention', () => createHub({ retention: [], log: new MemoryLog() })],
  ['retention', () => new MemoryLog({ retention: [{ match: '*', last: 0 }] })],
  ['entries', () => new MemoryLog({ entries: 0 })],
  ['retention', () => LmdbLog.open({ path: 'nowhere', retention: [{ match: '*', age: 'soon' }] })],
  ['url', () => RedisLog.open({ url: 'redis+cluster://' })],
  ['prefix', () => RedisLog.open({ url: 'redis://127.0.0.1', prefix: '{' })],
  ['maxBody', () => createHandler(hub, { maxBody: -1 })],
  ['publishRate', () => createHandler(hub, { publishRate: -1 })],
  ['corsOrigins', () => createHandler(hub, { corsOrigins: ['example.com'] })],
  ['trustedProxies', () => createHandler(hub, { trustedProxies: ['everyone'] })],
  ['publisherKey', () => createHandler(hub, { publisherKey: '{' })],
  ['publisherJwks', () => createHandler(hub, { publisherJwks: 'https://ann:sesame@example.com', anonymous: true })],
  ['publisherAlgorithms', () => createHandler(hub, { publisherKey: 'x', publisherAlgorithms: ['RS256'] })],
  ['subscriberKey', () => createHandler(hub, { publisherKey: 'x' })],
  ['issuers', () => createHandler(hub, { issuers: [{ issuer: 'a' }] })],
  ['clockTolerance', () => createHandler(hub, { clockTolerance: 301 })],
  ['publicUrls', () => createHandler(hub, { publicUrls: ['here'] })],
  ['cookieName', () => createHandler(hub, { cookieName: 'a b' })],
  ['authorize', () => createHandler(hub, { authorize: 'https://ann:sesame@example.com' })]
])('an OptionError names %s', async (option, make) => {
  const error = await Promise.resolve()
    .then(make)
    .catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(OptionError)
  expect(error).toMatchObject({ option })
  expect((error as Error).message).not.toContain('sesame')
})
