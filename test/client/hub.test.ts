// The client with the real server: resuming across crashes, gaps, ends, deletions, changes, tokens, polling, and Mercure.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type Gap, publish, RefusedError, type Subscription, subscribe } from '../../dist/client/index.js'
import { legacy, now, secret, sign } from '../support/auth/tokens.ts'
import { bufferingProxy } from '../support/client/buffering-proxy.ts'
import { scriptedServer } from '../support/client/scripted-server.ts'
import { type CuttableProxy, cuttableProxy } from '../support/servers/cuttable-proxy.ts'
import { freePort } from '../support/servers/free-port.ts'
import { type LocalServer, startInProcess } from '../support/servers/in-process.ts'
import { type ServerProcess, startServer } from '../support/servers/server.ts'

const patient = { timeout: 60_000 }

async function started(args: string[] = [], env: Record<string, string> = {}): Promise<LocalServer> {
  const server = await startInProcess({ args, env })
  onTestFinished(() => server.stop())
  return server
}

/** A server that a test kills. */
async function startProcess(args: string[] = [], port = 0): Promise<ServerProcess> {
  const server = await startServer({ args, port })
  onTestFinished(() => server.kill())
  return server
}

async function proxyTo({ port }: LocalServer): Promise<CuttableProxy> {
  const proxy = await cuttableProxy(port)
  onTestFinished(() => proxy.close())
  return proxy
}

/** Follows a subscription, and waits until it is live. */
async function follow<T>(subscription: Subscription<T>) {
  onTestFinished(() => subscription.close())
  const got: unknown[] = []
  const gaps: Gap[] = []
  subscription.on('update', ({ data }) => got.push(data))
  subscription.on('gap', (gap) => gaps.push(gap))
  await expect.poll(() => subscription.state.status, patient).toBe('live')
  return { got, gaps }
}

const publishAll = (url: string, topics: string, ...data: unknown[]) =>
  publish(
    `${url}/publish`,
    data.map((one) => ({ topics, data: one }))
  )

