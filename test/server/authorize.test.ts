// The authorization callback: the application decides on every stream and publish, after the token. Without a response,
// access is denied.
import { describe, expect, it, onTestFinished } from 'vitest'
import { ask, post } from '../support/http/http.ts'
import { bearer, form, hubPath, keyed, token } from '../support/http/mercure.ts'
import { listen } from '../support/http/sse-client.ts'
import { type Backend, hang, isSigned, respond, startBackend, webhookKey } from '../support/servers/backend.ts'
import { freePort } from '../support/servers/free-port.ts'
import { type LocalServer, startInProcess } from '../support/servers/in-process.ts'

async function start(address: string, args: string[] = [], env = {}): Promise<LocalServer> {
  const server = await startInProcess({ args: ['--authorize', address, ...args], env })
  onTestFinished(() => server.stop())
  return server
}

const json = { Accept: 'application/json' }
/** Requests a stream that is expected to be rejected. */
const refusal = (url: string, headers = {}) => ask(url, { headers: { ...json, ...headers } })
const requestsTo = ({ calls }: Backend) => calls.map((called) => called.json())

describe('the authorization request', () => {
  it('describes a stream, once, after token verification, and is signed', async () => {
    const backend = await startBackend()
    const args = [...keyed, '--authorize-headers', 'Cookie,X-Team']
    const { url } = await start(backend.url, args, { TIDINGS_WEBHOOK_KEY: webhookKey })
    expect((await ask(`${url}/subscribe`, { headers: bearer('none') })).status).toBe(401)
    const rights = bearer(await token('1.0', { subscribe: [], claims: { sub: 'ann' } }))
    await listen(`${url}/subscribe?topic=a&topic=b/{id}`, { ...rights, Cookie: 'session=7', 'X-Other': 'x' })
    expect(requestsTo(backend)).toEqual([
      {
        action: 'subscribe',
        topics: ['a', 'b/{id}'],
        address: '127.0.0.1',
        subject: 'ann',
        headers: { cookie: 'session=7' }
      }
    ])
    expect(backend.calls.every((called) => isSigned(called))).toBe(true)
    expect(backend.calls[0]?.headers.authorization).toBeUndefined()
  })

  it('describes a publish, once for all its updates, after the grants check, without the data', async () => {
    const backend = await startBackend()
    const { url } = await start(backend.url, keyed)
    const rights = bearer(await token('0.x', { publish: ['a', 'b'] }))
    expect((await post(`${url}/publish?topic=c`, 'x', rights)).status).toBe(403)
    const batch = '{"topic":"a","data":"secret"}\n{"topics":["a","b"],"private":true}\n'
    const ndjson = { 'Content-Type': 'application/x-ndjson' }
    expect((await post(`${url}/publish`, batch, { ...rights, ...ndjson })).status).toBe(200)
    expect((await post(`${url}/publish?topic=a`, 'secret', rights)).status).toBe(200)
    const common = { action: 'publish', address: '127.0.0.1', headers: {} }
    expect(requestsTo(backend)).toEqual([
      { ...common, topics: ['a', 'b'], private: true },
      { ...common, topics: ['a'], private: false }
    ])
  })

  it('states the type of a matcher that its text does not show', async () => {
    const backend = await startBackend()
    const { url } = await start(backend.url)
    const query = form({ match: ['https://example.com/a', 'a{b}', '*'], match_urlpattern: '/public/../:id' })
    await listen(`${url}${hubPath}?${query}`)
    const pattern = { match: '/public/../:id', match_type: 'urlpattern' }
    expect(requestsTo(backend)[0]?.topics).toEqual([
      'https://example.com/a',
      { match: 'a{b}', match_type: 'exact' },
      '*',
      pattern
    ])
  })

  it('is not sent for a request that is rejected anyway', async () => {
    const backend = await startBackend()
    const { url } = await start(backend.url)
    expect((await ask(`${url}/subscribe?topic=`)).status).toBe(400)
    expect((await post(`${url}/publish?topic=a&type=tidings:x`, 'x')).status).toBe(400)
    expect((await post(`${url}/publish?topic=a`, 'x', { Origin: 'https://evil.example' })).status).toBe(403)
    expect(backend.calls).toEqual([])
  })

  it('is sent for every endpoint and method: HEAD, QUERY, and GET /publish', async () => {
    const backend = await startBackend(respond(403))
    const { url } = await start(backend.url)
    const type = { 'Content-Type': 'application/x-www-form-urlencoded', Accept: 'text/event-stream' }
    const answers = [
      await ask(`${url}/subscribe`, { method: 'HEAD' }),
      await ask(`${url}${hubPath}?match=a`, { method: 'HEAD' }),
      await ask(`${url}${hubPath}`, { method: 'QUERY', headers: type, body: 'match=a' }),
      await ask(`${url}/publish`)
    ]
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403])
    expect(backend.calls.length).toBe(4)
  })
})

