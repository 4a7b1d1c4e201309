// What the client does after each status, silence and broken connection.
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { RefusedError, type State, type Subscription, subscribe } from '../../dist/client/index.js'
import { opening, scriptedServer, stream, update } from '../support/client/scripted-server.ts'

/** The states of a subscription, and the data of its updates. */
function recorded(subscription: Subscription<unknown>) {
  onTestFinished(() => subscription.close())
  const states: State[] = []
  const updates: unknown[] = []
  subscription.on('state', (state) => states.push(state))
  subscription.on('update', ({ data }) => updates.push(data))
  return { states, updates, names: () => states.map(({ status }) => status) }
}

const closed = (subscription: Subscription<unknown>) => expect.poll(() => subscription.state.status)

describe('a status', () => {
  it('204 ends the subscription', async () => {
    const server = await scriptedServer((response) => response.writeHead(204).end())
    const subscription = subscribe(`${server.url}/subscribe`)
    const { states } = recorded(subscription)
    await closed(subscription).toBe('closed')
    expect(states).toEqual([{ status: 'connecting' }, { status: 'closed', reason: 'ended' }])
  })

  it.each([401, 403, 404, 410])('%i is final after one attempt with a fresh token', async (status) => {
    const error = { code: 'not_granted', message: 'no' }
    const server = await scriptedServer((response) => response.writeHead(status).end(JSON.stringify({ error })))
    let calls = 0
    const subscription = subscribe(`${server.url}/subscribe`, { token: async () => `token-${++calls}` })
    const iterated = (async () => {
      for await (const _ of subscription) throw new Error('there is no update')
    })()
    await expect(iterated).rejects.toEqual(new RefusedError(status, 'not_granted', 'no'))
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer token-1', 'Bearer token-2'])
  })

  it.each([400, 401])('%i is final at once without a way to get another token', async (status) => {
    const server = await scriptedServer((response) => response.writeHead(status).end('say which topic'))
    const subscription = subscribe(`${server.url}/subscribe`, { token: 'constant' })
    recorded(subscription)
    await closed(subscription).toBe('closed')
    expect(subscription.state).toMatchObject({ reason: 'refused', error: { status, message: 'say which topic' } })
    expect(server.requests.length).toBe(1)
  })

  it.each([408, 429, 500, 502, 503])('%i is retried', async (status) => {
    const server = await scriptedServer((response, _, count) => {
      if (count === 0) response.writeHead(status).end('<html>later</html>')
      else stream(response, opening('#e-1') + update('#e-2', '"hello"'))
    })
    const { updates, states } = recorded(subscribe(`${server.url}/subscribe`))
    await expect.poll(() => updates).toEqual(['hello'])
    expect(states[1]).toMatchObject({ status: 'waiting', reason: `the server answered ${status}` })
  })

  it('Retry-After is the minimum', async () => {
    const server = await scriptedServer((response, _, count) => {
      if (count === 0) response.writeHead(503, { 'Retry-After': '2' }).end('draining')
      else stream(response, opening('#e-1'))
    })
    const { states } = recorded(subscribe(`${server.url}/subscribe`))
    const before = Date.now()
    await expect.poll(() => states.at(-1)?.status).toBe('live')
    const waiting = states.find((state) => state.status === 'waiting')
    expect(waiting?.until).toBeGreaterThanOrEqual(before + 2_000)
    expect(Date.now()).toBeGreaterThanOrEqual(before + 1_999)
  })

  it('200 with a page is final before the first stream, and retried after it', async () => {
    const page = await scriptedServer((response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end('<p>'))
    const wrong = subscribe(`${page.url}/`)
    recorded(wrong)
    await closed(wrong).toBe('closed')
    expect(wrong.state).toMatchObject({ error: { code: 'not_a_stream' } })
    const server = await scriptedServer((response, _, count) => {
      if (count === 0) stream(response, opening('#e-1'))
      else if (count === 1) response.writeHead(200, { 'Content-Type': 'text/html' })
      else stream(response, update('#e-2', '2'))
      if (count < 2) response.end()
    })
    const { updates } = recorded(subscribe(`${server.url}/subscribe`))
    await expect.poll(() => updates).toEqual([2])
  })
})

describe('a connection', () => {
  it('is opened again from the last id when the stream ends', async () => {
    const server = await scriptedServer((response, _, count) => {
      stream(response, count === 0 ? opening('#e-1') + update('own id/ä', '1') : update('#e-3', '2'))
      if (count === 0) response.end()
    })
    const { updates } = recorded(subscribe(`${server.url}/subscribe`, { topics: ['a', 'b'] }))
    await expect.poll(() => updates).toEqual([1, 2])
    const [first, second] = server.requests.map(({ url }) => new URL(url as string, server.url).searchParams)
    expect(first?.getAll('topic')).toEqual(['a', 'b'])
    expect(first?.get('last_event_id')).toBe(null)
    expect(second?.get('last_event_id')).toBe('own id/ä')
  })

  it('that is silent for twice the heartbeat interval is given up', async () => {
    const server = await scriptedServer((response, _, count) => {
      stream(response, count === 0 ? opening('#e-1', { heartbeat: 200 }) : update('#e-2', '2'))
    })
    const { updates, states } = recorded(subscribe(`${server.url}/subscribe`))
    await expect.poll(() => updates).toEqual([2])
    expect(states).toContainEqual(expect.objectContaining({ status: 'waiting', reason: 'the stream is silent' }))
  })

  it.each([
    ['forward, as after a sleep of the device, is replaced', 3_600_000, 60_000],
    ['back is still given up when it is silent', -3_600_000, 300]
  ])('during which the clock jumps %s', async (_, jumpMs, heartbeat) => {
    const server = await scriptedServer((response, _, count) => {
      stream(response, count === 0 ? opening('#e-1', { heartbeat }) : update('#e-2', '2'))
    })
    const { updates, names } = recorded(subscribe(`${server.url}/subscribe`))
    await expect.poll(names).toContain('live')
    const realNow = Date.now
    vi.spyOn(Date, 'now').mockImplementation(() => realNow() + jumpMs)
    onTestFinished(() => void vi.restoreAllMocks())
    await expect.poll(() => updates).toEqual([2])
  })

  it('that always breaks after the opening is opened less and less often', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.01)
    onTestFinished(() => void vi.restoreAllMocks())
    const server = await scriptedServer((response) => {
      stream(response, opening('#e-1'))
      response.end()
    })
    const subscription = subscribe(`${server.url}/subscribe`)
    const waits: number[] = []
    subscription.on('state', (state) => state.status === 'waiting' && waits.push(state.until - Date.now()))
    recorded(subscription)
    await expect.poll(() => waits.length).toBeGreaterThanOrEqual(5)
    // Ten milliseconds, doubled four times. The clock may have moved since.
    expect(waits[4]).toBeGreaterThan(100)
  })

  it('waits for a slow consumer, and is not taken for silent meanwhile', async () => {
    const text = Array.from({ length: 200 }, (_, index) => update(`#e-${index + 2}`, String(index))).join('')
    const server = await scriptedServer((response) => stream(response, opening('#e-1', { heartbeat: 100 }) + text))
    const subscription = subscribe<number>(`${server.url}/subscribe`)
    const { names } = recorded(subscription)
    const got: number[] = []
    for await (const { data } of subscription) {
      // The consumer is busy for longer than the stream may be silent.
      if (got.push(data) === 10) await new Promise((resolve) => setTimeout(resolve, 600))
      if (got.length === 200) break
    }
    expect(got).toEqual(Array.from({ length: 200 }, (_, index) => index))
    expect(names()).toEqual(['connecting', 'live', 'closed'])
  })
})

