// Subscriptions of one page that share a stream, with the real server. Tabs are tested in test/browser/shared.test.ts.
import { describe, expect, it, onTestFinished } from 'vitest'
import { publish, type SubscribeOptions, type Subscription, subscribe } from '../../dist/client/index.js'
import { History } from '../../dist/client/shared/history.js'
import { legacy, secret } from '../support/auth/tokens.ts'
import { cuttableProxy } from '../support/servers/cuttable-proxy.ts'
import { startInProcess } from '../support/servers/in-process.ts'

const patient = { timeout: 60_000 }

async function started(env: Record<string, string> = {}) {
  const server = await startInProcess({ args: ['--allow-delete'], env })
  onTestFinished(() => server.stop())
  const connections = async () => (await fetch(`${server.url}/debug`)).text()
  const send = (topics: string, ...data: unknown[]) =>
    publish(
      `${server.url}/publish`,
      data.map((one) => ({ topics, data: one }))
    )
  return { ...server, connections, send }
}

/** A page: its subscriptions share a stream, and its requests are recorded. */
function page(url: string) {
  const requests: string[] = []
  const recorded: typeof fetch = (input, init) => {
    const { pathname, searchParams } = new URL(String(input))
    const topics = searchParams.getAll('topic').join()
    requests.push(`${init?.method ?? 'GET'} ${pathname.replace(/x?control.*/, 'control')} ${init?.body ?? topics}`)
    return fetch(input, init)
  }
  const open = (topics: string | string[], options: SubscribeOptions<unknown> = {}) => {
    const subscription = subscribe(`${url}/subscribe`, { topics, shared: 'page', fetch: recorded, ...options })
    onTestFinished(() => subscription.close())
    const got: unknown[] = []
    subscription.on('update', ({ data }) => got.push(data))
    return { subscription, got }
  }
  return { requests, open }
}

const areLive = (...all: { subscription: Subscription<unknown> }[]) =>
  expect.poll(() => all.map(({ subscription }) => subscription.state.status), patient).toEqual(all.map(() => 'live'))

