// Fuzzing: for any request, the server responds, keeps running, and delivers only what was published.

import { createParser } from 'eventsource-parser'
import * as fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { type HostileTokens, hostileTokens } from '../support/auth/fuzz-tokens.ts'
import { bytesOf, type HostileUpdate, hostileRequest, hostileUpdate } from '../support/http/fuzz-requests.ts'
import { ask } from '../support/http/http.ts'
import {
  bearer,
  dialects,
  form,
  hubPath,
  keys,
  type MercureServer,
  serverWith,
  token
} from '../support/http/mercure.ts'
import { send } from '../support/http/raw-request.ts'
import { listen, type SseClient } from '../support/http/sse-client.ts'
import { isSoak, seed } from '../support/random.ts'

const runs = isSoak ? 10_000 : 500
const settings = { seed, numRuns: runs, interruptAfterTimeLimit: 240_000, markInterruptAsFailure: true }

/** All headers that the server uses; any other was injected. */
const known = new Set([
  ...['accept-query', 'allow', 'cache-control', 'connection', 'content-length', 'content-security-policy'],
  ...['content-type', 'date', 'etag', 'event-id', 'expire', 'incremental', 'keep-alive', 'last-event-id', 'link'],
  ...['mercure-last-event-id', 'pragma', 'retry-after', 'transfer-encoding', 'vary', 'www-authenticate'],
  ...['x-accel-buffering', 'x-content-type-options', 'x-frame-options', 'x-request-id', 'x-xss-protection'],
  ...['access-control-allow-credentials', 'access-control-allow-headers', 'access-control-allow-methods'],
  ...['access-control-allow-origin', 'access-control-expose-headers', 'access-control-max-age']
])

/** Streams of all topics at each API, with permission to read everything. */
async function followAll({ url }: MercureServer, key = keys.subscribe): Promise<SseClient[]> {
  const addresses = [`${hubPath}?match=*`, `${hubPath}?topic=*`, '/subscribe']
  const rights = bearer(await token('1.0', { subscribe: ['*'], key }))
  return Promise.all(addresses.map((address) => listen(url + address, rights)))
}

/** The stream contains only standard fields, one per line, and the parser finds no error. */
function expectWellFormed({ raw }: SseClient): void {
  expect(raw).not.toContain('\r')
  const stray = raw.split('\n').filter((line) => !/^(event: |id: |data: |retry: \d+$|:$|$)/.test(line))
  expect(stray).toEqual([])
  const errors: unknown[] = []
  createParser({ onError: (error) => errors.push(error) }).feed(raw)
  expect(errors).toEqual([])
}

describe('any request', () => {
  const origins = ['--cors-origins', '* null https://app.example.com', '--publish-origins', '*']
  const server = serverWith('--subscriptions', '--allow-delete', ...origins, '--subscriber-key', keys.publish)
  let tokens: HostileTokens

  beforeAll(async () => {
    tokens = await hostileTokens()
  })

  const title = `is answered within a second, without a 5xx and without a header of the sender's own (seed ${seed})`
  test(title, { timeout: 300_000 }, async () => {
    console.log(`hostile requests: seed ${seed}, ${runs} runs (TEST_SEED sets another)`)
    const followers = await followAll(server, keys.publish)
    const statuses = new Map<number, number>()
    const property = fc.asyncProperty(hostileRequest, async (request) => {
      const { status, headers } = await send(server.process.port, bytesOf(request, tokens))
      const names = headers.map(([name]) => name)
      expect(status).toBeLessThan(500)
      expect(names.filter((name) => !known.has(name))).toEqual([])
      expect(names).toHaveLength(new Set(names).size)
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    })
    await fc.assert(property, settings)
    // If all requests were rejected, the test would prove nothing.
    expect([...statuses.keys()]).toEqual(expect.arrayContaining([200, 400, 401]))
    await server.publish('1.0', { topic: 'https://example.com/last', data: 'the last' })
    for (const follower of followers) {
      await follower.until(({ data }) => data.includes('the last'))
      expectWellFormed(follower)
    }
  })
})

describe('any update', () => {
  const server = serverWith()

  test(`is rejected, or is delivered unchanged to every subscriber (seed ${seed})`, { timeout: 300_000 }, async () => {
    const followers = await followAll(server)
    let accepted = 0
    const property = fc.asyncProperty(hostileUpdate, async (update) => {
      const before = followers.map(({ raw }) => raw.length)
      const { status, id } = await publish(server, update)
      expect(status).toBeLessThan(500)
      if (status !== 200) return
      accepted++
      for (const [index, follower] of followers.entries()) {
        const expected = frameOf(update, id)
        const delivered = () => follower.raw.slice(before[index]).replace(/^:\n/gm, '')
        await follower.until(() => delivered().length >= expected.length, JSON.stringify(expected))
        expect(delivered()).toBe(expected)
      }
    })
    await fc.assert(property, settings)
    expect(accepted).toBeGreaterThan(runs / 10)
    for (const follower of followers) expectWellFormed(follower)
  })
})

/** The bytes of an update on a stream; without an id of its own, it has the hub's id. */
function frameOf({ data, type, retry, id }: HostileUpdate, given: string): string {
  const fields = [
    ...(type ? [`event: ${type}`] : []),
    ...(retry !== undefined ? [`retry: ${retry}`] : []),
    `id: ${id || given}`,
    ...data.split(/\r\n|\r|\n/).map((line) => `data: ${line}`)
  ]
  return `${fields.join('\n')}\n\n`
}

/** Publishes through the API that the update names. */
async function publish({ url }: MercureServer, { door, topics, data, ...rest }: HostileUpdate) {
  const { retry, ...texts } = rest
  const fields = { topic: topics, ...texts, ...(retry !== undefined && { retry: String(retry) }) }
  const isMercure = (dialects as readonly string[]).includes(door)
  const rights = bearer(await token(door === '0.x' ? '0.x' : '1.0', { publish: ['*'] }))
  const [address, type, body] = isMercure
    ? [hubPath, 'application/x-www-form-urlencoded', form({ ...fields, data })]
    : door === 'form'
      ? ['/publish', 'application/x-www-form-urlencoded', form({ ...fields, data })]
      : door === 'query'
        ? [`/publish?${form(fields)}`, 'text/plain', data]
        : ['/publish', 'application/x-ndjson', JSON.stringify({ topics, data, ...rest })]
  const headers = { ...rights, 'Content-Type': type }
  const answer = await ask(url + address, { method: 'POST', headers, body })
  const id = isMercure ? answer.text : Buffer.from(String(answer.headers['event-id']), 'latin1').toString()
  return { status: answer.status, id }
}
