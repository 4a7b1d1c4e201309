// Random histories over real sockets: publishers, slow readers, cut connections, tiny windows, small retention, topics that
// end, deletions. At the end every client must have exactly its entries, in order, each once, or a correct gap event for what it missed; no
// client has an entry that was deleted before it connected; and the streams of ended topics are closed.
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, createServer, request as httpRequest, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getDefaultHighWaterMark } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import * as fc from 'fast-check'
import type * as Tidings from '../../../dist/index.js'
import type { Entry, Log } from '../../../dist/index.js'
import { WorkerLog } from '../../../dist/log/workers/log.js'
import { LogServer } from '../../../dist/log/workers/server.js'
import { HistoryClient, type Seen } from './history-client.ts'

/** The library under test: the shipped one, or a copy with a planted fault. */
export type Library = typeof Tidings

type Step =
  | { readonly do: 'publish'; readonly topics: readonly string[]; readonly size: number; readonly count: number }
  /** Concurrent requests, so that they interleave with those of the subscribers. */
  | { readonly do: 'post'; readonly topics: readonly string[]; readonly size: number; readonly count: number }
  /** Each topic ends with an update of its own, so that several are needed to end a stream of several topics. */
  | { readonly do: 'end'; readonly topics: readonly string[] }
  | { readonly do: 'delete'; readonly topics: readonly string[] }
  | { readonly do: 'pause' | 'resume' | 'cut' | 'connect'; readonly client: number }
  | { readonly do: 'sleep'; readonly ms: number }

export interface History {
  readonly transport: 'tcp' | 'unix'
  /** `workers`: two hubs, each over a WorkerLog of one MemoryLog. Requests alternate between them. */
  readonly log: 'memory' | 'lmdb' | 'workers'
  readonly window: number
  readonly keep: number
  readonly batchBytes: number
  readonly slowTimeout: number
  /** Every n-th delivery from log to hub is dropped; 0 for none. */
  readonly holes: number
  readonly clients: readonly (readonly string[])[]
  readonly steps: readonly Step[]
}

const topics = ['a', 'b', 'c/1', 'c/2']
const selections = [['*'], ['a'], ['b', 'c/2'], ['c/{id}'], ['a', 'c/{id}']]

const client = fc.nat({ max: 4 })
const publish = fc.record({
  do: fc.constantFrom('publish' as const, 'post' as const),
  topics: fc.uniqueArray(fc.constantFrom(...topics), { minLength: 1, maxLength: 2 }),
  size: fc.constantFrom(5, 5, 5, 2_000, 60_000),
  count: fc.integer({ min: 1, max: 8 })
})
const someTopics = fc.uniqueArray(fc.constantFrom(...topics), { minLength: 1, maxLength: 3 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: publish },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('end' as const, 'delete' as const), topics: someTopics }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('pause', 'resume', 'cut'), client }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('connect' as const), client }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('sleep' as const), ms: fc.nat({ max: 8 }) }) }
)

export const anyHistory: fc.Arbitrary<History> = fc.record({
  transport: fc.constantFrom('tcp', 'unix', 'unix'),
  log: fc.constantFrom('memory', 'memory', 'lmdb', 'workers'),
  window: fc.integer({ min: 1, max: 30 }),
  keep: fc.constantFrom(3, 10, 40, 10_000),
  batchBytes: fc.constantFrom(1, 500, 262_144),
  slowTimeout: fc.constantFrom(60, 30_000),
  holes: fc.constantFrom(0, 0, 5),
  clients: fc.array(fc.constantFrom(...selections), { minLength: 1, maxLength: 5 }),
  steps: fc.array(step, { minLength: 5, maxLength: 60 })
})

/**
 * Runs a history and throws when an invariant is violated.
 * @param timeoutMs a client that does not get what it should within this time fails the history
 */
export async function play(library: Library, history: History, timeoutMs = 20_000): Promise<void> {
  const run = await Run.begin(library, history)
  run.timeoutMs = timeoutMs
  try {
    for (const step of history.steps) await run.apply(step)
    await run.end()
  } finally {
    await run.stop()
  }
}

