// Reserved topics: each dialect detects them in its own way, and no client publishes what looks like an event of the hub.
import { describe, expect, it } from 'vitest'
import { ask } from '../support/http/http.ts'
import { bearer, dialects, form, serverWith, token } from '../support/http/mercure.ts'
import { attempt } from '../support/http/mercure-dialects.ts'

const server = serverWith()

/** A topic, and the response to a publish to it in 1.0 and in 0.x. */
const vectors: readonly (readonly [topic: string, modern: number, legacy: number])[] = [
  ['mercure/x', 400, 403],
  ['', 400, 400],
  ['/.well-known/mercure', 400, 403],
  ['/.well-known/mercure/subscriptions/exact/a/b', 400, 403],
  ['./mercure/subscriptions', 400, 403],
  ['//other.example/.well-known/mercure/x', 400, 403],
  ['https://hub.example.com/.well-known/mercure/x', 400, 403],
  ['https://e/.well-known/mercure?query', 400, 403],
  ['https://e/.well-known/%6Dercure', 400, 200],
  ['https://e/.well-known/%6dercure/x', 400, 403],
  ['https://e/%2Ewell-known/mercure/x', 400, 403],
  ['https://e\\.well-known\\mercure\\x', 400, 403],
  ['\\.well-known\\mercure\\x', 400, 403],
  ['https://e/a/../.well-known/mercure/x', 400, 403],
  ['https://e/.well-known/a/%2e%2e/mercure/x', 400, 403],
  ['mercure', 400, 200],
  ['#general', 400, 200],
  ['?query', 400, 200],
  ['/.well-known/mercureXXX', 200, 403],
  ['https://e/foo/.well-known/mercure/bar', 200, 403],
  ['urn:x:/.well-known/mercure', 200, 403],
  ['https://e/?/.well-known/mercure', 200, 403],
  ['https://e/.well-known/Mercure/x', 200, 200],
  ['https://e/.well-known%2Fmercure/x', 200, 200],
  ['/.well-known', 200, 200],
  ['/.well-known/mercure/subscriptions/../..', 400, 403],
  ['/.well-known/mercure/subscriptions/%2e%2e/%2E%2e/x', 400, 403],
  ['//e/.well-known/mercure/../../x', 400, 403],
  ['urn:mercure:x', 200, 200],
  ['mercury', 200, 200]
]

describe.each(dialects)('publishing with a token of %s', (dialect) => {
  it.each(vectors)('P6: "%s" is classified by the URL it resolves to', async (topic, modern, legacy) => {
    const status = dialect === '1.0' ? modern : legacy
    const { answer, published } = await attempt(server, () => server.publish(dialect, { topic, data: 'x' }))
    expect(answer.status).toBe(status)
    expect(published).toEqual(status === 200 ? ['x'] : [])
  })

  it('P6: a reserved alternate topic is rejected like a canonical one', async () => {
    const fields = { topic: ['free', '/.well-known/mercure/x'], data: 'x' }
    const { answer, published } = await attempt(server, () => server.publish(dialect, fields))
    expect(answer.status).toBe(dialect === '1.0' ? 400 : 403)
    expect(published).toEqual([])
  })
})

/** Publishes at the simple endpoint, with a token that may publish to all topics. */
const publish = async (fields: Record<string, string>) => {
  const headers = bearer(await token('0.x', { publish: ['*'] }))
  return (await ask(`${server.url}/publish?${form(fields)}`, { method: 'POST', headers, body: 'x' })).status
}

it.each([
  '/.well-known/mercure/subscriptions/a/b',
  '/.well-known/mercure/subscriptions/../..',
  '/.well-known/mercure/subscriptions/%2e%2e/%2E%2e',
  'https://e/.well-known/mercure/../x',
  '/x/../.well-known/mercure/subscriptions/a/b'
])('/publish rejects the topic "%s", which looks like a subscription event', async (topic) => {
  expect(await publish({ topic })).toBe(403)
})

it('every endpoint rejects the type of subscription events', async () => {
  const fields = { topic: 'free', type: 'mercure', data: '{"type":"subscription","active":true}' }
  for (const dialect of dialects) expect((await server.publish(dialect, fields)).status).toBe(400)
  expect(await publish({ topic: 'free', type: 'mercure' })).toBe(400)
})
