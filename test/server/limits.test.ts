// Each limit: what it allows, how it rejects, and when it is released.
import { describe, expect, it, onTestFinished } from 'vitest'
import { ask, post } from '../support/http/http.ts'
import { bearer, keyed, token } from '../support/http/mercure.ts'
import { listen } from '../support/http/sse-client.ts'
import { startInProcess } from '../support/servers/in-process.ts'
import { startServer } from '../support/servers/server.ts'

async function start(...args: string[]) {
  const server = await startInProcess({ args })
  onTestFinished(() => server.stop())
  return server
}

/** A server with memory of its own. */
async function startProcess(...args: string[]) {
  const server = await startServer({ args })
  onTestFinished(() => server.kill('SIGKILL'))
  return server
}

describe('concurrent streams', () => {
  it('in total: the next one is rejected with 503 and Retry-After, and accepted after another ends', async () => {
    const { url } = await start('--max-connections', '2')
    const [first] = [await listen(`${url}/subscribe`), await listen(`${url}/subscribe`)]
    const refused = await ask(`${url}/subscribe`)
    expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': '1' } })
    expect(refused.text).toBe('The server has reached its limit of streams.\n')
    first.close()
    await expect.poll(async () => (await listen(`${url}/subscribe`)).status).toBe(200)
  })

  it('per client address, as reported by a trusted proxy', async () => {
    const { url } = await start('--max-connections-per-address', '1', '--trusted-proxies', '127.0.0.1')
    const from = (address: string) => listen(`${url}/subscribe`, { 'X-Forwarded-For': address })
    const ann = await from('203.0.113.1')
    expect((await from('198.51.100.1, 203.0.113.1')).status).toBe(429)
    expect((await from('203.0.113.2')).status).toBe(200)
    expect((await from('2001:db8::1')).status).toBe(200)
    expect((await from('2001:db8::2')).status).toBe(429)
    ann.close()
    await expect.poll(async () => (await from('203.0.113.1')).status).toBe(200)
  })

  it('per client address, ignoring the headers of an untrusted proxy', async () => {
    const { url } = await start('--max-connections-per-address', '1')
    await listen(`${url}/subscribe`, { 'X-Forwarded-For': '203.0.113.1' })
    const refused = await ask(`${url}/subscribe`, { headers: { 'X-Forwarded-For': '203.0.113.2' } })
    expect(refused).toMatchObject({
      status: 429,
      text: 'There are too many streams from this address: the limit is 1.\n'
    })
  })

  it('per token subject, also in Mercure', async () => {
    const { url } = await start(...keyed, '--max-connections-per-subject', '1')
    const as = async (sub: string) => bearer(await token('1.0', { subscribe: ['*'], claims: { sub } }))
    await listen(`${url}/subscribe`, await as('ann'))
    const refused = await ask(`${url}/.well-known/mercure?match=a`, { headers: await as('ann') })
    expect(refused).toMatchObject({ status: 429, headers: { 'retry-after': '1' } })
    expect((await listen(`${url}/subscribe`, await as('bob'))).status).toBe(200)
  })
})

describe('HEAD', () => {
  it.each(['/subscribe', '/.well-known/mercure?topic=a'])(
    'of %s counts as a stream until its response is complete',
    async (path) => {
      const { url } = await start('--max-connections', '1')
      const head = async () => (await ask(url + path, { method: 'HEAD' })).status
      expect(await head()).toBe(200)
      await expect.poll(head).toBe(200)
      // With workers, the primary counts streams, and hears of an end a moment later.
      await expect.poll(async () => (await listen(`${url}/subscribe`)).status).toBe(200)
      expect(await head()).toBe(503)
    }
  )

  it('is paced like streams', async () => {
    const { url } = await start('--connect-rate', '1')
    const heads = Array.from({ length: 14 }, () => ask(`${url}/subscribe`, { method: 'HEAD' }))
    // Queued requests are closed when the server stops.
    for (const head of heads) head.catch(() => {})
    expect((await Promise.race(heads.slice(11))).status).toBe(503)
  })
})

describe('rates', () => {
  it('of publishes: excess requests are rejected with 429, and publish nothing', async () => {
    const { url } = await start('--publish-rate', '5')
    const since = performance.now()
    const answers = await Promise.all(Array.from({ length: 20 }, (_, count) => post(`${url}/publish`, String(count))))
    const seconds = (performance.now() - since) / 1_000
    const accepted = answers.filter(({ status }) => status === 200).length
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 429]))
    expect(accepted).toBeLessThanOrEqual(5 + 5 * seconds)
    const client = await listen(`${url}/subscribe?last=20`)
    expect(await client.received(accepted)).toHaveLength(accepted)
    await expect.poll(async () => (await post(`${url}/publish`, 'later')).status).toBe(200)
  })

  it('of connects: a burst is paced, and no client is rejected', async () => {
    const { url } = await start('--connect-rate', '100')
    const since = performance.now()
    const streams = await Promise.all(Array.from({ length: 150 }, () => listen(`${url}/subscribe`)))
    expect(streams.every(({ status }) => status === 200)).toBe(true)
    expect(performance.now() - since).toBeGreaterThan(1_000)
  })

  it('of connects: clients that would wait longer than ten seconds are rejected with 503', async () => {
    const { url } = await start('--connect-rate', '1')
    const streams = Array.from({ length: 14 }, () => listen(`${url}/subscribe`))
    const first = await Promise.race(streams.slice(11))
    expect(first.status).toBe(503)
    for (const stream of streams) void stream.then((client) => client.close()).catch(() => {})
  })
})

describe('memory', () => {
  it('above its limit rejects new streams, and serves existing ones', async () => {
    const { url, pid } = await startProcess('--max-memory', '500MB')
    const client = await listen(`${url}/subscribe`)
    process.kill(pid, 'SIGHUP')
    await post(`${url}/publish`, 'hello')
    expect(await client.received(1)).toEqual(['hello'])
    const small = await startProcess('--max-memory', '1MB')
    expect(await ask(`${small.url}/subscribe`)).toMatchObject({ status: 503, headers: { 'retry-after': '1' } })
    expect((await post(`${small.url}/publish`, 'still')).status).toBe(200)
  })
})

it.each([
  ['--max-connections', 'many', '--max-connections: expected a whole number, or 0 for no limit, got "many"'],
  ['--max-memory', '1 lot', '--max-memory: expected a size such as 64MiB, got "1 lot"'],
  ['--trusted-proxies', '10.0.0.0/33', '--trusted-proxies: expected an address or a network'],
  ['--drain-timeout', 'soon', '--drain-timeout: expected a duration with a unit such as 10s, got "soon"']
])('rejects %s %s in one line', async (flag, value, why) => {
  await expect(startInProcess({ args: [flag, value] })).rejects.toThrow(why)
})