class Run {
  timeoutMs = 0
  readonly #history: History
  readonly #hubs: readonly Tidings.Hub[]
  readonly #server: Server
  readonly #clients: { readonly client: HistoryClient; readonly start: number }[] = []
  readonly #published: Entry[] = []
  readonly #deletions: DoneDeletion[] = []
  /** When the append of each entry was confirmed. */
  readonly #times = new Map<Entry, number>()
  readonly #posts: Promise<void>[] = []
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 })
  #at: object = {}
  #remove: () => void | Promise<void> = () => {}
  #updates = 0
  readonly #lossy: { complete: boolean }

  private constructor(
    library: Library,
    history: History,
    server: Server,
    hubs: readonly Tidings.Hub[],
    lossy: { complete: boolean }
  ) {
    this.#history = history
    this.#server = server
    this.#hubs = hubs
    this.#lossy = lossy
    server.on('request', handlerOf(library, hubs))
  }

  static async begin(library: Library, history: History): Promise<Run> {
    const { window, keep, batchBytes, slowTimeout, holes } = history
    const lossy = { complete: holes === 0 }
    const { logs, remove } = await openLogs(library, history.log, keep)
    for (const log of logs) loseDeliveries(log, holes, lossy)
    const options = { window: { entries: window }, batchBytes, slowTimeout, heartbeat: 40 }
    const hubs = logs.map((log) => library.createHub({ log, ...options }))
    const run = new Run(library, history, createServer(), hubs, lossy)
    run.#remove = remove
    for (const log of logs) recordAppends(log, run.#published, run.#times)
    run.#at = await run.#listen()
    for (const selectors of history.clients) {
      const client = new HistoryClient(run.#at, selectors)
      run.#clients.push({ client, start: 0 })
      client.connect()
      await client.opened
    }
    return run
  }

  async apply(step: Step): Promise<void> {
    if (step.do === 'publish') await this.#publish(step)
    else if (step.do === 'post') this.#post(step)
    else if (step.do === 'end') await this.#endTopics(step.topics)
    else if (step.do === 'delete') await this.#delete(step.topics)
    else if (step.do === 'sleep') await sleep(step.ms)
    else this.#clients[step.client % this.#clients.length]?.client[step.do]()
    this.#checkMemory()
  }

  /** Lets every client catch up, then verifies the result. */
  async end(): Promise<void> {
    await Promise.all(this.#posts)
    this.#lossy.complete = true
    await this.#verifyEnds()
    const [last] = await this.#publish({ topics, size: 3, count: 1 })
    for (const { client } of this.#clients) client.resume()
    await this.#untilAllReach((last as Entry).offset)
    for (const { client, start } of this.#clients)
      verify(client, start, this.#published, this.#deletions, this.#times, this.#history.keep < 10_000)
  }

  async stop(): Promise<void> {
    for (const { client } of this.#clients) client.cut()
    await Promise.allSettled(this.#posts)
    this.#agent.destroy()
    const closed = new Promise((resolve) => this.#server.close(resolve))
    await Promise.all(this.#hubs.map((hub) => hub.close()))
    this.#server.closeAllConnections()
    await closed
    await this.#remove()
  }

  async #listen(): Promise<object> {
    const path = join(tmpdir(), `tidings-${randomUUID()}.sock`)
    const at = this.#history.transport === 'unix' ? { path } : { port: 0, host: '127.0.0.1' }
    await new Promise<void>((resolve) => this.#server.listen(at, resolve))
    if (this.#history.transport === 'unix') return { socketPath: path }
    return { host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port }
  }

  async #publish(step: { topics: readonly string[]; size: number; count: number }): Promise<Entry[]> {
    return this.#nextHub.publishAll(
      Array.from({ length: step.count }, () => ({ topics: step.topics, ...this.#next(step.size) }))
    )
  }

  async #endTopics(topics: readonly string[]): Promise<void> {
    await this.#nextHub.publishAll(topics.map((topic) => ({ topics: [topic], ...this.#next(8), end: true })))
  }

  /** There may be nothing to delete. */
  async #delete(topics: readonly string[]): Promise<void> {
    const entry = await this.#nextHub.delete({ topics }).catch((error: { code?: string }) => {
      if (error.code !== 'update_missing') throw error
    })
    if (!entry) return
    const { through } = JSON.parse(entry.update.data) as { through: string }
    this.#deletions.push({ topics, through: offsetOf(through, new Map()), doneAt: performance.now() })
  }

  /** Ends every topic, and waits until the streams of exact topics are closed by the server. */
  async #verifyEnds(): Promise<void> {
    // A topic whose end retention has removed is not ended.
    if (this.#history.keep < topics.length) return
    const [last] = (
      await this.#nextHub.publishAll(topics.map((topic) => ({ topics: [topic], ...this.#next(3), end: true })))
    ).slice(-1)
    for (const { client } of this.#clients) client.resume()
    const exact = this.#clients.filter(({ client }) => client.selectors.every((selector) => topics.includes(selector)))
    const deadline = performance.now() + this.timeoutMs
    for (const { client } of exact) {
      while (client.closedWith !== 204) {
        client.connect()
        await sleep(1)
        if (performance.now() > deadline)
          throw new Error(`${client.selectors} did not end after ${last?.id}; last id ${client.lastEventId}`)
      }
    }
  }

  #post(step: { topics: readonly string[]; size: number; count: number }): void {
    for (let count = 0; count < step.count; count++) {
      const { data, id } = this.#next(step.size)
      const query = new URLSearchParams(step.topics.map((topic) => ['topic', topic]))
      if (id) query.set('id', id)
      this.#posts.push(this.#send(`/publish?${query}`, data))
    }
  }

  #send(path: string, data: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const headers = { 'Content-Type': 'text/plain' }
      const request = httpRequest({ ...this.#at, method: 'POST', path, headers, agent: this.#agent }, (response) => {
        response.resume().on('end', response.statusCode === 200 ? resolve : () => reject(new Error('publish failed')))
      })
      request.on('error', reject)
      request.end(data)
    })
  }

  get #nextHub(): Tidings.Hub {
    return this.#hubs[this.#updates % this.#hubs.length] as Tidings.Hub
  }

  #next(size: number): { data: string; id?: string } {
    const number = this.#updates++
    return { data: `${number} `.padEnd(size, 'x'), ...(number % 3 === 0 && { id: `own-${number}` }) }
  }

  /** The memory limit per slow reader: its high-water mark, and one write. */
  #checkMemory(): void {
    const maxBytes = getDefaultHighWaterMark(false) + Math.max(this.#history.batchBytes, 128 * 1_024) + 62_000
    for (const { connection } of this.#hubs.flatMap((hub) => [...hub.subscribers])) {
      if (connection.buffered > maxBytes) throw new Error(`${connection.buffered} bytes wait for one client`)
    }
  }

  async #untilAllReach(offset: number): Promise<void> {
    const deadline = performance.now() + this.timeoutMs
    const offsets = offsetsOf(this.#published)
    const lacking = () => this.#clients.filter(({ client }) => offsetOf(client.lastEventId, offsets) < offset)
    while (lacking().length > 0) {
      for (const { client } of lacking()) client.connect()
      await sleep(1)
      if (performance.now() < deadline) continue
      const seen = lacking().map(({ client }) => ({ ...client, seen: client.seen.slice(-3) }))
      throw new Error(
        `waited for ${offset}; saw ${JSON.stringify(seen)} and ${JSON.stringify(this.#hubs.map(({ status }) => status))}`
      )
    }
  }
}

function offsetsOf(entries: readonly Entry[]): Map<string, number> {
  return new Map(entries.map((entry) => [entry.id, entry.offset]))
}

/** The offset of an id; the hub's own ids contain it. */
function offsetOf(id: string, offsets: Map<string, number>): number {
  return offsets.get(id) ?? Number.parseInt(id.split('-')[1] ?? '0', 36)
}

/** A deletion, and when the hub confirmed it. */
interface DoneDeletion {
  readonly topics: readonly string[]
  readonly through: number
  readonly doneAt: number
}

/** Verifies a client's record: each step is the next expected entry, or a gap that hides at least one. */
function verify(
  { seen, selectors, lastEventId }: HistoryClient,
  start: number,
  published: readonly Entry[],
  deletions: readonly DoneDeletion[],
  times: ReadonlyMap<Entry, number>,
  keepsLittle: boolean
): void {
  const deletionOf = ({ offset, update }: Entry) =>
    deletions.find(({ topics, through }) => offset <= through && update.topics.some((topic) => topics.includes(topic)))
  const wanted = published.filter((entry) => entry.update.topics.some((topic) => wants(selectors, topic)))
  const offsets = offsetsOf(published)
  let cursor = start
  for (const item of seen) {
    if (item.kind === 'over') {
      const isLeft = (entry: Entry) =>
        entry.offset > cursor && !deletionOf(entry) && (times.get(entry) ?? Infinity) < item.connectedAt
      const left = wanted.find(isLeft)
      if (left) throw new Error(`204 after ${cursor}, but ${left.id} was left`)
      continue
    }
    const own = item.kind === 'event' ? wanted.find(({ id }) => id === item.id) : undefined
    const deletion = own && deletionOf(own)
    if (deletion && item.kind === 'event' && item.connectedAt > deletion.doneAt)
      throw new Error(`${own.id} was delivered after its deletion`)
    // A deleted entry may be missing, without a gap, unless retention had removed it before.
    const mayBeMissed = item.kind === 'gap' && keepsLittle
    cursor = follow(
      item,
      cursor,
      wanted.filter((entry) => mayBeMissed || entry === own || !deletionOf(entry)),
      offsets
    )
  }
  const missed = wanted.find((entry) => entry.offset > cursor && !deletionOf(entry))
  if (missed) throw new Error(`no event or gap for ${missed.id}; last id ${lastEventId}`)
}

function follow(
  item: Exclude<Seen, { kind: 'over' }>,
  cursor: number,
  wanted: readonly Entry[],
  offsets: Map<string, number>
): number {
  const next = wanted.find((entry) => entry.offset > cursor)
  if (item.kind === 'event') {
    if (item.id === next?.id && item.data === next.update.data) return next.offset
    throw new Error(`after ${cursor} expected ${next?.id}, got ${item.id}`)
  }
  const resumed = offsetOf(item.resumedAfter, offsets)
  if (item.header !== item.resumedAfter) throw new Error(`header ${item.header} but stream ${item.resumedAfter}`)
  // An unknown id does not determine what was missed; a known one does.
  const isExact = item.reason === 'trimmed'
  if (isExact && (!next || resumed < next.offset)) throw new Error(`gap event up to ${resumed}, but nothing was missed`)
  return Math.max(cursor, resumed)
}

function wants(selectors: readonly string[], topic: string): boolean {
  return selectors.some(
    (selector) => selector === '*' || selector === topic || (selector === 'c/{id}' && /^c/.test(topic))
  )
}

/** The logs of the hubs of a history. */
export async function openLogs(
  library: Library,
  kind: History['log'],
  entries: number
): Promise<{ logs: readonly Log[]; remove(): void | Promise<void> }> {
  if (kind === 'lmdb') {
    const path = mkdtempSync(join(tmpdir(), 'tidings-history-'))
    const log = await library.LmdbLog.open({ path, retention: [{ match: '*', entries }] })
    return { logs: [log], remove: () => rmSync(path, { recursive: true, force: true }) }
  }
  const log = new library.MemoryLog({ entries })
  if (kind === 'memory') return { logs: [log], remove: () => {} }
  const server = await LogServer.listen(log)
  const connect = () => WorkerLog.connect({ path: server.path })
  const remove = async () => {
    await server.close()
    await log.close()
  }
  return { logs: [await connect(), await connect()], remove }
}

/** Requests alternate between the hubs. */
export function handlerOf(library: Library, hubs: readonly Tidings.Hub[]): RequestListener {
  const handlers = hubs.map((hub) => library.createHandler(hub, { highWaterMark: 1 }))
  let requests = 0
  return (request, response) => handlers[requests++ % handlers.length]?.(request, response)
}

/** Records what the log appended, in its order. */
export function recordAppends(log: Log, published: Entry[], times = new Map<Entry, number>()): void {
  const record = (entries: readonly Entry[]) => {
    published.push(...entries)
    published.sort((a, b) => a.offset - b.offset)
    for (const entry of entries) times.set(entry, performance.now())
  }
  const append = log.append.bind(log)
  log.append = async (updates) => {
    const entries = await append(updates)
    record(entries)
    return entries
  }
  const remove = log.delete.bind(log)
  log.delete = async (deletion, announcement) => {
    const entry = await remove(deletion, announcement)
    record([entry])
    return entry
  }
}

/** Drops every n-th delivery, as if the hub had fallen behind the log. */
export function loseDeliveries(log: Log, one: number, lossy: { complete: boolean }): void {
  const follow = log.follow.bind(log)
  let count = 0
  log.follow = (deliver) => follow((entries) => (lossy.complete || ++count % one !== 0 ? deliver(entries) : undefined))
}
