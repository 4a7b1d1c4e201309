// Kills the real server with SIGKILL during publishing. The publishers do not know which updates were stored, and publish them
// again with the same ids; the log must contain each update once.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { type Answer, post } from '../support/http/http.ts'
import { listen } from '../support/http/sse-client.ts'
import { randomFrom, seed } from '../support/random.ts'
import { hasWorkers, startServer } from '../support/servers/server.ts'

const rounds = 8

/** Publishes its updates in order; repeats each until a running server responds. */
class StubbornPublisher {
  readonly name: string
  answered = 0
  repeated = 0

  constructor(name: string) {
    this.name = name
  }

  get ids(): string[] {
    return Array.from({ length: this.answered }, (_, number) => `${this.name}-${number}`)
  }

  /** Until the server is gone. */
  async publish(url: string): Promise<void> {
    for (let answer = await this.send(url); answer; answer = await this.send(url)) {
      // A worker whose primary process was killed does not know whether the update was stored.
      if (hasWorkers && answer.status === 504) continue
      expect(answer.status).toBe(200)
      this.answered++
      if (answer.headers['idempotent-replayed'] === 'true') this.repeated++
    }
  }

  /** Undefined if there was no response. */
  send(url: string, number = this.answered): Promise<Answer | undefined> {
    const id = `${this.name}-${number}`
    // Every second update is identified by its idempotency key, and has no id of its own.
    const sent =
      number % 2 === 0 ? post(`${url}/publish?id=${id}`, id) : post(`${url}/publish`, id, { 'Idempotency-Key': id })
    return sent.catch(() => undefined)
  }
}

it(`stores updates once that are repeated after a kill (seed ${seed})`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidings-repeat-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const random = randomFrom(seed)
  const start = () => startServer({ args: ['--data', folder, '--idempotent', '1h'] })
  const publishers = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => new StubbornPublisher(name))
  for (let round = 0; round < rounds; round++) {
    const server = await start()
    const before = publishers.map(({ answered }) => answered)
    const publishing = publishers.map((publisher) => publisher.publish(server.url))
    await expect.poll(() => publishers.every(({ answered }, at) => answered > (before[at] as number))).toBe(true)
    await sleep(random.between(0, 150))
    await server.kill('SIGKILL')
    await Promise.all(publishing)
  }
  const server = await start()
  onTestFinished(() => server.kill('SIGKILL'))
  // Updates in flight at the last kill, and updates acknowledged long ago.
  for (const publisher of publishers) {
    expect(await publisher.send(server.url)).toMatchObject({ status: 200 })
    publisher.answered++
    for (const number of [0, 1]) {
      const again = await publisher.send(server.url, number)
      expect(again?.headers['idempotent-replayed'], `${publisher.name}-${number}`).toBe('true')
    }
  }
  await post(`${server.url}/publish`, 'end')
  const stream = await listen(`${server.url}/subscribe?last_event_id=earliest`)
  await stream.until(({ events }) => events.at(-1)?.data === 'end')
  stream.close()
  const kept = stream.events.slice(0, -1).map(({ data }) => data)
  for (const { name, ids } of publishers) expect(kept.filter((data) => data.startsWith(`${name}-`))).toEqual(ids)
  const repeated = publishers.reduce((sum, publisher) => sum + publisher.repeated, 0)
  console.log(`repeat after crash: ${kept.length} updates, ${repeated} were stored without an acknowledgement`)
})
