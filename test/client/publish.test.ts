// What `publish` does after each status, broken connection and time limit.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { IncomingMessage } from 'node:http'
import { expect, it, onTestFinished, vi } from 'vitest'
import { publish, RefusedError } from '../../dist/client/index.js'
import { scriptedServer } from '../support/client/scripted-server.ts'

const keys = (requests: readonly IncomingMessage[]) =>
  new Set(requests.map(({ headers }) => headers['idempotency-key'])).size

it.each([408, 429, 500, 502, 503])('%i is retried with the same key', async (status) => {
  const server = await scriptedServer((response, _, count) => {
    if (count === 0) response.writeHead(status).end('later')
    else response.end('{"ids":["#e-1"]}')
  })
  expect(await publish(`${server.url}/publish`, { data: 1 })).toEqual(['#e-1'])
  expect([server.requests.length, keys(server.requests)]).toEqual([2, 1])
})

it('Retry-After is the minimum, and is not waited for if it is longer than retryTimeout', async () => {
  const server = await scriptedServer((response, _, count) => {
    if (count === 0) response.writeHead(503, { 'Retry-After': '1' }).end('draining')
    else response.end('{"ids":["#e-1"]}')
  })
  const before = performance.now()
  await publish(`${server.url}/publish`, { data: 1 })
  expect(performance.now() - before).toBeGreaterThanOrEqual(999)
  const busy = await scriptedServer((response) => response.writeHead(429, { 'Retry-After': '60' }).end('too many'))
  await expect(publish(`${busy.url}/publish`, { data: 1 })).rejects.toEqual(
    new RefusedError(429, 'http_429', 'too many')
  )
  expect(busy.requests.length).toBe(1)
})

it('an answer that breaks off is no answer: the request is repeated with the same key', async () => {
  const server = await scriptedServer((response, _, count) => {
    response.writeHead(200, { 'Content-Length': '16' })
    if (count === 0) response.write('{"ids":', () => response.destroy())
    else response.end('{"ids":["#e-1"]}')
  })
  expect(await publish(`${server.url}/publish`, { data: 1 })).toEqual(['#e-1'])
  expect([server.requests.length, keys(server.requests)]).toEqual([2, 1])
})

it.each([401, 403, 404, 410])('%i is final after one attempt with a fresh token', async (status) => {
  const server = await scriptedServer((response) => response.writeHead(status).end('no'))
  let calls = 0
  const published = publish(`${server.url}/publish`, { data: 1 }, { token: () => `token-${++calls}` })
  await expect(published).rejects.toEqual(new RefusedError(status, `http_${status}`, 'no'))
  expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer token-1', 'Bearer token-2'])
})

it.each(['Welcome!', '{"ids":[]}', 'null'])('200 with %s is the answer of no hub', async (text) => {
  const server = await scriptedServer((response) => response.end(text))
  const published = publish(`${server.url}/publish`, { data: 1 })
  await expect(published).rejects.toMatchObject({ name: 'RefusedError', status: 200, code: 'not_a_hub' })
  expect(server.requests.length).toBe(1)
})

it('a token function that never settles is given up after 30 seconds, and called again', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  // Clients of other tests set timers too, so only those of this call count.
  const context = new AsyncLocalStorage<true>()
  const limits: unknown[] = []
  const set = globalThis.setTimeout
  const record = (run: () => void, ms?: number) => {
    const timer = set(run, ms)
    if (context.getStore() && ms === 30_000) limits.push(timer)
    return timer
  }
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(record as typeof setTimeout)
  const cleared = vi.spyOn(globalThis, 'clearTimeout')
  onTestFinished(() => {
    vi.restoreAllMocks()
    vi.useRealTimers()
  })
  let calls = 0
  const token = () => (++calls === 1 ? new Promise<string>(() => {}) : 'second')
  const asked: unknown[] = []
  const answer: typeof fetch = async (_, init) => {
    asked.push(new Headers(init?.headers).get('Authorization'))
    return new Response('{"ids":["#e-1"]}')
  }
  const options = { token, fetch: answer, retryTimeout: 60_000 }
  const published = context.run(true, () => publish('http://hub.example/publish', { data: 1 }, options))
  await vi.advanceTimersByTimeAsync(29_000)
  expect(calls).toBe(1)
  await vi.advanceTimersByTimeAsync(2_000)
  expect(await published).toEqual(['#e-1'])
  expect(asked).toEqual(['Bearer second'])
  // Each attempt has a limit, and another one for its token.
  expect(limits).toHaveLength(4)
  expect(cleared.mock.calls.flat()).toEqual(expect.arrayContaining(limits.slice(2)))
})

it('the signal ends an attempt at once, also while the token function is busy', async () => {
  const stop = new AbortController()
  const token = () => new Promise<string>(() => {})
  const published = publish('http://hub.example/publish', { data: 1 }, { token, signal: stop.signal })
  stop.abort()
  await expect(published).rejects.toMatchObject({ name: 'AbortError' })
})