describe('a denial', () => {
  it.each([401, 403])('with %d rejects streams and publishes, and nothing is published', async (status) => {
    const backend = await startBackend((response, called) => {
      response.writeHead(called.body.includes('forbidden') ? status : 204).end()
    })
    const { url } = await start(backend.url)
    const client = await listen(`${url}/subscribe`)
    const refused = await refusal(`${url}/subscribe?topic=forbidden`)
    expect(refused).toMatchObject({ status: 403 })
    expect(refused.json()).toEqual({
      error: { code: 'not_granted', message: 'Permission denied: the authorizing application refuses it.' }
    })
    expect((await post(`${url}/publish?topic=forbidden`, 'x')).status).toBe(403)
    await post(`${url}/publish?topic=a`, 'allowed')
    expect(await client.received(1)).toEqual(['allowed'])
  })

  it.each([
    ['1.0', 403, 'Bearer error="insufficient_scope"'],
    ['0.x', 401, 'Bearer']
  ] as const)('uses the response format of Mercure %s', async (dialect, status, challenge) => {
    const backend = await startBackend(respond(403))
    const { url } = await start(backend.url, keyed)
    const selector = dialect === '1.0' ? 'match=a' : 'topic=a'
    const subscribing = await ask(`${url}${hubPath}?${selector}`, {
      headers: bearer(await token(dialect, { subscribe: ['*'] }))
    })
    const publishing = await ask(url + hubPath, {
      method: 'POST',
      body: form({ topic: 'https://example.com/a', data: 'x' }),
      headers: {
        'Content-Type': 'application/x-www-form-urlencoded',
        ...bearer(await token(dialect, { publish: ['*'] }))
      }
    })
    for (const answer of [subscribing, publishing]) {
      expect(answer.status).toBe(status)
      expect(answer.headers['www-authenticate']).toContain(challenge)
      if (dialect === '0.x') expect(answer.text).toBe('Unauthorized\n')
    }
    expect(requestsTo(backend).map(({ action }) => action)).toEqual(['subscribe', 'publish'])
  })
})

describe('a missing or invalid response', () => {
  const failed = { status: 503, headers: { 'retry-after': '1' } }

  it.each([
    ['500', respond(500)],
    ['404', respond(404)],
    ['a redirect', respond(302)],
    ['a readable that is not a list', respond(200, { readable: 'a' })],
    ['an empty selector', respond(200, { readable: [''] })],
    ['too many selectors', respond(200, { readable: Array.from({ length: 1_001 }, (_, at) => `${at}`) })],
    ['an expired until', respond(200, { until: 1 })],
    ['an until that is not a number', respond(200, { until: 'tomorrow' })],
    ['a list', respond(200, [])],
    ['a body of several megabytes', respond(200, { more: 'x'.repeat(2 ** 20) })],
    ['JSON that is truncated', respond(200)]
  ])('such as %s denies access', async (name, answer) => {
    const cut: typeof answer = (response) => void response.writeHead(200).end('{"until":')
    const backend = await startBackend(name.startsWith('JSON') ? cut : answer)
    const { url, output } = await start(backend.url)
    const refused = await refusal(`${url}/subscribe`)
    expect(refused).toMatchObject(failed)
    expect(refused.json()).toMatchObject({ error: { code: 'authorize_failed' } })
    expect(await post(`${url}/publish`, 'x')).toMatchObject(failed)
    await expect.poll(output).toContain('authorize: http://127.0.0.1:')
    expect(output()).not.toContain('/tidings')
  })

  it('denies access after the timeout', async () => {
    const backend = await startBackend(hang)
    const { url } = await start(backend.url, ['--authorize-timeout', '300ms'])
    const since = performance.now()
    expect(await refusal(`${url}/subscribe`)).toMatchObject(failed)
    expect(performance.now() - since).toBeGreaterThanOrEqual(290)
    for (const selector of ['match=a', 'topic=a']) {
      expect(await ask(`${url}${hubPath}?${selector}`)).toMatchObject(failed)
    }
  })

  it('denies access when the application is unreachable, and is logged', async () => {
    const { url, output } = await start(`http://127.0.0.1:${await freePort()}/`)
    expect(await refusal(`${url}/subscribe`)).toMatchObject(failed)
    await expect.poll(output).toContain('ECONNREFUSED')
  })

  it('is retried once when a reused connection was closed', async () => {
    const backend = await startBackend((response, _, count) => {
      if (count === 2) response.socket?.destroy()
      else response.writeHead(204).end()
    })
    const { url } = await start(backend.url)
    expect((await post(`${url}/publish`, '1')).status).toBe(200)
    expect((await post(`${url}/publish`, '2')).status).toBe(200)
    expect(backend.calls.length).toBe(3)
  })
})

