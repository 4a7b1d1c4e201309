// Webhooks: events about subscribers for an application, which delay no stream and no publish.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ask, post } from '../support/http/http.ts'
import { bearer, hubPath, keyed, token } from '../support/http/mercure.ts'
import { listen } from '../support/http/sse-client.ts'
import { newFolder } from '../support/log/log-folder.ts'
import { type Backend, hang, isSigned, respond, startBackend, webhookKey } from '../support/servers/backend.ts'
import { freePort } from '../support/servers/free-port.ts'
import { type LocalServer, startInProcess } from '../support/servers/in-process.ts'
import { type ServerProcess, startServer } from '../support/servers/server.ts'

const optionsFor = (addresses: string | readonly string[], args: readonly string[], env = {}) => ({
  args: ['--webhooks', [addresses].flat().join(','), ...args],
  env: { TIDINGS_WEBHOOK_KEY: webhookKey, ...env }
})

async function start(addresses: string | readonly string[], args: string[] = [], env = {}): Promise<LocalServer> {
  const server = await startInProcess(optionsFor(addresses, args, env))
  onTestFinished(() => server.stop())
  return server
}

/** A server that a test ends with a signal. */
async function startProcess(address: string, args: string[] = []): Promise<ServerProcess> {
  const server = await startServer(optionsFor(address, args))
  onTestFinished(() => server.kill('SIGKILL'))
  return server
}

const results = async ({ url }: LocalServer) => {
  const { text } = await ask(`${url}/metrics`)
  return Object.fromEntries(
    [...text.matchAll(/^tidings_webhooks_total\{result="(\w+)"\} (\d+)$/gm)].map(([, name, n]) => [name, Number(n)])
  )
}

const expectEvents = (backend: Backend) => expect.poll(() => backend.eventNames)

describe('events', () => {
  it('report subscriptions, and when and why the stream ended', async () => {
    const backend = await startBackend()
    const { url } = await start(backend.url, keyed)
    const rights = bearer(await token('0.x', { subscribe: ['*'], claims: { sub: 'ann' } }))
    const client = await listen(`${url}${hubPath}?topic=orders/17&topic=orders/{id}`, rights)
    await expectEvents(backend).toContain('subscribed')
    client.close()
    await expectEvents(backend).toContain('unsubscribed')
    const stream = {
      request: client.headers['x-request-id'],
      address: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      subject: 'ann',
      selectors: ['orders/17', 'orders/{id}'],
      time: expect.closeTo(Date.now(), -5)
    }
    const [subscribed, unsubscribed] = backend.events.filter(({ event }) => !event.startsWith('topic-'))
    expect(subscribed).toEqual({ event: 'subscribed', ...stream })
    const age = expect.any(Number)
    expect(unsubscribed).toEqual({ event: 'unsubscribed', ...stream, reason: 'client', age })
  })

  it('report when a selector gains its first subscriber and loses its last', async () => {
    const backend = await startBackend()
    // Each process reports what it has.
    const { url } = await start(backend.url, ['--webhook-events', 'topic-occupied,topic-vacated', '--workers', '1'])
    const clients = [await listen(`${url}/subscribe?topic=a`), await listen(`${url}/subscribe?topic=a&topic=b`)]
    await expectEvents(backend).toEqual(['topic-occupied a', 'topic-occupied b'])
    clients[1]?.close()
    await expectEvents(backend).toEqual(['topic-occupied a', 'topic-occupied b', 'topic-vacated b'])
    clients[0]?.close()
    await expectEvents(backend).toEqual(['topic-occupied a', 'topic-occupied b', 'topic-vacated b', 'topic-vacated a'])
  })

  it('report nothing for a topic whose only subscriber reconnects within a second', async () => {
    const backend = await startBackend()
    const { url } = await start(backend.url, ['--webhook-events', 'topic-occupied,topic-vacated'])
    const first = await listen(`${url}/subscribe?topic=a`)
    first.close()
    await expect.poll(async () => (await ask(`${url}/debug`)).text).toContain('Currently 0')
    const second = await listen(`${url}/subscribe?topic=a`)
    // Events of b would arrive after any event of a.
    const other = await listen(`${url}/subscribe?topic=b`)
    other.close()
    await expectEvents(backend).toEqual(['topic-occupied a', 'topic-occupied b', 'topic-vacated b'])
    second.close()
  })

  it('contain no published data, and are sent to every address', async () => {
    const backends = [await startBackend(), await startBackend()]
    const server = await start(backends.map(({ url }) => url))
    const client = await listen(`${server.url}/subscribe?topic=a`)
    await post(`${server.url}/publish?topic=a`, 'secret-data')
    await client.received(1)
    client.close()
    for (const backend of backends) {
      await expectEvents(backend).toContain('topic-vacated a')
      expect(JSON.stringify(backend.calls)).not.toContain('secret-data')
    }
    await expect.poll(() => results(server)).toEqual({ delivered: 8 })
  })
})

