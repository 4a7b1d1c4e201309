import type { KeyObject } from 'node:crypto'
import { jwtVerify } from 'jose'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { remoteAlgorithms, remoteKeys } from '../../dist/auth/remote-keys.js'
import { TokenError, Verifier } from '../../dist/auth/verifier.js'
import { jwksServer } from '../support/auth/jwks-server.ts'
import { curvePair, hub, jwk, legacy, secret, sign } from '../support/auth/tokens.ts'

const pair = () => curvePair()
const one = pair()
const two = pair()
const published = (key: KeyObject, kid: string) => jwk(key, { kid, alg: 'ES256', use: 'sig' })
const signed = (key: KeyObject, kid?: string, header: Record<string, unknown> = {}) =>
  sign({ mercure: {} }, { key, alg: 'ES256', header: { ...(kid !== undefined && { kid }), ...header } })

// Only the clock stands still. Requests and their timeouts are real.
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date', 'performance'] }))
afterEach(() => void vi.useRealTimers())

const cooldownMs = 30_000
const maxAgeMs = 600_000
const pass = (ms: number) => void vi.advanceTimersByTime(ms)

/** Whether a token is accepted, and all failures that were reported. */
function asker(address: string) {
  const errors: unknown[] = []
  const keys = remoteKeys(address, (error) => errors.push(error))
  const accepts = async (token: string) => {
    const verified = await jwtVerify(token, keys).catch((error: unknown) => error)
    return !(verified instanceof Error)
  }
  return { accepts, errors }
}

it('requests the address for the first token, and then not again', async () => {
  const server = await jwksServer(published(one.publicKey, '1'))
  const { accepts } = asker(server.address)
  expect(server.requestCount).toBe(0)
  expect([await accepts(await signed(one.privateKey, '1')), await accepts(await signed(one.privateKey, '1'))]).toEqual([
    true,
    true
  ])
  expect(server.requestCount).toBe(1)
})

it('sends one request for concurrent tokens', async () => {
  const server = await jwksServer(published(one.publicKey, '1'))
  const { accepts } = asker(server.address)
  const token = await signed(one.privateKey, '1')
  expect(await Promise.all([accepts(token), accepts(token), accepts(token)])).toEqual([true, true, true])
  expect(server.requestCount).toBe(1)
})

it('requests the address again for an unknown key', async () => {
  const server = await jwksServer(published(one.publicKey, '1'))
  const { accepts } = asker(server.address)
  await accepts(await signed(one.privateKey, '1'))
  server.keys = [published(two.publicKey, '2')]
  pass(cooldownMs)
  expect(await accepts(await signed(two.privateKey, '2'))).toBe(true)
  expect(await accepts(await signed(one.privateKey, '1'))).toBe(false)
})

it('limits requests for invented key ids by the cooldown', async () => {
  const server = await jwksServer(published(one.publicKey, '1'))
  const { accepts, errors } = asker(server.address)
  await accepts(await signed(one.privateKey, '1'))
  pass(cooldownMs - 1)
  for (const kid of ['x', 'y', 'z']) expect(await accepts(await signed(two.privateKey, kid))).toBe(false)
  expect([server.requestCount, errors]).toEqual([1, []])
})

it('refreshes expired keys, and drops withdrawn ones', async () => {
  const server = await jwksServer(published(one.publicKey, '1'))
  const { accepts } = asker(server.address)
  const token = await signed(one.privateKey, '1')
  expect(await accepts(token)).toBe(true)
  server.keys = [published(two.publicKey, '2')]
  pass(maxAgeMs - 1)
  expect(await accepts(token)).toBe(true)
  pass(1)
  expect(await accepts(token)).toBe(false)
})

it('keeps using known keys while the address fails, regardless of age', async () => {
  const server = await jwksServer(published(one.publicKey, '1'))
  const { accepts, errors } = asker(server.address)
  const known = await signed(one.privateKey, '1')
  await accepts(known)
  await server.stop()
  pass(maxAgeMs)
  expect([await accepts(known), await accepts(await signed(two.privateKey, '2')), await accepts(known)]).toEqual([
    true,
    false,
    true
  ])
  expect(errors.length).toBeGreaterThan(0)
})

it('requests and reports a failing address once per cooldown', async () => {
  const server = await jwksServer()
  server.answer = (response) => response.writeHead(500).end('no')
  const { accepts, errors } = asker(server.address)
  const token = await signed(one.privateKey, '1')
  expect([await accepts(token), await accepts(token), await accepts(token)]).toEqual([false, false, false])
  expect([server.requestCount, errors.length]).toEqual([1, 1])
  pass(cooldownMs)
  expect(await accepts(token)).toBe(false)
  expect([server.requestCount, errors.length]).toEqual([2, 2])
})

it('recovers when the address recovers', async () => {
  const server = await jwksServer(published(one.publicKey, '1'))
  server.answer = (response) => response.writeHead(500).end('no')
  const { accepts } = asker(server.address)
  const token = await signed(one.privateKey, '1')
  expect(await accepts(token)).toBe(false)
  server.answer = undefined
  pass(cooldownMs)
  expect(await accepts(token)).toBe(true)
})