describe('a decision', () => {
  const publish = ({ url }: LocalServer, topic = 'a') => post(`${url}/publish?topic=${topic}`, 'x')

  // Each worker has a cache and a queue.
  const startOne = (address: string, args: string[] = []) => start(address, ['--workers', '1', ...args])

  it('is cached for its max-age, for exactly the same request', async () => {
    const backend = await startBackend(respond(200, {}, 60))
    const server = await startOne(backend.url)
    for (let at = 0; at < 5; at++) expect((await publish(server)).status).toBe(200)
    expect(backend.calls.length).toBe(1)
    backend.answer = respond(200, {}, 1)
    await publish(server, 'b')
    expect(backend.calls.length).toBe(2)
    backend.answer = respond(403)
    await expect.poll(async () => (await publish(server, 'b')).status).toBe(403)
    expect((backend.calls[2]?.at ?? 0) - (backend.calls[1]?.at ?? 0)).toBeGreaterThanOrEqual(990)
    expect((await publish(server)).status).toBe(200)
  })

  it('is also cached when it is a denial', async () => {
    const backend = await startBackend(respond(403, undefined, 60))
    const server = await startOne(backend.url)
    expect([(await publish(server)).status, (await publish(server)).status]).toEqual([403, 403])
    expect(backend.calls.length).toBe(1)
  })

  it.each([
    ['no Cache-Control', undefined],
    ['no-store', 'no-store, max-age=60'],
    ['no-cache', 'max-age=60, no-cache']
  ])('is not cached when the response has %s', async (_, value) => {
    const backend = await startBackend((response) => {
      response.writeHead(204, value === undefined ? {} : { 'Cache-Control': value }).end()
    })
    const server = await start(backend.url)
    await publish(server)
    await publish(server)
    expect(backend.calls.length).toBe(2)
  })

  it('is not cached when there was no response', async () => {
    const backend = await startBackend((response, _, count) => {
      response.writeHead(count === 1 ? 500 : 204, { 'Cache-Control': 'max-age=60' }).end()
    })
    const server = await start(backend.url)
    expect([(await publish(server)).status, (await publish(server)).status]).toEqual([503, 200])
  })

  it('is shared by concurrent identical requests', async () => {
    const backend = await startBackend(hang)
    const server = await startOne(backend.url)
    let decide = () => {}
    backend.answer = (response) => {
      decide = () => void response.writeHead(204).end()
    }
    const answers = Array.from({ length: 20 }, () => publish(server))
    await backend.waitForCalls(1)
    // Requests are read in the order in which they arrive: by then the server has all of them.
    for (let count = 0; count < 2; count++) await ask(`${server.url}/healthz`)
    decide()
    for (const answer of answers) expect((await answer).status).toBe(200)
    expect(backend.calls.length).toBe(1)
  })

  it('queues requests beyond a hundred, for a limited time', async () => {
    let most = 0
    let now = 0
    const held: (() => void)[] = []
    let isReleased = false
    const release = () => {
      isReleased = true
      for (const answer of held.splice(0)) answer()
    }
    const backend = await startBackend((response) => {
      most = Math.max(most, ++now)
      held.push(() => {
        now--
        response.writeHead(204).end()
      })
      if (isReleased) release()
      // A request beyond the limit would arrive meanwhile.
      else if (now === 100) setTimeout(release, 200)
    })
    const all = (server: LocalServer, count: number) =>
      Promise.all(Array.from({ length: count }, (_, at) => publish(server, `${at}`)))
    const tolerant = await startOne(backend.url, ['--authorize-timeout', '20s'])
    expect((await all(tolerant, 250)).every(({ status }) => status === 200)).toBe(true)
    expect(most).toBe(100)
    backend.answer = hang
    const server = await start(backend.url, ['--authorize-timeout', '5s'])
    const refusedAt: number[] = []
    const refusals = Array.from({ length: 150 }, async (_, at) => {
      const { status } = await publish(server, `${at}`)
      refusedAt.push(performance.now())
      return status
    })
    expect(new Set(await Promise.all(refusals))).toEqual(new Set([503]))
    // If the timeout began only when a request leaves the queue, the last would be refused five seconds after the first.
    expect(Math.max(...refusedAt) - Math.min(...refusedAt)).toBeLessThan(3_750)
  })
})

