// Heartbeats, the end of streams, rejected streams, and what the server never logs about them.
import { describe, expect, it, onTestFinished } from 'vitest'
import { MemoryLog, type Update } from '../../dist/index.js'
import { ask, serve } from '../support/http/http.ts'
import { bearer, dialects, form, fresh, hubPath, keyed, keys, MercureServer, token } from '../support/http/mercure.ts'
import { dialectNames, keyedHandler, reader, topicsOf } from '../support/http/mercure-dialects.ts'
import { listen } from '../support/http/sse-client.ts'

/** A server process for one test. */
async function start(...args: string[]): Promise<MercureServer> {
  const server = new MercureServer()
  await server.start([...keyed, ...args])
  onTestFinished(() => server.stop())
  return server
}

const soon = () => Math.floor(Date.now() / 1_000) + 4

describe.each(dialects)('a stream of %s', (dialect) => {
  const { selector, lastEventId } = dialectNames[dialect]
  const address = (url: string, topic = 'a') => `${url + hubPath}?${form({ [selector]: topic })}`
  /** The streams that the server has closed, as its debug page lists them. */
  const closesOf = async (url: string) => {
    const headers = { Accept: 'application/json', ...(await reader(dialect, ['/debug'])) }
    return ((await ask(`${url}/debug`, { headers })).json() as Debug).closes
  }

  it('S3: is rejected by a hub that shuts down, and not announced', async () => {
    const appended: Update[] = []
    const log = new MemoryLog()
    const announce = log.roster.announce.bind(log)
    log.roster.announce = (announcements) => {
      appended.push(...announcements.map(({ update }) => update))
      return announce(announcements)
    }
    const { hub, url } = await serve({ log }, { ...keyedHandler, subscriptions: true })
    const stream = await listen(address(url), await reader(dialect))
    await expect.poll(() => topicsOf(appended).length).toBe(1)
    await hub.close()
    await stream.until(({ ended }) => ended)
    const before = appended.length
    const answer = await ask(address(url), { headers: await reader(dialect) })
    expect(answer).toMatchObject({ status: 503, text: 'Service Unavailable\n', headers: { 'retry-after': '1' } })
    expect(appended.length).toBe(before)
  })

  it('S15: sends ":\\n" after each idle interval', async () => {
    const { hub, url } = await serve({ heartbeat: 50 }, keyedHandler)
    const stream = await listen(address(url), await reader(dialect))
    await stream.until(({ raw }) => raw === ':\n'.repeat(4))
    await hub.publish({ topics: ['a'], data: 'x', id: 'x' })
    await stream.until(({ raw }) => /^(:\n){4,}id: x\ndata: x\n\n(:\n){2}/.test(raw))
  })

  it('S15: sends no heartbeat while updates arrive', async () => {
    const heartbeat = 1_000
    const { hub, url } = await serve({ heartbeat }, keyedHandler)
    const stream = await listen(address(url), await reader(dialect))
    const since = performance.now()
    for (let count = 1; performance.now() - since < 1.2 * heartbeat; count++) {
      await hub.publish({ topics: ['a'], data: 'x', id: 'x' })
      await stream.received(count)
    }
    expect(stream.raw.replaceAll('id: x\ndata: x\n\n', '')).toBe(':\n')
  })

  it('S16: ends when its token expires, and not much earlier', async () => {
    const server = await start()
    const exp = soon()
    const stream = await server.follow(dialect, fresh(), { headers: await reader(dialect, [], { claims: { exp } }) })
    await stream.until(({ ended }) => ended)
    expect(Date.now() / 1_000).toBeGreaterThan(exp - 0.5)
    // The client observes it later on a busy machine, so the time is that of the server.
    const [close] = await closesOf(server.url)
    expect(close?.reason).toBe('expired')
    expect(close?.at).toBeLessThanOrEqual(exp * 1_000 + 1_000)
  })

  it('S16: also ends during the replay of history', async () => {
    const server = await start()
    const topic = fresh()
    for (let count = 0; count < 40; count++) await server.publish(dialect, { topic, data: 'x'.repeat(1_000_000) })
    const exp = soon()
    const headers = await reader(dialect, [], { claims: { exp } })
    const stream = await server.follow(dialect, topic, { headers, query: `&${lastEventId}=earliest` })
    stream.pause()
    const closes = () => closesOf(server.url)
    await expect.poll(closes).toMatchObject([{ reason: 'expired', at: expect.any(Number) }])
    expect((await closes())[0]?.at).toBeLessThanOrEqual(exp * 1_000 + 1_000)
    stream.resume()
    await stream.until(({ ended }) => ended)
    expect(stream.events.length).toBeLessThan(40)
  })

  it('S17: ends on shutdown, after all published updates', async () => {
    const server = await start()
    const topic = fresh()
    const streams = await Promise.all([1, 2, 3].map(() => server.follow(dialect, topic)))
    await server.publish(dialect, { topic, data: 'last' })
    await server.process.kill('SIGTERM')
    for (const stream of streams) {
      await stream.until(({ ended }) => ended)
      expect(stream.data).toEqual(['last'])
    }
    await expect(ask(address(server.url))).rejects.toThrow('ECONNREFUSED')
  })

  it('S19: is not logged with its token, claims or key', async () => {
    const server = await start('--subscriptions')
    const rights = { payload: { user: 'secret-payload' }, claims: { sub: 'secret-subject' } }
    const good = await token(dialect, { subscribe: ['secret-grant'], ...rights })
    const bad = await token(dialect, { subscribe: ['secret-grant'], ...rights, key: keys.publish })
    await server.follow(dialect, 'a', { headers: bearer(good) })
    await server.refused(form({ authorization: good }), bearer(good))
    for (const found of [bad, `${good}x`]) {
      await server.refused(form({ [selector]: 'a', authorization: found }))
      await server.refused(form({ [selector]: 'a' }), { Cookie: `mercureAuthorization=${found}` })
      await server.refused('', bearer(found))
      await server.post('topic=a', bearer(found))
    }
    await server.process.kill('SIGTERM')
    const output = server.process.output()
    for (const part of [...good.split('.'), ...bad.split('.'), 'secret', keys.publish, keys.subscribe]) {
      expect(output).not.toContain(part)
    }
  })
})

interface Debug {
  readonly closes: readonly { readonly reason: string; readonly at: number }[]
}
