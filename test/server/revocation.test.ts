// Revocations of real servers: they survive a restart and a crash on a folder, hold on all servers of a Redis, and are
// restored when Redis has lost its data.
import { expect, it, onTestFinished } from 'vitest'
import { type Answer, ask, post, serve } from '../support/http/http.ts'
import { http2Ask, http2Session } from '../support/http/http2.ts'
import { audience, bearer, dialects, hubPath, keyed, keys, token } from '../support/http/mercure.ts'
import { listen } from '../support/http/sse-client.ts'
import { newFolder } from '../support/log/log-folder.ts'
import { describeWith, redis } from '../support/requirements.ts'
import { type LocalServer, startInProcess } from '../support/servers/in-process.ts'
import { type RedisServer, redisForTest } from '../support/servers/redis.ts'
import { type ServerProcess, startServer } from '../support/servers/server.ts'

async function start(...args: string[]): Promise<LocalServer> {
  const server = await startInProcess({ args: [...keyed, ...args] })
  onTestFinished(() => server.stop())
  return server
}

/** A server that a test kills. */
async function startProcess(...args: string[]): Promise<ServerProcess> {
  const server = await startServer({ args: [...keyed, ...args] })
  onTestFinished(() => server.kill('SIGKILL'))
  return server
}

type Addressed = Pick<LocalServer, 'url'>

const operator = () =>
  token('1.0', { key: keys.publish, claims: { authorization_details: [{ type: 'tidings:operate' }] } })

async function revoke({ url }: Addressed, body: object, rights?: Record<string, string>): Promise<Answer> {
  const headers = { 'Content-Type': 'application/json', ...(rights ?? bearer(await operator())) }
  return ask(`${url}/revoke`, { method: 'POST', headers, body: JSON.stringify(body) })
}

async function lift({ url }: Addressed, target: string): Promise<void> {
  const answer = await ask(`${url}/revocations?${target}`, { method: 'DELETE', headers: bearer(await operator()) })
  expect(answer.status).toBe(204)
}

const publisher = async (claims: Record<string, unknown>) => bearer(await token('0.x', { publish: ['*'], claims }))
const publish = async ({ url }: Addressed, claims: Record<string, unknown>) =>
  (await post(`${url}/publish`, 'x', await publisher(claims))).status
const later = () => Math.floor(Date.now() / 1_000) + 3_600

it('a crash and a restart on a folder keep what was revoked, with its end, and what was lifted', async () => {
  const folder = newFolder()
  const before = await startProcess('--data', folder)
  for (const body of [{ jti: '7' }, { subject: 'ann', until: later() }, { topic: 'a', until: later() }]) {
    expect((await revoke(before, body)).status).toBe(204)
  }
  await revoke(before, { jti: '9' })
  await lift(before, 'jti=9')
  await before.kill('SIGKILL')
  const after = await start('--data', folder)
  expect(await publish(after, { jti: '9' })).toBe(200)
  expect([await publish(after, { jti: '7' }), await publish(after, { sub: 'ann' })]).toEqual([401, 401])
  expect(await publish(after, { jti: '8', sub: 'bob' })).toBe(200)
  const reader = bearer(await token('1.0', { subscribe: ['*'] }))
  expect((await ask(`${after.url}/subscribe?topic=a`, { method: 'HEAD', headers: reader })).status).toBe(403)
  expect((await ask(`${after.url}/subscribe?topic=b`, { method: 'HEAD', headers: reader })).status).toBe(200)
})

it('a server that is killed right after its response keeps what was revoked', async () => {
  const folder = newFolder()
  for (let round = 0; round < 5; round++) {
    const server = await startProcess('--data', folder)
    expect((await revoke(server, { jti: `${round}` })).status).toBe(204)
    await server.kill('SIGKILL')
  }
  const server = await start('--data', folder)
  for (let round = 0; round < 5; round++) expect(await publish(server, { jti: `${round}` })).toBe(401)
  expect(await publish(server, { jti: '5' })).toBe(200)
})

it('the log and the metrics tell of it, without what was revoked', async () => {
  const server = await start('--log-level', 'debug', '--log-format', 'json')
  const stream = await listen(
    `${server.url}/subscribe`,
    bearer(await token('1.0', { subscribe: ['*'], claims: { sub: 'secret-name' } }))
  )
  await revoke(server, { subject: 'secret-name', until: later() })
  await stream.until(({ ended }) => ended)
  await expect
    .poll(() => server.output())
    .toMatch(/"level":"info".*"kind":"subject","until":".*Z","closed":1,"msg":"revoked"/)
  await expect.poll(() => server.output()).toContain('"reason":"revoked"')
  expect(server.output()).not.toContain('secret-name')
  const reader = bearer(await token('1.0', { subscribe: ['/metrics'] }))
  const { text } = await ask(`${server.url}/metrics`, { headers: reader })
  expect(text).toContain('tidings_revocations 1')
  expect(text).toContain('tidings_revocations_total{kind="subject"} 1')
  expect(text).toContain('tidings_closes_total{reason="revoked"} 1')
  await lift(server, 'subject=secret-name')
  await expect.poll(() => server.output()).toMatch(/"kind":"subject","msg":"revocation lifted"/)
  const { text: after } = await ask(`${server.url}/metrics`, { headers: reader })
  expect(after).toContain('tidings_revocations 0')
  expect(after).toContain('tidings_revocations_lifted_total{kind="subject"} 1')
  expect(server.output()).not.toContain('secret-name')
})

