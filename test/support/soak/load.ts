// The load of a soak: publishers that never give up, clients that come and go, and operators who end, delete and revoke.
import { setTimeout as sleep } from 'node:timers/promises'
import { ask, post } from '../http/http.ts'
import { bearer, token } from '../http/mercure.ts'
import { ResumingClient } from '../http/resuming-client.ts'
import type { Random } from '../random.ts'
import { type Findings, JobClient, RoomClient } from './clients.ts'

export interface SoakOptions {
  readonly urls: readonly string[]
  readonly clients: number
  readonly rooms: number
  readonly random: Random
}

const floodClients = 10
const floodLines = 300

/** A soak goes on until `stop`. */
export class Soak {
  readonly findings: Findings = { received: 0, gaps: 0, faults: [] }
  /** Acknowledged updates of rooms. */
  published = 0
  /** Requests that were repeated, because there was no answer or a 5xx. */
  repeated = 0
  readonly done = { ends: 0, deletions: 0, revocations: 0, cuts: 0, pauses: 0, replaced: 0 }
  readonly #options: SoakOptions
  readonly #clients: RoomClient[] = []
  readonly #floodClients: RoomClient[] = []
  readonly #work: Promise<void>[] = []
  #isOver = false
  #jobs = 0

  constructor(options: SoakOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    for (let count = 0; count < this.#options.clients; count++) {
      this.#clients.push(this.#newClient())
      if (count % 100 === 99) await sleep(50)
    }
    for (let count = 0; count < floodClients; count++) this.#floodClients.push(this.#client('flood'))
    const loops = [
      ...['a', 'b', 'c', 'd'].map((name) => () => this.#publish(name)),
      () => this.#flood(),
      () => this.#disturb(),
      () => this.#runJobs(),
      () => this.#delete(),
      () => this.#revoke()
    ]
    for (const loop of loops) this.#work.push(this.#repeat(loop))
  }

  get open(): number {
    return this.#clients.filter(({ isOpen }) => isOpen).length
  }

  /** Ends the load, and waits for what is in progress. Clients stay. */
  async stop(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#work)
  }

  close(): void {
    for (const client of [...this.#clients, ...this.#floodClients]) client.close()
  }

  async #repeat(work: () => Promise<void>): Promise<void> {
    while (!this.#isOver) await work()
  }

  readonly #url = (): string => {
    const { urls, random } = this.#options
    return urls[random.between(0, urls.length - 1)] as string
  }

  #newClient(): RoomClient {
    return this.#client(`rooms/${this.#options.random.between(0, this.#options.rooms - 1)}`)
  }

  #client(topic: string): RoomClient {
    return new RoomClient(() => `${this.#url()}/subscribe?topic=${topic}`, this.findings)
  }

