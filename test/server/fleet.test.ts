// Three servers on one Redis act as one hub: clients that are cut reconnect to another server, servers are killed, and Redis
// hangs or is killed and restarts, with or without its data. Every client has all acknowledged updates, in one order, each
// once, or receives a gap event for a new epoch.

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { expectCompleteHistories } from '../support/histories/history-assertions.ts'
import { post } from '../support/http/http.ts'
import { ResumingClient } from '../support/http/resuming-client.ts'
import { listen } from '../support/http/sse-client.ts'
import { isSoak, type Random, randomFrom, seed } from '../support/random.ts'
import { describeWith, redis } from '../support/requirements.ts'
import { tidings } from '../support/servers/cli.ts'
import { freePort } from '../support/servers/free-port.ts'
import { type RedisServer, redisForTest } from '../support/servers/redis.ts'
import { type ServerProcess, startServer } from '../support/servers/server.ts'

const rounds = isSoak ? 100 : 6
const durable = ['--appendonly', 'yes', '--appendfsync', 'always']

class Fleet {
  /** By id. */
  readonly acknowledged = new Map<string, string>()
  losses = 0
  readonly clients: ResumingClient[] = []
  readonly #redis: RedisServer
  readonly #random: Random
  readonly #nodes: { port: number; server: ServerProcess }[] = []
  #isDone = false

  constructor(redis: RedisServer, random: Random) {
    this.#redis = redis
    this.#random = random
  }

  async start(): Promise<void> {
    for (let count = 0; count < 3; count++) {
      const port = await freePort()
      this.#nodes.push({ port, server: await this.#startNode(port) })
    }
    for (let count = 0; count < 40; count++) {
      this.clients.push(new ResumingClient(() => `${this.#someNode()}/subscribe?last_event_id=earliest`))
    }
  }

  /** Publishes to each server in turn, one update after the other, until stopped. */
  async publish(name: string): Promise<void> {
    for (let number = 0; !this.#isDone; number++) {
      const data = `${name}-${number}`
      const answer = await post(`${this.#someNode()}/publish`, data).catch(() => undefined)
      if (answer?.status === 200) this.acknowledged.set(String(answer.headers['event-id']), data)
      else await sleep(20)
    }
  }

  /** Injects a fault, and repairs it. */
  async trouble(): Promise<void> {
    const random = this.#random
    for (const client of this.clients) if (random.chance(0.3)) client.cut()
    const kind = random.between(0, 4)
    if (kind === 0) await this.#killNode()
    if (kind === 1) {
      this.#redis.signal('SIGSTOP')
      await sleep(random.between(100, 500))
      this.#redis.signal('SIGCONT')
    }
    if (kind === 2) {
      await this.#redis.kill()
      await sleep(random.between(0, 300))
      await this.#redis.restart()
    }
    if (kind === 3) await this.lose()
    await sleep(random.between(50, 300))
  }

  /** Restarts Redis without its data. */
  async lose(): Promise<void> {
    this.losses++
    await this.#redis.kill()
    rmSync(join(this.#redis.folder, 'appendonlydir'), { recursive: true, force: true })
    await this.#redis.restart()
  }

  /** Resolves when every client can receive a complete history. */
  async settle(): Promise<void> {
    const before = this.acknowledged.size
    await expect.poll(() => this.acknowledged.size).toBeGreaterThan(before + 10)
  }

  stop(): void {
    this.#isDone = true
  }

  close(): void {
    for (const client of this.clients) client.close()
  }

  #someNode(): string {
    const { port } = this.#nodes[this.#random.between(0, this.#nodes.length - 1)] as { port: number }
    return `http://127.0.0.1:${port}`
  }

  async #killNode(): Promise<void> {
    const node = this.#nodes[this.#random.between(0, this.#nodes.length - 1)]
    if (!node) return
    await node.server.kill('SIGKILL')
    node.server = await this.#startNode(node.port)
  }

  async #startNode(port: number): Promise<ServerProcess> {
    const server = await startServer({ port, args: ['--store', this.#redis.url, '--log-level', 'error'] })
    onTestFinished(() => server.kill('SIGKILL'))
    return server
  }
}

describeWith(await redis(), 'a fleet of three servers', (program) => {
  const options = isSoak ? { timeout: 600_000 } : {}
  it(`delivers one history to every client through ${rounds} rounds of faults`, options, async () => {
    console.log(`fleet: seed ${seed}, ${rounds} rounds`)
    const fleet = new Fleet(await redisForTest(program, ...durable), randomFrom(seed))
    await fleet.start()
    onTestFinished(() => fleet.close())
    const publishing = ['a', 'b', 'c'].map((name) => fleet.publish(name))
    for (let round = 0; round < rounds; round++) await fleet.trouble()
    await fleet.settle()
    if (fleet.losses === 0) await fleet.lose()
    await fleet.settle()
    fleet.stop()
    await Promise.all(publishing)
    console.log(`fleet: the data was lost ${fleet.losses} times`)
    await expectCompleteHistories(fleet.clients, fleet.acknowledged)
  })

  it('sends a gap event to every client when Redis has lost its data', async () => {
    const redis = await redisForTest(program)
    const server = await startServer({ args: ['--store', redis.url, '--log-level', 'silent'] })
    onTestFinished(() => server.kill('SIGKILL'))
    await post(`${server.url}/publish`, 'before')
    const client = await listen(`${server.url}/subscribe?last=1`)
    await client.received(1)
    await redis.kill()
    expect((await post(`${server.url}/publish`, 'meanwhile')).status).toBeGreaterThanOrEqual(503)
    await redis.restart()
    await expect.poll(async () => (await post(`${server.url}/publish`, 'after')).status).toBe(200)
    const resume = () => listen(`${server.url}/subscribe`, { 'Last-Event-ID': client.events[0]?.id ?? '' })
    let again = await resume()
    const found = () => again.until(({ data, ended }) => ended || data.includes('after'))
    // A process that does not know yet that the data is lost closes the stream when it finds out.
    for (await found(); !again.data.includes('after'); await found()) again = await resume()
    expect(again.events[0]).toMatchObject({ event: 'tidings:gap' })
    expect(again.events[0]?.data).toContain('"reason":"epoch"')
  })

  it('reports in one line that Redis requires a password', async () => {
    const server = await redisForTest(program, '--requirepass', 'secret-word')
    const { code, stderr } = await tidings(['serve', '--port', '0', '--store', server.url])
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'tidings: The log cannot be reached: NOAUTH Authentication required.\n'
    })
  })
})

describe('--store', () => {
  it('reports in one line that Redis is unreachable, without the password', async () => {
    const { code, stderr } = await tidings([
      'serve',
      '--store',
      `redis://user:secret-word@127.0.0.1:${await freePort()}`
    ])
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^tidings: The log cannot be reached.*\n$/)
    })
    expect(stderr).not.toContain('secret-word')
  })

  it('cannot be combined with --data', async () => {
    const { code, stderr } = await tidings(['serve', '--store', 'redis://127.0.0.1', '--data', 'anywhere'])
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'tidings: --data: cannot be combined with --store; remove one of them\n'
    })
  })
})