describe('a batch', () => {
  it('is signed, and contains the events of a tenth of a second, at most 100', async () => {
    const backend = await startBackend()
    const { url } = await start(backend.url, ['--webhook-events', 'subscribed'])
    await Promise.all(Array.from({ length: 250 }, () => listen(`${url}/subscribe`)))
    await expect.poll(() => backend.events.length).toBe(250)
    expect(backend.calls.length).toBeLessThan(50)
    for (const called of backend.calls) {
      expect(isSigned(called)).toBe(true)
      expect(called.headers).toMatchObject({ 'content-type': 'application/json', 'user-agent': 'tidings' })
      expect((called.json().events as unknown[]).length).toBeLessThanOrEqual(100)
    }
    expect(new Set(backend.calls.map((called) => called.json().id)).size).toBe(backend.calls.length)
  })

  it('passes the verification code in PROTOCOL.md; other requests do not', async () => {
    const backend = await startBackend()
    const { url } = await start(backend.url)
    await listen(`${url}/subscribe`)
    const [called] = await backend.waitForCalls(1)
    const { headers = {}, body = '' } = called ?? {}
    const [, code = ''] =
      /```js\n(import [^`]*?function isFromTidings[\s\S]*?)```/.exec(readFileSync('PROTOCOL.md', 'utf8')) ?? []
    const source = `${code}\nexport default isFromTidings`
    const { default: isFromTidings } = await import(`data:text/javascript,${encodeURIComponent(source)}`)
    expect(isFromTidings(headers, body, webhookKey)).toBe(true)
    expect(isFromTidings(headers, body, 'another key')).toBe(false)
    expect(isFromTidings(headers, `${body} `, webhookKey)).toBe(false)
    expect(isFromTidings({ ...headers, 'tidings-timestamp': '1767225600' }, body, webhookKey)).toBe(false)
    expect(isFromTidings({}, body, webhookKey)).toBe(false)
  })

  it('has no signature without a key', async () => {
    const backend = await startBackend()
    const { url } = await start(backend.url, [], { TIDINGS_WEBHOOK_KEY: '' })
    await listen(`${url}/subscribe`)
    const [called] = await backend.waitForCalls(1)
    expect(called?.headers['tidings-signature']).toBeUndefined()
  })

  it.each([500, 408, 503])('is retried later, unchanged and with the same id, after %d', async (status) => {
    const backend = await startBackend((response, _, count) => {
      response.writeHead(count <= 2 ? status : 204).end()
    })
    const server = await start(backend.url, ['--webhook-events', 'subscribed'])
    await listen(`${server.url}/subscribe`)
    const [first, second, third] = await backend.waitForCalls(3)
    expect([second?.body, third?.body]).toEqual([first?.body, first?.body])
    const waits = [(second?.at ?? 0) - (first?.at ?? 0), (third?.at ?? 0) - (second?.at ?? 0)]
    expect(waits[0]).toBeGreaterThanOrEqual(240)
    expect(waits[1]).toBeGreaterThanOrEqual(740)
    await expect.poll(() => results(server)).toEqual({ delivered: 1 })
  })

  it('is retried after the Retry-After of a 429', async () => {
    const backend = await startBackend((response, _, count) => {
      response.writeHead(count === 1 ? 429 : 204, { 'Retry-After': '2' }).end()
    })
    const { url } = await start(backend.url)
    await listen(`${url}/subscribe`)
    const [first, second] = await backend.waitForCalls(2)
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(1_990)
  })

  it.each([400, 401, 302])('is not retried after %d, which is counted and logged', async (status) => {
    const backend = await startBackend((response, _, count) => {
      response.writeHead(count === 1 ? status : 204, { Location: '/elsewhere' }).end()
    })
    const server = await start(backend.url, ['--webhook-events', 'subscribed'])
    await listen(`${server.url}/subscribe?topic=first`)
    await expect.poll(() => results(server)).toEqual({ refused: 1 })
    await listen(`${server.url}/subscribe?topic=second`)
    await expect.poll(() => results(server)).toEqual({ refused: 1, delivered: 1 })
    expect(backend.calls.map(({ path }) => path)).toEqual(['/tidings', '/tidings'])
    await expect.poll(() => server.output()).toContain(`1 events were lost: answered ${status}`)
  })

  it('is signed with the new key after a reload', async () => {
    const backend = await startBackend()
    const file = join(newFolder(), 'tidings.yaml')
    writeFileSync(file, `webhooks: ${backend.url}\nwebhookKey: old\n`)
    const server = await startServer({ args: ['--config', file] })
    onTestFinished(() => server.kill('SIGKILL'))
    writeFileSync(file, `webhooks: ${backend.url}\nwebhookKey: new\n`)
    // When the server responds, it also handles signals.
    await ask(`${server.url}/healthz`)
    process.kill(server.pid, 'SIGHUP')
    await expect.poll(server.output).toContain('reloaded')
    await listen(`${server.url}/subscribe`)
    const [called] = await backend.waitForCalls(1)
    expect(called && isSigned(called, 'new')).toBe(true)
  })
})

describe('an unreachable address', () => {
  it('delays no stream, no publish, and no other address', async () => {
    const [dead, alive] = [await startBackend(hang), await startBackend()]
    const gone = `http://127.0.0.1:${await freePort()}/`
    const { url } = await start([dead.url, gone, alive.url])
    const client = await listen(`${url}/subscribe`)
    await dead.waitForCalls(1)
    await post(`${url}/publish`, 'hello')
    expect(await client.received(1)).toEqual(['hello'])
    await expectEvents(alive).toContain('subscribed')
  })

  it('queues at most 10,000 events: the oldest are dropped, counted and logged', async () => {
    const backend = await startBackend(hang)
    const args = ['--webhook-events', 'topic-occupied', '--log-level', 'error', '--workers', '1']
    const server = await start(backend.url, args)
    await listen(`${server.url}/subscribe?topic=first`)
    await backend.waitForCalls(1)
    const topics = (from: number) =>
      Array.from({ length: 500 }, (_, at) => `topic=${(from * 500 + at).toString(36)}`).join('&')
    for (let at = 0; at < 21; at++) (await listen(`${server.url}/subscribe?${topics(at)}`)).close()
    await expect.poll(() => results(server)).toMatchObject({ dropped: 500 })
    await expect.poll(() => server.output()).toContain('100 events were lost: too many events are waiting')
    expect(server.output().match(/too many events are waiting/g)?.length).toBe(1)
    expect(server.output()).not.toContain('/tidings')
  })

  it('delays shutdown by at most two seconds', async () => {
    const backend = await startBackend(hang)
    const { url, kill } = await startProcess(backend.url)
    await listen(`${url}/subscribe`)
    await backend.waitForCalls(1)
    const since = performance.now()
    await kill('SIGTERM')
    expect(performance.now() - since).toBeLessThan(4_000)
  })

  it('does not delay shutdown when it refuses connections', async () => {
    const { url, kill, output } = await startProcess(`http://127.0.0.1:${await freePort()}/`)
    await listen(`${url}/subscribe`)
    await kill('SIGTERM')
    expect(output()).toContain('lost: ECONNREFUSED')
    expect(output()).toContain('stopped')
  })
})