  /** Repeats a request until it is answered with less than 500. Returns the status. */
  async #insist(send: () => Promise<{ readonly status: number }>): Promise<number> {
    for (;;) {
      const status = await send().then(
        (answer) => answer.status,
        () => 0
      )
      if (status > 0 && status < 500) return status
      this.repeated++
      await sleep(200)
    }
  }

  async #send(topic: string, data: string, query = ''): Promise<void> {
    const key = `${topic} ${data.slice(0, 40)} ${query}`
    const rights = { ...bearer(await token('0.x', { publish: ['*'] })), 'Idempotency-Key': `"${key}"` }
    const status = await this.#insist(() => post(`${this.#url()}/publish?topic=${topic}${query}`, data, rights))
    if (status !== 200) throw new Error(`publishing to ${topic} was answered with ${status}`)
  }

  readonly #counts = new Map<string, number>()

  /** To each room in turn, so that the numbers of a publisher have no holes in any room. */
  async #publish(name: string): Promise<void> {
    const { rooms, random } = this.#options
    const room = random.between(0, rooms - 1)
    const key = `${name}${room}`
    const number = (this.#counts.get(key) ?? 0) + 1
    this.#counts.set(key, number)
    const size = random.chance(0.05) ? 20_000 : 60
    await this.#send(`rooms/${room}`, `${key} ${number} `.padEnd(size, 'x'))
    this.published++
    await sleep(random.between(20, 180))
  }

  #flooded = 0

  /** A batch that fills the socket of a client that does not read. Retention keeps a few seconds of it. */
  async #flood(): Promise<void> {
    const line = (number: number) => JSON.stringify({ topic: 'flood', data: `flood ${number} `.padEnd(1_000, 'x') })
    const lines = Array.from({ length: floodLines }, () => line(++this.#flooded))
    const type = { 'Content-Type': 'application/x-ndjson', 'Idempotency-Key': `"flood ${this.#flooded}"` }
    const rights = { ...type, ...bearer(await token('0.x', { publish: ['*'] })) }
    const status = await this.#insist(() => post(`${this.#url()}/publish`, lines.join('\n'), rights))
    if (status !== 200) throw new Error(`publishing a batch was answered with ${status}`)
    const slow = this.#floodClients[this.#options.random.between(0, floodClients - 1)]
    slow?.pause()
    setTimeout(() => slow?.resume(), this.#options.random.between(1_000, 15_000))
    await sleep(500)
  }

  /** One client is cut, does not read for a while, or leaves for another one. */
  async #disturb(): Promise<void> {
    const { random } = this.#options
    const at = random.between(0, this.#clients.length - 1)
    const client = this.#clients[at] as RoomClient
    if (random.chance(0.5)) {
      this.done.cuts++
      client.cut()
    } else if (random.chance(0.4)) {
      this.done.pauses++
      client.pause()
      setTimeout(() => client.resume(), random.between(1_000, 15_000))
    } else {
      this.done.replaced++
      client.close()
      this.#clients[at] = this.#newClient()
    }
    await sleep(random.between(5, 60))
  }

  /** Every client of a topic that ends receives the end, and its stream closes for good. */
  async #runJobs(): Promise<void> {
    const topic = `jobs/${++this.#jobs}`
    const clients = Array.from({ length: 5 }, () => new JobClient(() => `${this.#url()}/subscribe?topic=${topic}`))
    for (const data of ['1', '2']) await this.#send(topic, data)
    await this.#send(topic, 'end', '&end')
    await this.#until(() => clients.every(({ hasEnd, status }) => hasEnd || status === 204), `the end of ${topic}`)
    const states = () => clients.map((client) => `${client.status}, ${client.describe()}`).join('; ')
    await this.#until(() => clients.every(({ status }) => status === 204), `204 after the end of ${topic}`, states)
    for (const client of clients) client.close()
    this.done.ends++
    await sleep(500)
  }

  async #delete(): Promise<void> {
    const topic = `documents/${this.#options.random.between(1, 20)}`
    await this.#send(topic, `draft ${this.done.deletions}`)
    const rights = bearer(await token('0.x', { publish: ['*'] }))
    const path = `/updates?topic=${topic}`
    const status = await this.#insist(() => ask(`${this.#url()}${path}`, { method: 'DELETE', headers: rights }))
    if (status !== 200 && status !== 404) throw new Error(`deleting ${topic} was answered with ${status}`)
    this.done.deletions++
    await sleep(700)
  }

  /** A revoked token opens no stream, and its open one ends. */
  async #revoke(): Promise<void> {
    const jti = `soak-${this.done.revocations}`
    const rights = bearer(await token('0.x', { subscribe: ['*'], claims: { jti } }))
    const client = new ResumingClient(() => `${this.#url()}/subscribe?topic=rooms/0`, rights)
    await this.#until(() => client.isOpen, 'a stream with a token')
    const operator = bearer(
      await token('1.0', { publish: [], claims: { authorization_details: [{ type: 'tidings:operate' }] } })
    )
    const headers = { 'Content-Type': 'application/json', ...operator }
    const until = Math.floor(Date.now() / 1_000) + 60
    const body = JSON.stringify({ jti, until })
    const status = await this.#insist(() => ask(`${this.#url()}/revoke`, { method: 'POST', headers, body }))
    if (status !== 204) throw new Error(`revoking was answered with ${status}`)
    await this.#until(() => client.status === 401, `the refusal of ${jti}`)
    client.close()
    this.done.revocations++
    await sleep(1_000)
  }

  /** @throws Error after two minutes: a Redis that restarts must not take longer */
  async #until(isDone: () => boolean, what: string, seen = () => ''): Promise<void> {
    for (let waits = 0; !isDone(); waits++) {
      if (waits > 2_400) throw new Error(`waited two minutes for ${what}: ${seen()}`)
      await sleep(50)
    }
  }
}