it('a server without keys can be operated from its machine only while it is not open', async () => {
  const local = await startInProcess()
  onTestFinished(() => local.stop())
  expect((await revoke(local, { topic: 'a' }, {})).status).toBe(204)
  const open = await startInProcess({ args: ['--open'] })
  onTestFinished(() => open.stop())
  expect((await revoke(open, { topic: 'a' }, {})).status).toBe(403)
})

it('ends streams on HTTP/2 one by one, and refuses new ones', async () => {
  const server = await start('--h2c')
  const session = http2Session(server.url)
  const open = async (claims: Record<string, unknown>) =>
    http2Ask(session, '/subscribe', bearer(await token('1.0', { subscribe: ['*'], claims })))
  const [revoked, other] = [await open({ jti: '7' }), await open({ jti: '8' })]
  const closed = new Promise((resolve) => revoked.stream.once('close', resolve))
  expect((await revoke(server, { jti: '7' })).status).toBe(204)
  await closed
  expect((await open({ jti: '7' })).status).toBe(401)
  await publish(server, { jti: '9' })
  await expect.poll(() => other.text()).toContain('data: x')
})

it('discards what a client with a revoked token has not read yet', async () => {
  const { hub, url } = await serve(
    {},
    { publisherKey: keys.publish, subscriberKey: keys.subscribe, audience: [audience] }
  )
  const stream = await listen(
    `${url}/subscribe`,
    bearer(await token('1.0', { subscribe: ['*'], claims: { jti: '7' } }))
  )
  stream.pause()
  const [subscriber] = hub.subscribers
  const data = 'x'.repeat(500_000)
  while ((subscriber?.connection.buffered ?? 0) === 0) {
    await hub.publish({ topics: ['t'], data })
    await new Promise(setImmediate)
  }
  const { head } = hub.status
  await hub.revoke({ jti: '7' })
  stream.resume()
  await stream.until(({ ended }) => ended)
  expect(stream.events.length).toBeLessThan(head)
})

describeWith(await redis(), 'a revocation in a fleet', (program) => {
  const onRedis = ({ url }: RedisServer) => ['--store', url, '--log-level', 'silent']
  const nodeOn = (server: RedisServer) => start(...onRedis(server))

  it.each(dialects)('ends streams and refuses the token on every server (%s)', async (dialect) => {
    const server = await redisForTest(program)
    const [one, two] = [await nodeOn(server), await nodeOn(server)]
    const rights = bearer(await token(dialect, { subscribe: ['*'], claims: { sub: 'ann', jti: '7' } }))
    const path = `${hubPath}?${dialect === '1.0' ? 'match' : 'topic'}=a`
    const streams = await Promise.all(
      [one, two].flatMap(({ url }) => [listen(url + path, rights), listen(`${url}/subscribe`, rights)])
    )
    const other = await listen(
      `${two.url}/subscribe`,
      bearer(await token(dialect, { subscribe: ['*'], claims: { jti: '8' } }))
    )
    const startedAt = performance.now()
    expect((await revoke(one, { jti: '7', until: later() })).status).toBe(204)
    for (const stream of streams) await stream.until(({ ended }) => ended)
    console.log(`revocation: streams of both servers ended after ${Math.round(performance.now() - startedAt)} ms`)
    for (const { url } of [one, two]) {
      expect((await ask(url + path, { method: 'HEAD', headers: rights })).status).toBe(401)
    }
    expect(other.ended).toBe(false)
    const late = await nodeOn(server)
    expect((await ask(late.url + path, { method: 'HEAD', headers: rights })).status).toBe(401)
    expect(await publish(late, { jti: '7' })).toBe(401)
    await lift(late, 'jti=7')
    for (const node of [one, two, late]) await expect.poll(() => publish(node, { jti: '7' })).toBe(200)
    // Nobody receives its entry.
    await publish(two, { jti: '8' })
    await other.received(1)
    await other.until(({ data }) => data.length === 4)
    expect(other.data).toEqual(['x', 'x', 'x', 'x'])
  })

  it('is still there after all servers crashed', async () => {
    const server = await redisForTest(program)
    const one = await startProcess(...onRedis(server))
    expect((await revoke(one, { subject: 'ann' })).status).toBe(204)
    await one.kill('SIGKILL')
    const two = await nodeOn(server)
    expect([await publish(two, { sub: 'ann' }), await publish(two, { sub: 'bob' })]).toEqual([401, 200])
  })

  it('is restored by the servers when Redis has lost its data', async () => {
    const server = await redisForTest(program)
    const [one, two] = [await nodeOn(server), await nodeOn(server)]
    await revoke(one, { jti: '7' })
    await revoke(one, { subject: 'ann', until: later() })
    await expect.poll(() => publish(two, { jti: '7' })).toBe(401)
    await server.ask('FLUSHALL')
    const records = async () => {
      const [name] = (await server.ask('KEYS', '*:roster')) as string[]
      return name === undefined ? 0 : Number(await server.ask('HLEN', name))
    }
    await expect.poll(records).toBe(2)
    const late = await nodeOn(server)
    for (const node of [one, two, late]) {
      expect([await publish(node, { jti: '7' }), await publish(node, { sub: 'ann' })]).toEqual([401, 401])
      await expect.poll(() => publish(node, { jti: '8' })).toBe(200)
    }
  })

  it('is refused while Redis is away, and nothing is revoked', async () => {
    const server = await redisForTest(program)
    const one = await nodeOn(server)
    expect(await publish(one, { jti: '7' })).toBe(200)
    await server.kill()
    const answer = await revoke(one, { jti: '7' })
    expect([503, 504]).toContain(answer.status)
    await server.restart()
    await expect.poll(() => publish(one, { jti: '8' })).toBe(200)
    expect(await publish(one, { jti: '7' })).toBe(200)
  })
})
