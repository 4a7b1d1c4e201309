// Whatever a client sends, the server answers, goes on, and says nothing that nobody published.

import { createParser } from 'eventsource-parser'
import * as fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { bytesOf, type HostileUpdate, hostileRequest, hostileUpdate } from '../support/fuzz-requests.js'
import { type HostileTokens, hostileTokens } from '../support/fuzz-tokens.js'
import { ask } from '../support/http.js'
import { bearer, dialects, form, hubPath, keys, type MercureServer, serverWith, token } from '../support/mercure.js'
import { isSoak, seed } from '../support/random.js'
import { send } from '../support/raw-request.js'
import { listen, type SseClient } from '../support/sse-client.js'

const runs = isSoak ? 10_000 : 500
const settings = { seed, numRuns: runs, interruptAfterTimeLimit: 240_000, markInterruptAsFailure: true }

/** Every header that the server has a use for: any other was smuggled in. */
const known = new Set([
  ...['accept-query', 'allow', 'cache-control', 'connection', 'content-length', 'content-security-policy'],
  ...['content-type', 'date', 'etag', 'event-id', 'expire', 'incremental', 'keep-alive', 'last-event-id', 'link'],
  ...['mercure-last-event-id', 'pragma', 'retry-after', 'transfer-encoding', 'vary', 'www-authenticate'],
  ...['x-accel-buffering', 'x-content-type-options', 'x-frame-options', 'x-request-id', 'x-xss-protection'],
  ...['access-control-allow-credentials', 'access-control-allow-headers', 'access-control-allow-methods'],
  ...['access-control-allow-origin', 'access-control-expose-headers', 'access-control-max-age']
])

/** Streams of everything by each door, with a right to all of it. */
async function followAll({ url }: MercureServer, key = keys.subscribe): Promise<SseClient[]> {
  const addresses = [`${hubPath}?match=*`, `${hubPath}?topic=*`, '/subscribe']
  const rights = bearer(await token('1.0', { subscribe: ['*'], key }))
  return Promise.all(addresses.map((address) => listen(url + address, rights)))
}

/** The fields of a stream are those of the standard, one a line, and a parser finds nothing amiss. */
function expectWellFormed({ raw }: SseClient): void {
  expect(raw).not.toContain('\r')
  const stray = raw.split('\n').filter((line) => !/^(event: |id: |data: |retry: \d+$|:$|$)/.test(line))
  expect(stray).toEqual([])
  const errors: unknown[] = []
  createParser({ onError: (error) => errors.push(error) }).feed(raw)
  expect(errors).toEqual([])
}

describe('a request of any kind', () => {
  const origins = ['--cors-origins', '* null https://app.example.com', '--publish-origins', '*']
  const server = serverWith('--subscriptions', ...origins, '--subscriber-key', keys.publish)
  let tokens: HostileTokens

  beforeAll(async () => {
    tokens = await hostileTokens()
  })

  const title = `is answered within a second, without a 5xx and without a header of the sender's own (seed ${seed})`
  test(title, { timeout: 300_000 }, async () => {
    console.log(`hostile requests: seed ${seed}, ${runs} runs (TIDINGS_SEED sets another)`)
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
    // Were all of it refused, nothing would have been shown.
    expect([...statuses.keys()]).toEqual(expect.arrayContaining([200, 400, 401]))
    await server.publish('1.0', { topic: 'https://example.com/last', data: 'the last' })
    for (const follower of followers) {
      await follower.until(({ data }) => data.includes('the last'))
      expectWellFormed(follower)
    }
  })
})

describe('an update of any kind', () => {
  const server = serverWith()

  test(`is refused, or is seen as it is by everyone (seed ${seed})`, { timeout: 300_000 }, async () => {
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

/** The bytes of an update on a stream; an id that was not given is the hub's. */
function frameOf({ data, type, retry, id }: HostileUpdate, given: string): string {
  const fields = [
    ...(type ? [`event: ${type}`] : []),
    ...(retry !== undefined ? [`retry: ${retry}`] : []),
    `id: ${id || given}`,
    ...data.split(/\r\n|\r|\n/).map((line) => `data: ${line}`)
  ]
  return `${fields.join('\n')}\n\n`
}

/** Publishes by the door that it names. */
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