describe('a limit on streams', () => {
  it('also counts streams whose authorization is pending', async () => {
    const backend = await startBackend((response) => void setTimeout(() => response.writeHead(204).end(), 300))
    const { url } = await start(backend.url, ['--max-connections', '2'])
    const streams = await Promise.all(Array.from({ length: 10 }, (_, at) => listen(`${url}/subscribe?topic=${at}`)))
    expect(streams.map(({ status }) => status).sort()).toEqual([200, 200, ...Array(8).fill(503)])
    expect(backend.calls.length).toBe(2)
  })

  it('does not count streams that the application denied', async () => {
    const backend = await startBackend(respond(403))
    const { url } = await start(backend.url, ['--max-connections', '1', '--max-connections-per-address', '1'])
    for (const topic of ['a', 'b']) expect((await ask(`${url}/subscribe?topic=${topic}`)).status).toBe(403)
    backend.answer = respond(204)
    expect((await listen(`${url}/subscribe`)).status).toBe(200)
  })
})

describe('a response with permissions', () => {
  const publishPrivately = ({ url }: LocalServer, topic: string, headers = {}) =>
    post(`${url}/publish?topic=${topic}&private`, topic, headers)

  it('adds readable topics; approval alone adds none', async () => {
    const backend = await startBackend((...call) => {
      const isAnn = call[1].body.includes('ann')
      respond(200, isAnn ? { readable: ['a', 'orders/{id}'] } : {})(...call)
    })
    const server = await start(backend.url, ['--authorize-headers', 'x-user'])
    const ann = await listen(`${server.url}/subscribe`, { 'X-User': 'ann' })
    const bob = await listen(`${server.url}/subscribe`, { 'X-User': 'bob' })
    for (const topic of ['a', 'b', 'orders/17']) await publishPrivately(server, topic)
    await post(`${server.url}/publish`, 'public')
    expect(await ann.received(3)).toEqual(['a', 'orders/17', 'public'])
    expect(await bob.received(1)).toEqual(['public'])
  })

  it('keeps the grants of the token', async () => {
    const backend = await startBackend(respond(200, { readable: ['a'] }))
    const server = await start(backend.url, keyed)
    const client = await listen(`${server.url}/subscribe`, bearer(await token('1.0', { subscribe: ['b'] })))
    const publisher = bearer(await token('1.0', { publish: ['*'] }))
    for (const topic of ['a', 'c', 'b']) await publishPrivately(server, topic, publisher)
    expect(await client.received(2)).toEqual(['a', 'b'])
  })

  it('ends the stream at its `until`', async () => {
    const backend = await startBackend()
    const { url, output } = await start(backend.url, ['--log-level', 'debug'])
    let until: number | undefined
    backend.answer = (...call) => {
      until ??= Date.now() / 1_000 + 2
      respond(200, { until }, 60)(...call)
    }
    const client = await listen(`${url}/subscribe`)
    await client.until(({ ended }) => ended)
    await expect.poll(output).toContain('"reason":"expired"')
    // It has expired or is about to, so it is not cached.
    await expect.poll(async () => (await refusal(`${url}/subscribe`)).status).toBe(503)
  })
})

describe('a server without keys', () => {
  it('listens beyond localhost, because the application guards it', async () => {
    const backend = await startBackend(respond(403))
    const { url } = await start(backend.url, ['--host', '0.0.0.0'])
    const { port } = new URL(url)
    const named = await ask(`http://127.0.0.1:${port}/subscribe`, { headers: { Host: 'hub.example.com' } })
    expect(named.status).toBe(403)
    expect(named.text).toContain('the authorizing application refuses it')
  })

  it('lists subscriptions only if the application allows reading the path', async () => {
    const backend = await startBackend()
    const { url } = await start(backend.url)
    for (const path of ['/debug', '/metrics']) {
      expect((await ask(url + path)).status).toBe(403)
      expect(requestsTo(backend).at(-1)).toMatchObject({ action: 'subscribe', topics: [path] })
      backend.answer = respond(200, { readable: [path] })
      expect((await ask(url + path)).status).toBe(200)
      backend.answer = respond(200)
    }
    expect((await ask(url)).status).toBe(200)
  })
})

describe('options', () => {
  it.each([
    [['--authorize', 'app.example.com'], '--authorize: expected a URL that begins with https:// or http://'],
    [['--authorize', 'https://ann:secret@example.com'], '--authorize: expected a URL'],
    [
      ['--authorize', 'https://example.com', '--authorize-headers', 'a:b'],
      '--authorize-headers: expected the name of a header, got "a:b"'
    ],
    [['--authorize', 'https://example.com', '--authorize-timeout', '2m'], '--authorize-timeout: expected more than 0'],
    [['--authorize', 'https://example.com', '--open'], '--open: lets anyone publish and subscribe']
  ])('rejects %s', async (args, message) => {
    const refused = await startInProcess({ args }).catch((error: Error) => error)
    expect(refused).toBeInstanceOf(Error)
    expect((refused as Error).message).toContain(message)
    expect((refused as Error).message).not.toContain('secret')
  })
})