it('parse takes a schema, and an invalid update is reported and skipped', async () => {
  const text =
    opening('#e-1') + update('#e-2', '{"total":1}') + update('#e-3', '{"total":"x"}') + update('#e-4', '{"total":2}')
  const server = await scriptedServer((response) => stream(response, text))
  const parse = {
    '~standard': {
      version: 1 as const,
      validate: (value: unknown) => {
        const { total } = value as { total: unknown }
        return typeof total === 'number' ? { value: { total } } : { issues: [{ message: 'total is no number' }] }
      }
    }
  }
  const subscription = subscribe<{ total: number }>(`${server.url}/subscribe`, { parse })
  const invalid: string[] = []
  subscription.on('invalid', ({ update, error }) => invalid.push(`${update.id}: ${(error as Error).message}`))
  const totals: number[] = []
  for await (const { data } of subscription) if (totals.push(data.total) === 2) break
  expect(totals).toEqual([1, 2])
  expect(invalid).toEqual(['#e-3: total is no number'])
  expect(subscription.lastEventId).toBe('#e-4')
})

it('the last id survives a page load in a storage, and counts only updates that a loop has taken', async () => {
  const updates = [2, 3, 4].map((offset) => update(`#e-${offset}`, String(offset))).join('')
  const server = await scriptedServer((response) => stream(response, opening('#e-1') + updates))
  const saved = new Map<string, string>()
  const storage = {
    getItem: (key: string) => saved.get(key) ?? null,
    setItem: (key: string, value: string) => void saved.set(key, value)
  }
  for (const _ of [1, 2]) {
    const subscription = subscribe(`${server.url}/subscribe`, { topics: 'a', storage })
    for await (const _ of subscription) break
    expect(subscription.lastEventId).toBe('#e-2')
  }
  const ids = server.requests.map(({ url }) => new URL(url as string, server.url).searchParams.get('last_event_id'))
  expect(ids).toEqual([null, '#e-2'])
})

it('a change that waits is rejected when the subscription is closed', async () => {
  const server = await scriptedServer((response, { method }) => {
    if (method === 'GET') stream(response, opening('#e-1'))
  })
  const subscription = subscribe(`${server.url}/subscribe`, { topics: 'a' })
  const { names } = recorded(subscription)
  await expect.poll(names).toContain('live')
  const waiting = subscription.add('b')
  subscription.close()
  await expect(waiting).rejects.toThrow('the subscription is closed')
  await expect(subscription.add('c')).rejects.toThrow('the subscription is closed')
})

it('a function is asked for a token at every attempt, and its error is retried', async () => {
  const server = await scriptedServer((response) => stream(response, opening('#e-1')))
  let calls = 0
  const { states } = recorded(
    subscribe(`${server.url}/subscribe`, {
      token: () => {
        if (++calls === 1) throw new Error('the login service is down')
        return 'second'
      }
    })
  )
  await expect.poll(() => states.at(-1)?.status).toBe('live')
  expect(states).toContainEqual(expect.objectContaining({ status: 'waiting', reason: 'the login service is down' }))
  expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer second'])
})
