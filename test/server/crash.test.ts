// Kills the real server with SIGKILL at random moments during publishing, and restarts it on the same folder. Acknowledged updates
// must exist once, in order, with their ids, and subscribers must be able to resume.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { listen, type SseClient } from '../support/http/sse-client.ts'
import { CrashPublisher } from '../support/log/crash-publisher.ts'
import { isSoak, type Random, randomFrom, seed } from '../support/random.ts'
import { type ServerProcess, startServer } from '../support/servers/server.ts'

const rounds = isSoak ? 100 : 10

interface Seen {
  readonly id: string
  readonly data: string
}

/** A subscriber of all topics that reconnects with its last id after each crash. */
class Follower {
  readonly seen: Seen[] = []
  #client: SseClient | undefined

  async connect(url: string): Promise<void> {
    const last = this.seen.at(-1)?.id ?? 'earliest'
    this.#client = await listen(`${url}/subscribe`, { 'Last-Event-ID': last })
    if (last !== 'earliest') expect(this.#client.headers['last-event-id']).toBe(last)
  }

  /** Events received before the disconnect; an incomplete event at the end is dropped, as the SSE standard requires. */
  async take(): Promise<void> {
    await this.#client?.until(({ ended }) => ended)
    for (const { id = '', data, event } of this.#client?.events.splice(0) ?? []) {
      expect(event, `unexpected event: ${data}`).not.toBe('tidings:gap')
      this.seen.push({ id, data })
    }
  }

  /** Waits until it has received an id, then disconnects. */
  async until(id: string | undefined): Promise<void> {
    const known = this.seen.at(-1)?.id === id
    if (!known) await this.#client?.until(({ events }) => events.some((event) => event.id === id), `the event ${id}`)
    this.#client?.close()
    await this.take()
  }
}

it(`loses no acknowledged update in ${rounds} kills (seed ${seed})`, { timeout: 600_000 }, async () => {
  console.log(`crash: seed ${seed}, ${rounds} rounds (TEST_SEED sets another)`)
  const folder = mkdtempSync(join(tmpdir(), 'tidings-crash-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const random = randomFrom(seed)
  const publishers = Array.from({ length: 4 }, (_, number) => new CrashPublisher(`p${number}`, random))
  const follower = new Follower()
  for (let round = 0; round < rounds; round++) await crash(folder, random, publishers, follower)

  const history = await replay(folder)
  expect(publishers.reduce((sum, { acknowledged }) => sum + acknowledged, 0)).toBeGreaterThan(rounds)
  for (const publisher of publishers) judge(publisher, history)
  expect(follower.seen).toEqual(history)
})

async function crash(folder: string, random: Random, publishers: CrashPublisher[], follower: Follower): Promise<void> {
  const server = await startServer({ args: ['--data', folder] })
  await follower.connect(server.url)
  const acknowledged = () => publishers.reduce((sum, publisher) => sum + publisher.acknowledged, 0)
  const enough = acknowledged() + random.between(0, 8)
  const publishing = publishers.map((publisher) => publisher.publishUntilGone(server.url))
  await expect.poll(acknowledged, { interval: 1 }).toBeGreaterThanOrEqual(enough)
  await sleep(random.between(0, 30))
  await server.kill('SIGKILL')
  await Promise.all(publishing)
  await follower.take()
  await settle(folder, follower)
}

/** After a restart, and before new updates, the follower receives what it has missed. */
async function settle(folder: string, follower: Follower): Promise<void> {
  const server = await startServer({ args: ['--data', folder] })
  await follower.connect(server.url)
  const history = await everything(server)
  await follower.until(history.at(-1)?.id)
  await server.kill('SIGKILL')
}

async function replay(folder: string): Promise<Seen[]> {
  const server = await startServer({ args: ['--data', folder] })
  const history = await everything(server)
  await server.kill()
  return history
}

async function everything({ url }: ServerProcess): Promise<Seen[]> {
  const answer = await fetch(`${url}/debug?limit=0`, { headers: { Accept: 'application/json', Connection: 'close' } })
  const { head } = (await answer.json()) as { head: number }
  const client = await listen(`${url}/subscribe?last_event_id=earliest`)
  await client.until(({ events }) => events.length >= head, `${head} events`)
  client.close()
  return client.events.map(({ id = '', data }) => ({ id, data }))
}

/** Each acknowledged update exists once, in order, with its id; an unacknowledged batch exists entirely or not at all. */
function judge({ topic, sent }: CrashPublisher, history: readonly Seen[]): void {
  const own = history.filter(({ data }) => data.startsWith(`${topic}:`))
  const kept = new Map(own.map(({ id, data }) => [data, id]))
  expect(kept.size, 'entries are unique').toBe(own.length)
  const expected = sent.filter(({ data, ids }) => ids || kept.has(data[0] as string))
  expect(own.map(({ data }) => data)).toEqual(expected.flatMap(({ data }) => data))
  for (const { data, ids, ownId } of expected) {
    const found = data.map((text) => kept.get(text))
    if (ids) expect(found).toEqual(ids)
    if (ownId) expect(found).toEqual([ownId])
  }
}
