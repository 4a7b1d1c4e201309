import { afterEach, describe, expect, it, vi } from 'vitest'
import { legacy, modern, now, secret } from '../support/auth/tokens.ts'
import { outcome, verifier } from '../support/auth/verifier.ts'

afterEach(() => {
  vi.useRealTimers()
})

describe('a verified token', () => {
  it('is cached, per role and dialect', async () => {
    const by = verifier({ publisher: { key: secret }, subscriber: { key: secret } })
    const token = await modern({ mercure: {} })
    const first = await by.verify(token, 'publish', '1.0')
    expect(await by.verify(token, 'publish', '1.0')).toBe(first)
    expect(await by.verify(token, 'subscribe', '1.0')).not.toBe(first)
    expect(await by.verify(token, 'publish', '0.x')).not.toBe(first)
  })

  it('is not cached beyond its expiry', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const by = verifier()
    const token = await modern({ exp: now() + 10 })
    expect(await outcome(by, token, '1.0')).toBe('accepted')
    vi.setSystemTime(Date.now() + 10_000)
    expect(await outcome(by, token, '1.0')).toBe('ERR_JWT_EXPIRED')
  })

  it.each([
    ['forward by more than a minute', 60_000],
    ['back', -1]
  ])('is verified again when the clock moves %s', async (_, by) => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const one = verifier()
    const token = await modern({ exp: now() + 600 })
    const first = await one.verify(token, 'publish', '1.0')
    vi.setSystemTime(Date.now() + by)
    const second = await one.verify(token, 'publish', '1.0')
    expect(second).not.toBe(first)
  })

  it('is cached for the newest thousand tokens', async () => {
    const by = verifier()
    const tokens = await Promise.all(Array.from({ length: 1_001 }, (_, number) => legacy({ payload: number })))
    const first = await by.verify(tokens[0] as string, 'publish', '0.x')
    const second = await by.verify(tokens[1] as string, 'publish', '0.x')
    for (const token of tokens.slice(2)) await by.verify(token, 'publish', '0.x')
    expect(await by.verify(tokens[1] as string, 'publish', '0.x')).toBe(second)
    expect(await by.verify(tokens[0] as string, 'publish', '0.x')).not.toBe(first)
  })

  it('is not cached if it was rejected', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const by = verifier()
    const token = await modern({ nbf: now() + 10 })
    expect(await outcome(by, token, '1.0')).toBe('nbf: check_failed')
    vi.setSystemTime(Date.now() + 10_000)
    expect(await outcome(by, token, '1.0')).toBe('accepted')
  })
})