describe('a response is a failure', () => {
  it.each<[string, number, string, Record<string, string>]>([
    ['when it is not a JWK Set', 200, '{"keys":1}', {}],
    ['when it is not JSON', 200, '<html>', {}],
    ['when its keys are not objects', 200, '{"keys":["x"]}', {}],
    ['when it is a 404', 404, '{"keys":[]}', {}],
    ['when it is a redirect', 302, '', { location: 'http://127.0.0.1:1/' }],
    ['when it is too large', 200, `{"keys":[],"x":"${'x'.repeat(300_000)}"}`, {}]
  ])('%s', async (_, status, text, headers) => {
    const server = await jwksServer()
    server.answer = (response) => response.writeHead(status, headers).end(text)
    const { accepts, errors } = asker(server.address)
    expect(await accepts(await signed(one.privateKey, '1'))).toBe(false)
    expect(errors).toEqual([expect.any(Error)])
  })

  /** The limit is five seconds, which the tests do not wait. */
  function shortenTimeout() {
    const real = AbortSignal.timeout.bind(AbortSignal)
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => real(50))
    onTestFinished(() => {
      expect(timeout).toHaveBeenCalledWith(5_000)
      timeout.mockRestore()
    })
  }

  it('when it does not come in time', async () => {
    shortenTimeout()
    const server = await jwksServer()
    server.answer = () => {}
    const { accepts, errors } = asker(server.address)
    expect(await accepts(await signed(one.privateKey, '1'))).toBe(false)
    expect(errors).toEqual([expect.objectContaining({ name: 'TimeoutError' })])
  })

  it('when it does not end in time', async () => {
    shortenTimeout()
    const server = await jwksServer()
    server.answer = (response) => response.writeHead(200).write('{"keys":[')
    const { accepts, errors } = asker(server.address)
    expect(await accepts(await signed(one.privateKey, '1'))).toBe(false)
    expect(errors.length).toBe(1)
  })
})

it('never uses a published secret', async () => {
  const k = Buffer.from(secret).toString('base64url')
  const server = await jwksServer({ kty: 'oct', k, kid: '1' }, { kty: 'oct', k, kid: '1', alg: 'HS256' })
  const { accepts } = asker(server.address)
  expect(await accepts(await legacy({}, { header: { kid: '1' } }))).toBe(false)
})

it('never requests an address that a token names', async () => {
  const server = await jwksServer(published(one.publicKey, '1'))
  const other = await jwksServer(published(two.publicKey, '2'))
  const { accepts } = asker(server.address)
  const more = { jku: other.address, x5u: other.address, jwk: jwk(two.publicKey) }
  expect([
    await accepts(await signed(two.privateKey, '2', more)),
    await accepts(await signed(two.privateKey, '1', more))
  ]).toEqual([false, false])
  expect(other.requestCount).toBe(0)
})

it('tries all suitable keys for a token without a key id', async () => {
  const server = await jwksServer(published(one.publicKey, '1'), published(two.publicKey, '2'))
  const verifier = new Verifier({ publisher: { jwks: server.address }, base: hub })
  await expect(verifier.verify(await signed(two.privateKey), 'publish', '0.x')).resolves.toBeDefined()
  await expect(verifier.verify(await signed(pair().privateKey), 'publish', '0.x')).rejects.toThrow(TokenError)
})

it('rejects a token without a key id if there are more keys than it tries', async () => {
  const keys = Array.from({ length: 10 }, (_, number) => published(pair().publicKey, `${number}`))
  const server = await jwksServer(...keys, published(one.publicKey, 'last'))
  const verifier = new Verifier({ publisher: { jwks: server.address }, base: hub })
  await expect(verifier.verify(await signed(one.privateKey), 'publish', '0.x')).rejects.toThrow(TokenError)
  await expect(verifier.verify(await signed(one.privateKey, 'last'), 'publish', '0.x')).resolves.toBeDefined()
})

it('a verifier with a failing address rejects tokens, and reports the reason only to its owner', async () => {
  const server = await jwksServer()
  await server.stop()
  const errors: unknown[] = []
  const verifier = new Verifier({
    publisher: { jwks: server.address },
    base: hub,
    failed: (error) => errors.push(error)
  })
  const verified = verifier.verify(await signed(one.privateKey, '1'), 'publish', '0.x')
  await expect(verified).rejects.toMatchObject({
    code: 'invalid_token',
    reason: expect.stringContaining('could not be fetched')
  })
  expect(errors.length).toBe(1)
})

it('accepts every public key algorithm, and no secret algorithm', () => {
  const all = 'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519'
  expect(remoteAlgorithms()).toEqual(all.split(' '))
  expect(remoteAlgorithms(['ES256'])).toEqual(['ES256'])
  for (const wanted of [['HS256'], ['RS256', 'HS512'], ['none'], []])
    expect(() => remoteAlgorithms(wanted)).toThrow(RangeError)
})

it.each([
  '',
  'jwks.json',
  '/jwks.json',
  'file:///jwks.json',
  'ftp://example.com/',
  'https://user:pass@example.com/jwks'
])('rejects the address %j, and does not quote it', (address) => {
  expect(() => remoteKeys(address)).toThrow(RangeError)
  expect(() => remoteKeys(address)).not.toThrow(/pass@|jwks\.json/)
})