describe('subscriptions of a page', () => {
  it('that begin together have one stream and no change', async () => {
    const { url, send, connections } = await started()
    const { open, requests } = page(url)
    const all = Array.from({ length: 50 }, (_, index) => open(`orders/${index}`))
    await areLive(...all)
    expect(new Set(all.map(({ subscription }) => JSON.stringify(subscription.sharing)))).toEqual(
      new Set(['{"role":"leader"}'])
    )
    expect(await connections()).toBe('Currently 1 subscription')
    expect(requests).toHaveLength(1)
    for (const index of all.keys()) await send(`orders/${index}`, index)
    await expect.poll(() => all.map(({ got }) => got)).toEqual(all.map((_, index) => [index]))
    expect(all[0]?.subscription.sharing).toEqual({ role: 'leader' })
  })

  it('that begin and end later change the stream, several with one request', async () => {
    const { url, send, connections } = await started()
    const { open, requests } = page(url)
    const first = open('a')
    await areLive(first)
    const more = [open('b'), open('c/{id}'), open('a')]
    await areLive(...more)
    await send('a', 1)
    await send('b', 2)
    await send('c/7', 3)
    await expect.poll(() => [first, ...more].map(({ got }) => got)).toEqual([[1], [2], [3], [1]])
    const rest = more.slice(0, 2)
    for (const { subscription } of rest) subscription.close()
    const changes = () => requests.filter((request) => request.startsWith('PATCH'))
    await expect
      .poll(changes)
      .toEqual(['PATCH /control {"add":["b","c/{id}","a"]}', 'PATCH /control {"remove":["b","c/{id}"]}'])
    await send('b', 4)
    await send('a', 5)
    await expect.poll(() => first.got).toEqual([1, 5])
    expect(rest.map(({ got }) => got)).toEqual([[2], [3]])
    first.subscription.close()
    more[2]?.subscription.close()
    await expect.poll(connections).toBe('Currently 0 subscriptions')
  })

  it('read their own history, each from its own id', async () => {
    const { url, send } = await started()
    const ids = await send('a', 1, 2, 3)
    const { open } = page(url)
    const live = open('a')
    await areLive(live)
    const after = open('a', { from: ids[1] as string })
    const all = open('a', { from: 'earliest' })
    const last = open('a', { last: 2 })
    const states: string[] = []
    all.subscription.on('state', ({ status }) => states.push(status))
    await areLive(after, all, last)
    await send('a', 4)
    await expect
      .poll(() => [live, after, all, last].map(({ got }) => got))
      .toEqual([[4], [3, 4], [1, 2, 3, 4], [2, 3, 4]])
    expect(states).toEqual(['connecting', 'catching-up', 'live'])
    expect(all.subscription.lastEventId).toBe(live.subscription.lastEventId)
  })

  it('miss and repeat nothing while thousands of updates are published and the connection is cut', async () => {
    const server = await started()
    const proxy = await cuttableProxy(server.port)
    onTestFinished(() => proxy.close())
    const { open } = page(proxy.url)
    const all = [open('a')]
    await areLive(...all)
    const expected: number[] = []
    for (let round = 0; round < 20; round++) {
      const batch = Array.from({ length: 100 }, (_, index) => round * 100 + index)
      expected.push(...batch)
      await server.send('a', ...batch)
      if (round % 5 === 2) proxy.cut()
      if (round % 5 === 3) proxy.mend()
      all.push(open('a', { from: 'earliest' }))
    }
    for (const { got } of all) await expect.poll(() => got.length, patient).toBe(expected.length)
    for (const { got } of all) expect(got).toEqual(expected)
  })

  it('that begin while the connection is down are live when the hub has confirmed their topics, and not before', async () => {
    const server = await started()
    const proxy = await cuttableProxy(server.port)
    onTestFinished(() => proxy.close())
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const slow: typeof fetch = async (input, init) => {
      if (init?.method === 'PATCH') await held
      return fetch(input, init)
    }
    const { open } = page(proxy.url)
    const first = open('a', { fetch: slow })
    await areLive(first)
    proxy.cut()
    await expect.poll(() => first.subscription.state.status).toBe('waiting')
    const second = open('b')
    proxy.mend()
    await areLive(first)
    await server.send('a', 'arrives')
    await expect.poll(() => first.got).toEqual(['arrives'])
    expect(second.subscription.state.status).toBe('connecting')
    release()
    await areLive(second)
    await server.send('b', 'arrives too')
    await expect.poll(() => second.got).toEqual(['arrives too'])
  })

  it('that are slower than the stream get a connection of their own, without loss', async () => {
    const { url, send, connections } = await started()
    const { open } = page(url)
    const fast = open('a')
    const slow = subscribe<number>(`${url}/subscribe`, { topics: 'a', shared: 'page' })
    onTestFinished(() => slow.close())
    const updates = slow[Symbol.asyncIterator]()
    const first = updates.next()
    await areLive(fast)
    await expect.poll(() => slow.state.status).toBe('live')
    for (let round = 0; round < 11; round++) {
      await send('a', ...Array.from({ length: 1_000 }, (_, index) => round * 1_000 + index))
    }
    expect((await first).value?.data).toBe(0)
    await expect.poll(() => slow.sharing.role, patient).toBe('alone')
    for (let expected = 1; expected < 11_000; expected++) expect((await updates.next()).value?.data).toBe(expected)
    await expect.poll(() => fast.got.length, patient).toBe(11_000)
    expect(await connections()).toBe('Currently 2 subscriptions')
  })

  it('whose history the hub refuses continue alone, and report each state once', async () => {
    const { url, send } = await started()
    const [from] = await send('a', 1, 2)
    const refusing: typeof fetch = (input, init) =>
      String(input).includes('/updates')
        ? Promise.resolve(Response.json({ error: { code: 'no', message: 'no history' } }, { status: 403 }))
        : fetch(input, init)
    const { open } = page(url)
    const { subscription, got } = open('a', { from: from as string, fetch: refusing })
    const states: string[] = []
    subscription.on('state', ({ status }) => states.push(status))
    await expect.poll(() => got).toEqual([2])
    await areLive({ subscription })
    expect(subscription.sharing).toEqual({ role: 'alone', reason: 'no history' })
    expect(states).toEqual(['connecting', 'catching-up', 'connecting', 'catching-up', 'live'])
  })

  it('end with their topics, although the stream goes on', async () => {
    const { url, send } = await started()
    const { open } = page(url)
    const a = open('a')
    const job = open('job')
    await areLive(a, job)
    await publish(`${url}/publish`, [
      { topics: 'job', data: 'half' },
      { topics: 'job', end: true }
    ])
    await expect.poll(() => job.subscription.state).toEqual({ status: 'closed', reason: 'ended' })
    expect(job.got).toEqual(['half'])
    const again = open('job', { from: 'earliest' })
    await expect.poll(() => again.subscription.state).toEqual({ status: 'closed', reason: 'ended' })
    expect(again.got).toEqual(['half'])
    await send('a', 1)
    await expect.poll(() => a.got).toEqual([1])
  })

  it('hear of deletions of their topics', async () => {
    const { url, send } = await started()
    const { open } = page(url)
    const all = [open('a'), open('b')]
    const deletions = all.map(({ subscription }) => {
      const got: unknown[] = []
      subscription.on('deleted', (deletion) => got.push(deletion))
      return got
    })
    await areLive(...all)
    const [id] = await send('a', 'secret')
    await fetch(`${url}/updates/${encodeURIComponent(id as string)}`, { method: 'DELETE' })
    await send('b', 'later')
    await expect.poll(() => all[1]?.got).toEqual(['later'])
    expect(deletions).toEqual([[{ topics: ['a'], id }], []])
  })

  it('change their topics, with history, and refuse to remove the last one', async () => {
    const { url, send } = await started()
    await send('b', 'old')
    const { open } = page(url)
    const { subscription, got } = open('a')
    await subscription.add('b', { from: 'earliest' })
    await expect(subscription.remove(['a', 'b'])).rejects.toMatchObject({ code: 'selector_missing' })
    await subscription.remove('a')
    expect(subscription.topics).toEqual(['b'])
    await send('a', 'not wanted')
    await send('b', 'new')
    await expect.poll(() => got).toEqual(['old', 'new'])
    await expect(subscription.add('x'.repeat(5_000))).rejects.toMatchObject({ name: 'RefusedError' })
    expect(subscription.topics).toEqual(['b'])
    subscription.close()
    await expect(subscription.add('c')).rejects.toThrow('closed')
  })

  it('are refused one by one', async () => {
    const { url } = await started({ TIDINGS_SUBSCRIBER_KEY: secret, TIDINGS_PUBLISHER_KEY: secret })
    const { open } = page(url)
    const token = await legacy()
    const allowed = open('a', { token, group: 'one' })
    await areLive(allowed)
    const refused = open('b', { token: 'not.a.token', group: 'two' })
    await expect
      .poll(() => refused.subscription.state, patient)
      .toMatchObject({
        status: 'closed',
        reason: 'refused',
        error: { status: 401 }
      })
    expect(refused.subscription.sharing.role).toBe('alone')
    expect(allowed.subscription.state.status).toBe('live')
  })

  it('of a Mercure hub do not share', async () => {
    const { url } = await started()
    const options = { topics: 'https://example.com/a', shared: true }
    const subscription = subscribe(`${url}/.well-known/mercure`, options)
    subscription.close()
    expect(subscription.sharing).toEqual({ role: 'alone', reason: 'a Mercure hub cannot share a stream' })
  })
})

it('history is read again from a server that is behind the confirmed position', async () => {
  const pages = ['#e-4', '#e-9', '#e-a'].map((lastEventId) => ({
    updates: [],
    lastEventId,
    gap: null,
    more: false,
    ended: false
  }))
  const requests: string[] = []
  const history = new History(
    {
      endpoint: { dialect: 'tidings', streamUrl: () => '', pageUrl: ({ lastEventId }) => `http://hub/${lastEventId}` },
      topics: ['a'],
      from: '',
      fetch: async (input) => {
        requests.push(String(input))
        return Response.json(pages[requests.length - 1])
      },
      pauseWhenHidden: false,
      idleTimeoutMs: 0,
      openTimeoutMs: 0,
      onEvent: () => {},
      onState: () => {},
      onLeaving: () => {}
    },
    new AbortController().signal
  )
  const read: string[] = []
  for await (const { lastEventId } of history.read({ topics: ['a'], after: '#e-3', through: '#e-a' }))
    read.push(lastEventId)
  expect(read).toEqual(['#e-4', '#e-9', '#e-a'])
  expect(requests).toEqual(['http://hub/#e-3', 'http://hub/#e-4', 'http://hub/#e-9'])
})