describe('subscribe', () => {
  it('delivers what is published, with its type, topics and time', async () => {
    const { url } = await started()
    const subscription = subscribe<{ total: number }>(`${url}/subscribe`, { topics: 'orders/{id}' })
    await follow(subscription)
    const [id] = await publish(`${url}/publish`, { topics: ['orders/1', 'vip'], type: 'paid', data: { total: 3 } })
    for await (const update of subscription) {
      expect(update.data.total).toBe(3)
      expect(update).toMatchObject({ id, type: 'paid', topic: 'orders/1', topics: ['orders/1', 'vip'] })
      expect(update.time).toBeGreaterThan(Date.now() - 60_000)
      break
    }
    expect(subscription.state).toEqual({ status: 'closed', reason: 'client' })
  })

  it('loses and repeats nothing across a SIGKILL of the server', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tidings-client-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    // No other server gets its port while it is gone.
    const first = await startProcess(['--data', folder], await freePort())
    const { got, gaps } = await follow(subscribe(`${first.url}/subscribe`, { topics: 'a' }))
    await publishAll(first.url, 'a', 1, 2)
    await expect.poll(() => got).toEqual([1, 2])
    await first.kill('SIGKILL')
    const second = await startProcess(['--data', folder], first.port)
    await publishAll(second.url, 'a', 3)
    await expect.poll(() => got, patient).toEqual([1, 2, 3])
    expect(gaps).toEqual([])
  })

  it('reports a gap when the history is gone', async () => {
    const first = await startProcess([], await freePort())
    const { got, gaps } = await follow(subscribe(`${first.url}/subscribe`, { topics: 'a' }))
    await publishAll(first.url, 'a', 1)
    await expect.poll(() => got).toEqual([1])
    await first.kill('SIGKILL')
    const second = await startProcess([], first.port)
    await publishAll(second.url, 'a', 2)
    await expect.poll(() => got, patient).toEqual([1, 2])
    expect(gaps).toEqual([expect.objectContaining({ reason: 'epoch' })])
  })

  it('continues after an id of a rendered page, and from the start of history', async () => {
    const { url } = await started()
    const [, second] = await publishAll(url, 'a', 1, 2, 3)
    const some = await follow(subscribe(`${url}/subscribe`, { topics: 'a', from: second as string }))
    const all = await follow(subscribe(`${url}/subscribe`, { topics: 'a', from: 'earliest' }))
    const last = await follow(subscribe(`${url}/subscribe`, { topics: 'a', last: 2 }))
    await expect.poll(() => [some.got, all.got, last.got]).toEqual([[3], [1, 2, 3], [2, 3]])
  })

  it('reports the end of its topics, and is closed then', async () => {
    const { url } = await started()
    const subscription = subscribe(`${url}/subscribe`, { topics: 'job' })
    const { got } = await follow(subscription)
    const ends: unknown[] = []
    subscription.on('ended', ({ topics }) => ends.push(topics))
    await publish(`${url}/publish`, [
      { topics: 'job', data: 'half' },
      { topics: 'job', end: true }
    ])
    await expect.poll(() => subscription.state, patient).toEqual({ status: 'closed', reason: 'ended' })
    expect([got, ends]).toEqual([['half'], [['job']]])
  })

  it('reports a deletion', async () => {
    const { url } = await started(['--allow-delete'])
    const subscription = subscribe(`${url}/subscribe`, { topics: 'a' })
    await follow(subscription)
    const deletions: unknown[] = []
    subscription.on('deleted', (deletion) => deletions.push(deletion))
    const [id] = await publishAll(url, 'a', 'secret')
    await fetch(`${url}/updates/${encodeURIComponent(id as string)}`, { method: 'DELETE' })
    await expect.poll(() => deletions).toEqual([{ topics: ['a'], id }])
  })

  it('adds topics with their history, removes them, and keeps them across a broken connection', async () => {
    const server = await started()
    const proxy = await proxyTo(server)
    await publishAll(server.url, 'b', 'old')
    const subscription = subscribe(`${proxy.url}/subscribe`, { topics: 'a' })
    const { got } = await follow(subscription)
    await subscription.add('b', { from: 'earliest' })
    await subscription.add(['c'])
    await subscription.remove('a')
    expect([...subscription.topics].sort()).toEqual(['b', 'c'])
    proxy.cut()
    proxy.mend()
    await publishAll(server.url, 'a', 'not wanted')
    await publishAll(server.url, 'b', 'new')
    await expect.poll(() => got, patient).toEqual(['old', 'new'])
    await expect(subscription.remove(['b', 'c'])).rejects.toMatchObject({ code: 'selector_missing' })
    await expect(subscription.add('x'.repeat(5_000))).rejects.toBeInstanceOf(RefusedError)
  })

  it('notices a half-open connection by the missing heartbeats', async () => {
    const server = await started(['--heartbeat', '1s'])
    const proxy = await proxyTo(server)
    const subscription = subscribe(`${proxy.url}/subscribe`, { topics: 'a' })
    const { got } = await follow(subscription)
    const reasons: string[] = []
    subscription.on('state', (state) => state.status === 'waiting' && reasons.push(state.reason))
    proxy.freeze()
    await publishAll(server.url, 'a', 1)
    await expect.poll(() => got, patient).toEqual([1])
    expect(reasons).toEqual(['the stream is silent'])
  })

  it('says that it catches up while history arrives', async () => {
    const { url } = await started()
    await publishAll(url, 'a', ...Array.from({ length: 500 }, (_, index) => index))
    const subscription = subscribe(`${url}/subscribe`, { topics: 'a', from: 'earliest' })
    const seen: string[] = []
    subscription.on('state', ({ status }) => seen.push(status))
    subscription.on('update', ({ data }) => seen.at(-1) !== String(data) && seen.push('update'))
    await expect.poll(() => seen.at(-1), patient).toBe('live')
    expect(seen.filter((one) => one !== 'update')).toEqual(['connecting', 'catching-up', 'live'])
    expect(seen.indexOf('update')).toBeGreaterThan(seen.indexOf('catching-up'))
    expect(seen.filter((one) => one === 'update')).toHaveLength(500)
  })

  it('a change that is made while the connection is down is made on the next stream', async () => {
    const server = await started()
    const proxy = await proxyTo(server)
    await publishAll(server.url, 'b', 'old')
    const subscription = subscribe(`${proxy.url}/subscribe`, { topics: 'a' })
    const { got } = await follow(subscription)
    proxy.cut()
    await expect.poll(() => subscription.state.status).toBe('waiting')
    const added = subscription.add('b', { from: 'earliest' })
    proxy.mend()
    await added
    expect(got).toEqual(['old'])
  })
})

describe('a token', () => {
  const keys = { TIDINGS_PUBLISHER_KEY: secret, TIDINGS_SUBSCRIBER_KEY: secret }
  const token = (seconds: number) => sign({ mercure: { subscribe: ['*'], publish: ['*'] }, exp: now() + seconds })

  it('is renewed on the open stream before it expires', async () => {
    const { url } = await started([], keys)
    let calls = 0
    // It is renewed when a quarter of its life is left.
    const [first, exp] = [await token(9), now() + 9]
    const subscription = subscribe(`${url}/subscribe`, {
      topics: 'a',
      token: () => (++calls === 1 ? first : token(60))
    })
    const { got } = await follow(subscription)
    const states: string[] = []
    subscription.on('state', ({ status }) => states.push(status))
    await expect.poll(() => calls, patient).toBe(2)
    await expect.poll(() => Date.now(), patient).toBeGreaterThan(exp * 1_000 + 500)
    await publish(`${url}/publish`, { topics: 'a', data: 'still here' }, { token: () => token(60) })
    await expect.poll(() => got).toEqual(['still here'])
    expect(states).toEqual([])
  })

  it('that cannot be renewed in time leads to a new stream without loss', async () => {
    const { url } = await started([], keys)
    let [exp, short] = [0, Promise.resolve('')]
    const subscription = subscribe(`${url}/subscribe`, {
      topics: 'a',
      token: () => {
        if (exp === 0) [exp, short] = [now() + 3, token(3)]
        return Date.now() < exp * 1_000 ? short : token(60)
      }
    })
    const states: string[] = []
    subscription.on('state', ({ status }) => states.push(status))
    const { got } = await follow(subscription)
    await publish(`${url}/publish`, { topics: 'a', data: 1 }, { token: () => token(60) })
    await expect.poll(() => states, patient).toEqual(expect.arrayContaining(['connecting', 'waiting']))
    await publish(`${url}/publish`, { topics: 'a', data: 2 }, { token: () => token(60) })
    await expect.poll(() => got, patient).toEqual([1, 2])
  })
})