describe('a shutdown', () => {
  it('sends the remaining events: unsubscribed and vacated', async () => {
    const backend = await startBackend()
    const { url, kill } = await startProcess(backend.url)
    await listen(`${url}/subscribe?topic=a`)
    await expectEvents(backend).toContain('subscribed')
    await kill('SIGTERM')
    expect(backend.eventNames).toEqual(['subscribed', 'topic-occupied a', 'unsubscribed', 'topic-vacated a'])
    expect(backend.events[2]).toMatchObject({ reason: 'shutdown' })
  })

  it('retries a failed batch once, without its backoff', async () => {
    const backend = await startBackend(respond(500))
    const { url, kill } = await startProcess(backend.url, ['--webhook-events', 'subscribed'])
    await listen(`${url}/subscribe?topic=a`)
    await backend.waitForCalls(3)
    backend.answer = respond(204)
    await kill('SIGTERM')
    expect(new Set(backend.calls.map(({ body }) => body)).size).toBe(1)
    expect(backend.calls.length).toBe(4)
  })
})

describe('options', () => {
  it.each([
    [['--webhooks', 'ftp://example.com'], '--webhooks: expected a URL that begins with https:// or http://'],
    [['--webhooks', 'https://ann:secret@example.com'], '--webhooks: expected a URL'],
    [
      ['--webhooks', 'https://example.com', '--webhook-events', 'joined'],
      '--webhook-events: expected a list of subscribed, unsubscribed, topic-occupied or topic-vacated'
    ]
  ])('rejects %s', async (args, message) => {
    const refused = await startInProcess({ args }).catch((error: Error) => error)
    expect(refused).toBeInstanceOf(Error)
    expect((refused as Error).message).toContain(message)
    expect((refused as Error).message).not.toContain('secret')
  })
})
