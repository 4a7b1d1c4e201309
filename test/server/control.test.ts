// Changing live streams on real servers: through another server of the fleet, when the owner is gone, and what the log reveals.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { confirmationOf, openControlled, patchTo, updatesOf } from '../support/http/control.ts'
import { ask, post } from '../support/http/http.ts'
import { bearer, keys, token } from '../support/http/mercure.ts'
import { describeWith, redis } from '../support/requirements.ts'
import { type RedisServer, redisForTest } from '../support/servers/redis.ts'
import { type ServerProcess, startServer } from '../support/servers/server.ts'

async function start(...args: string[]): Promise<ServerProcess> {
  const server = await startServer({ args })
  onTestFinished(() => server.kill('SIGKILL'))
  return server
}
const nodeOn = (server: RedisServer, ...args: string[]) => start('--store', server.url, '--log-level', 'error', ...args)

/** The control URL at another server. */
const at = ({ url }: ServerProcess, control: string) => new URL(new URL(control).pathname, url).href
const requestOf = ({ headers }: { headers: Record<string, unknown> }) => String(headers['x-request-id'])

describeWith(await redis(), 'a change of a stream in a fleet', (program) => {
  const fleet = async (...args: string[]) => {
    const server = await redisForTest(program)
    return [await nodeOn(server, ...args), await nodeOn(server, ...args)] as const
  }

  it('is accepted by every server, and is exact', async () => {
    const [one, two] = await fleet()
    const { client, control } = await openControlled(one.url, 'topic=a')
    for (const data of ['b1', 'b2']) await post(`${two.url}/publish?topic=b`, data)
    const added = await patchTo(at(two, control), { add: ['b'], from: 'earliest' })
    expect([added.status, added.text]).toEqual([202, 'The change is accepted; the stream will confirm it.\n'])
    // After the answer, everything that any server publishes counts.
    await post(`${two.url}/publish?topic=b`, 'b3')
    expect(await confirmationOf(client, requestOf(added))).toMatchObject({ topics: ['a', 'b'] })
    await client.until(() => updatesOf(client).length === 3)
    expect(updatesOf(client)).toEqual(['b1', 'b2', 'b3'])
    const removed = await patchTo(at(two, control), { remove: ['a', 'b'] })
    expect(await confirmationOf(client, requestOf(removed))).toMatchObject({ code: 'selector_missing' })
  })

  it('keeps the order of requests to different servers, if each waits for the one before it', async () => {
    const [one, two] = await fleet()
    const { client, control } = await openControlled(one.url, 'topic=a')
    for (let number = 0; number < 20; number++) {
      const answer = await patchTo(at(number % 2 ? one : two, control), { add: [`n${number}`] })
      expect(answer.status).toBe(202)
    }
    await client.until(({ events }) => events.length === 21)
    const sizes = client.events.slice(1).map(({ data }) => JSON.parse(data).topics.length)
    expect(sizes).toEqual(Array.from({ length: 20 }, (_, number) => number + 2))
  })

  it('is refused by any server for an unknown stream, a stream that has ended, and an invalid request', async () => {
    const [one, two] = await fleet()
    const { client, control } = await openControlled(one.url)
    const status = async (url: string, body: object = { add: ['b'] }) => (await patchTo(url, body)).status
    const elsewhere = at(two, control)
    expect(await status(`${elsewhere.slice(0, -4)}aaaa`)).toBe(404)
    expect(await status(elsewhere.replace(/control\/[\w-]+/, 'control/nobody'))).toBe(404)
    expect(await status(elsewhere, { add: [''] })).toBe(400)
    expect(await status(elsewhere)).toBe(202)
    client.close()
    await expect.poll(() => status(elsewhere)).toBe(404)
    await one.kill()
    expect(await status(elsewhere)).toBe(404)
  })

  it('carries verified rights to the owner, and no token', async () => {
    const keyed = ['--publisher-key', keys.publish, '--subscriber-key', keys.subscribe]
    const [one, two] = await fleet(...keyed)
    const reading = (topics: string[], sub: string) => token('0.x', { subscribe: topics, claims: { sub } })
    const { client, control } = await openControlled(one.url, 'topic=a', bearer(await reading(['x'], 'ann')))
    const elsewhere = at(two, control)
    expect((await patchTo(elsewhere, { token: 'x.y.z' })).status).toBe(401)
    const other = await patchTo(elsewhere, { token: await reading(['a'], 'bob') })
    expect(await confirmationOf(client, requestOf(other))).toMatchObject({ code: 'subject_changed' })
    const fresh = await patchTo(elsewhere, { token: await reading(['a'], 'ann') })
    expect(await confirmationOf(client, requestOf(fresh))).toMatchObject({ topics: ['a'] })
    const publishing = bearer(await token('0.x', { publish: ['*'] }))
    await post(`${two.url}/publish?topic=a&private=1`, 'secret', publishing)
    await client.until(() => updatesOf(client).length === 1)
  })

  it('gets 503 from the others while its server hangs, and 404 once that server is known to be gone', async () => {
    const [one, two] = await fleet()
    const { client, control } = await openControlled(one.url, 'topic=a')
    const elsewhere = at(two, control)
    one.signal('SIGSTOP')
    const startedAt = performance.now()
    const hanging = await patchTo(elsewhere, { add: ['b'] })
    expect([hanging.status, hanging.headers['retry-after']]).toEqual([503, '1'])
    expect(performance.now() - startedAt).toBeLessThan(4_000)
    one.signal('SIGCONT')
    await expect.poll(async () => (await patchTo(elsewhere, { add: ['c'] })).status).toBe(202)
    await client.until(({ events }) => events.some(({ data }) => data.includes('"c"')))
    await one.kill('SIGKILL')
    const status = async () => (await patchTo(elsewhere, { add: ['d'] })).status
    expect(await status()).toBe(503)
    await expect.poll(status, { interval: 500 }).toBe(404)
  })
})

