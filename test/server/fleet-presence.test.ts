// Presence on all servers of a fleet: real processes on one Redis, some of which are killed or suspended; and a single
// server on its folder, which is killed and restarted.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ask } from '../support/http/http.ts'
import { dialects, fresh, keyed, MercureServer } from '../support/http/mercure.ts'
import { announcements, askList, listPath, pathOf, subscriptionsAt, watch } from '../support/hub/presence.ts'
import { describeWith, redis } from '../support/requirements.ts'
import { type RedisServer, redisForTest } from '../support/servers/redis.ts'
import { hasWorkers } from '../support/servers/server.ts'

/** Time in which a crashed server's subscriptions must disappear, in milliseconds. */
const timeout = 2_000
/** Allowance for a busy machine, in milliseconds. */
const timeoutMs = timeout + 5_000

const options = [...keyed, '--subscriptions', '--presence-timeout', `${timeout}ms`, '--log-level', 'error']

/** A node with a process of its own, for tests that kill or suspend it. */
async function startNode(...args: string[]): Promise<MercureServer> {
  const node = new MercureServer()
  await node.start([...options, ...args])
  onTestFinished(() => node.stop())
  return node
}

const processOn = (server: RedisServer) => startNode('--store', server.url)

/** A node in the test process. */
async function nodeOn({ url }: RedisServer): Promise<MercureServer> {
  const node = new MercureServer()
  await node.startInProcess([...options, '--store', url])
  onTestFinished(() => node.stop())
  return node
}

/** The topics of the subscriptions that one server lists. */
const topicsAt = async (node: MercureServer) =>
  (await subscriptionsAt(node, '0.x', listPath)).map(({ topic }) => topic).sort()
describeWith(await redis(), 'presence in a fleet', (program) => {
  it.each(dialects)('is listed and announced by every server (%s)', async (dialect) => {
    const server = await redisForTest(program)
    const [one, two] = [await nodeOn(server), await nodeOn(server)]
    const topic = fresh()
    const watcher = await watch(two, dialect)
    const client = await one.follow(dialect, topic)
    await watcher.until(() => announcements(watcher, topic).length === 1)
    const late = await nodeOn(server)
    const [here, there, later] = await Promise.all(
      [one, two, late].map((node) => subscriptionsAt(node, dialect, pathOf(dialect, topic)))
    )
    expect(here).toHaveLength(1)
    expect([there, later]).toEqual([here, here])
    const { id = '' } = here?.[0] ?? {}
    expect((await askList(late, dialect, id)).json()).toMatchObject({ id, active: true })
    client.close()
    await watcher.until(() => announcements(watcher, topic).length === 2)
    for (const node of [one, two, late]) {
      await expect.poll(() => subscriptionsAt(node, dialect, pathOf(dialect, topic))).toEqual([])
    }
    expect((await askList(late, dialect, id)).status).toBe(404)
  })

  it('removes the subscriptions of a crashed server in time, and announces this once', async () => {
    const server = await redisForTest(program)
    const nodes = [await processOn(server), await nodeOn(server), await nodeOn(server)]
    const [doomed, second, third] = nodes as [MercureServer, MercureServer, MercureServer]
    const watcher = await watch(second, '0.x')
    await Promise.all(['a', 'b', 'c'].map((topic) => doomed.follow('0.x', topic)))
    await second.follow('0.x', 'd')
    for (const node of nodes) await expect.poll(() => topicsAt(node)).toEqual(['*', 'a', 'b', 'c', 'd'])
    await doomed.process.kill('SIGKILL')
    const died = performance.now()
    for (const node of [second, third])
      await expect.poll(() => topicsAt(node), { timeout: timeoutMs }).toEqual(['*', 'd'])
    console.log(`presence: gone after ${Math.round(performance.now() - died)} of ${timeout} ms`)
    // No second announcement follows.
    await sleep(timeout)
    const ends = ['a', 'b', 'c', 'd'].map((topic) => announcements(watcher, topic).map(({ active }) => active))
    expect(ends).toEqual([[true, false], [true, false], [true, false], [true]])
  })

  it('is empty after all servers crashed, once a new server starts', async () => {
    const server = await redisForTest(program)
    // Long enough for the next server to start within it.
    const lease = 3 * timeout
    const node = await startNode('--store', server.url, '--presence-timeout', `${lease}ms`)
    await node.follow('0.x', 'a')
    await expect.poll(() => topicsAt(node)).toEqual(['a'])
    node.process.signal('SIGKILL')
    await node.process.kill('SIGKILL')
    const next = await nodeOn(server)
    // With workers, the start may take longer than the lease.
    if (!hasWorkers) expect(await topicsAt(next)).toEqual(['a'])
    await expect.poll(() => topicsAt(next), { timeout: lease + 5_000 }).toEqual([])
  })

  it("is kept when Redis was away for longer than a server's lease", async () => {
    const server = await redisForTest(program)
    const [one, two] = [await nodeOn(server), await nodeOn(server)]
    const watcher = await watch(two, '0.x')
    await one.follow('0.x', 'a')
    await expect.poll(() => topicsAt(two)).toEqual(['*', 'a'])
    server.signal('SIGSTOP')
    await sleep(2 * timeout)
    server.signal('SIGCONT')
    await sleep(2 * timeout)
    for (const node of [one, two]) expect(await topicsAt(node)).toEqual(['*', 'a'])
    expect(announcements(watcher, 'a').map(({ active }) => active)).toEqual([true])
  })

  it('is restored for a server that was only slow', async () => {
    const server = await redisForTest(program)
    const [one, two] = [await processOn(server), await nodeOn(server)]
    await one.follow('0.x', 'a')
    await expect.poll(() => topicsAt(two)).toEqual(['a'])
    one.process.signal('SIGSTOP')
    await expect.poll(() => topicsAt(two), { timeout: timeoutMs }).toEqual([])
    one.process.signal('SIGCONT')
    for (const node of [two, one]) await expect.poll(() => topicsAt(node), { timeout: timeoutMs }).toEqual(['a'])
  })

  it('announces later which subscriptions started and ended while Redis was away', async () => {
    const server = await redisForTest(program, '--appendonly', 'yes', '--appendfsync', 'always')
    const [one, two] = [await nodeOn(server), await nodeOn(server)]
    const leaving = await one.follow('0.x', 'before')
    await expect.poll(() => topicsAt(two)).toEqual(['before'])
    await server.kill()
    leaving.close()
    await one.follow('0.x', 'meanwhile')
    const readiness = async () => Promise.all([one, two].map(async ({ url }) => (await ask(`${url}/readyz`)).status))
    await expect.poll(readiness).toEqual([503, 503])
    await server.restart()
    for (const node of [one, two]) {
      await expect.poll(() => topicsAt(node)).toEqual(['meanwhile'])
    }
  })
})

describe('presence on a single server that is killed', () => {
  it('announces the ended subscriptions after a restart on the same folder', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tidings-presence-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const node = await startNode('--data', folder)
    await node.follow('0.x', 'a')
    await expect.poll(() => topicsAt(node)).toEqual(['a'])
    await node.process.kill('SIGKILL')
    const next = await startNode('--data', folder)
    const watcher = await watch(next, '0.x', ['*'], { 'Last-Event-ID': 'earliest' })
    await expect.poll(() => topicsAt(next), { timeout: timeoutMs }).toEqual(['*'])
    await watcher.until(() => announcements(watcher, 'a').length === 2)
    expect(announcements(watcher, 'a').map(({ active }) => active)).toEqual([true, false])
  })
})