it('polls if a proxy buffers the stream', async () => {
  const server = await started()
  const proxy = await bufferingProxy(server.url)
  const subscription = subscribe(`${proxy.url}/subscribe`, { topics: 'a', openTimeout: 300 })
  const { got } = await follow(subscription)
  expect(subscription.state).toEqual({ status: 'live', via: 'polling' })
  await publishAll(server.url, 'a', 1, 2)
  await expect.poll(() => got).toEqual([1, 2])
  await publishAll(server.url, 'b', 'other')
  await publishAll(server.url, 'a', 3)
  await expect.poll(() => got).toEqual([1, 2, 3])
  await subscription.add('c')
  await subscription.remove('a')
  await publishAll(server.url, 'a', 'not wanted')
  await publishAll(server.url, 'c', 4)
  await expect.poll(() => got, patient).toEqual([1, 2, 3, 4])
  const paths = proxy.requests.map(({ url }) => url?.split('?')[0])
  expect(paths.slice(0, 2)).toEqual(['/subscribe', '/updates'])
})

describe.each(['1.0', '0.x'] as const)('Mercure %s', (dialect) => {
  it('is a target for publishing and subscribing', async () => {
    const server = await started([], { TIDINGS_PUBLISHER_KEY: secret, TIDINGS_ANONYMOUS: 'true' })
    const proxy = await proxyTo(server)
    const hub = `${proxy.url}/.well-known/mercure`
    const subscription = subscribe(hub, { topics: 'https://example.com/a', dialect })
    const { got } = await follow(subscription)
    const token = await legacy()
    const one = (data: unknown) =>
      publish(`${server.url}/.well-known/mercure`, { topics: 'https://example.com/a', data }, { token })
    expect(await one({ n: 1 })).toEqual([expect.stringMatching(/^#/)])
    await expect.poll(() => got).toEqual([{ n: 1 }])
    proxy.cut()
    await one(2)
    proxy.mend()
    await expect.poll(() => got, patient).toEqual([{ n: 1 }, 2])
  })
})

describe('publish', () => {
  it('is kept once on an idempotent hub, although the first answer is lost', async () => {
    const server = await started(['--idempotent', '1h'])
    let lost = 0
    const lossy: typeof fetch = async (input, init) => {
      const response = await fetch(input, init)
      if (lost++ > 0) return response
      throw new TypeError('the connection broke before the answer arrived')
    }
    const ids = await publish(`${server.url}/publish`, [{ data: 1 }, { data: { two: 2 } }, { data: 'three' }], {
      fetch: lossy
    })
    const { got } = await follow(subscribe(`${server.url}/subscribe`, { from: 'earliest' }))
    await expect.poll(() => got).toEqual([1, { two: 2 }, 'three'])
    expect([ids.length, lost]).toEqual([3, 2])
  })

  it('asks for a fresh token once, and reports a refusal with its code', async () => {
    const { url } = await started([], { TIDINGS_PUBLISHER_KEY: secret, TIDINGS_ANONYMOUS: 'true' })
    let calls = 0
    const token = () => (++calls === 1 ? 'expired.or.invalid' : legacy())
    expect(await publish(`${url}/publish`, { data: 'x' }, { token })).toHaveLength(1)
    await expect(publish(`${url}/publish`, { data: 'x' }, { token: 'a.b.c' })).rejects.toMatchObject({ status: 401 })
    const refused = publish(`${url}/publish`, { topics: '*', data: 'x' }, { token: await legacy() })
    await expect(refused).rejects.toMatchObject({ name: 'RefusedError', status: 400, code: 'line_invalid' })
  })

  it('gives up after retryTimeout, and when it is aborted', async () => {
    const server = await scriptedServer((response) => response.writeHead(503).end('full'))
    await expect(publish(`${server.url}/publish`, { data: 1 }, { retryTimeout: 0 })).rejects.toThrow('full')
    const stop = new AbortController()
    const published = publish(`${server.url}/publish`, { data: 1 }, { signal: stop.signal, retryTimeout: 60_000 })
    await expect.poll(() => server.requests.length).toBeGreaterThan(1)
    stop.abort()
    await expect(published).rejects.toMatchObject({ name: 'AbortError' })
  })
})