describe('the opening of a stream', () => {
  it('has the heartbeat of the configuration in milliseconds', async () => {
    const server = await start('--log-level', 'error', '--heartbeat', '7s')
    const { opening } = await openControlled(server.url)
    expect(opening).toMatchObject({ heartbeat: 7_000, live: true })
  })
})

describe('the secret of a control URL', () => {
  it('is in no log line, metric, response or webhook, also if the URL was mistyped', async () => {
    const hooks: string[] = []
    const receiver = createServer((request, response) => {
      request.on('data', (chunk) => hooks.push(String(chunk))).on('end', () => response.end())
    })
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void receiver.close())
    const webhook = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`
    const server = await start('--log-level', 'debug', '--log-format', 'json', '--webhooks', webhook)
    const { control, client, patch, change } = await openControlled(server.url, 'topic=a')
    await change({ add: ['b'] })
    expect(await change({ remove: ['a', 'b'] })).toMatchObject({ event: 'tidings:refused' })
    const answers = [
      await patch({}),
      await patch('x'.repeat(2 ** 21)),
      await ask(control),
      await patchTo(`${control}/`, {}),
      await patchTo(`${control}?x=1`, {}),
      await patchTo(control.replace('/control/', '/control//'), {}),
      await patchTo(control.replace('/control/', '/Control/'), {}),
      await patchTo(control.replace('/control/', '/events/control/'), {})
    ]
    expect(answers.map(({ status }) => status)).toEqual([400, 413, 405, 404, 400, 404, 404, 404])
    client.close()
    await expect.poll(async () => (await patch({ add: ['c'] })).status).toBe(404)
    const metrics = (await ask(`${server.url}/metrics`)).text
    const debug = (await ask(`${server.url}/debug`, { headers: { Accept: 'application/json' } })).text
    await expect.poll(() => hooks.join('')).toContain('unsubscribed')
    await server.kill()
    const [node = '', secret = ''] = control.split('/').at(-1)?.split('.') ?? []
    const everything = [
      server.output(),
      metrics,
      debug,
      ...hooks,
      ...answers.map((one) => one.text + JSON.stringify(one.headers))
    ]
    for (const text of everything) expect(text).not.toContain(secret)
    expect(server.output()).not.toContain(node)
    expect(server.output().match(/control\/\[…\]"/gi)?.length).toBeGreaterThanOrEqual(7)
    expect(metrics).toContain('tidings_changes_total{result="changed"} 1')
    expect(metrics).toContain('tidings_changes_total{result="refused"} 1')
  })

  it('keeps the count of each selector right for webhooks', async () => {
    const hooks: { event: string; selector?: string }[] = []
    const receiver = createServer((request, response) => {
      let text = ''
      request
        .on('data', (chunk) => {
          text += chunk
        })
        .on('end', () => {
          hooks.push(...JSON.parse(text).events)
          response.end()
        })
    })
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void receiver.close())
    const webhook = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`
    const events = ['--webhook-events', 'topic-occupied,topic-vacated']
    const server = await start('--log-level', 'error', '--webhooks', webhook, ...events)
    const { client, change } = await openControlled(server.url, 'topic=a')
    await change({ add: ['b'], remove: ['a'] })
    const seen = () => hooks.map(({ event, selector }) => `${event} ${selector}`)
    await expect.poll(seen).toEqual(['topic-occupied a', 'topic-occupied b', 'topic-vacated a'])
    client.close()
    await expect.poll(() => seen().slice(3)).toEqual(['topic-vacated b'])
  })
})
