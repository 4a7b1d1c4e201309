// Random histories of clients that change their streams, over real sockets: with and without a replay, while others publish, with slow
// readers, cut connections and tiny windows. A model says exactly what each stream must contain.
import { randomUUID } from 'node:crypto'
import { Agent, createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import * as fc from 'fast-check'
import type { Entry, Hub } from '../../../dist/index.js'
import { ChangeModel } from './change-model.ts'
import { ChangingClient, type Recorded } from './changing-client.ts'
import { type History, handlerOf, type Library, loseDeliveries, openLogs, recordAppends } from './histories.ts'

type Step =
  | { readonly do: 'publish'; readonly topics: readonly string[]; readonly size: number; readonly count: number }
  | { readonly do: 'pause' | 'resume' | 'cut' | 'connect'; readonly client: number }
  | {
      readonly do: 'change'
      readonly client: number
      readonly add: string[]
      readonly remove: string[]
      readonly from: From
      /** Whether the next step waits for the answer. */
      readonly wait: boolean
    }
  | { readonly do: 'sleep'; readonly ms: number }

/** Where a replay begins: nowhere, at the oldest entry, at a share of what is published, or at the client's last id. */
type From = 'none' | 'earliest' | 'last' | number

export interface ChangeHistory {
  readonly log: History['log']
  readonly window: number
  readonly batchBytes: number
  readonly holes: number
  readonly clients: readonly (readonly string[])[]
  readonly steps: readonly Step[]
}

const topics = ['a', 'b', 'c/1', 'c/2']
const selectors = ['a', 'b', 'c/1', 'c/{id}', '*']

const client = fc.nat({ max: 3 })
const someSelectors = fc.uniqueArray(fc.constantFrom(...selectors), { maxLength: 2 })
const from: fc.Arbitrary<From> = fc.oneof(
  fc.constantFrom<From[]>('none', 'none', 'earliest', 'last'),
  fc.integer({ min: 0, max: 99 })
)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      topics: fc.uniqueArray(fc.constantFrom(...topics), { minLength: 1, maxLength: 2 }),
      size: fc.constantFrom(5, 5, 5, 2_000, 60_000),
      count: fc.integer({ min: 1, max: 8 })
    })
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('change' as const),
      client,
      add: someSelectors,
      remove: someSelectors,
      from,
      wait: fc.boolean()
    })
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('pause', 'resume', 'cut'), client }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('connect' as const), client }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('sleep' as const), ms: fc.nat({ max: 8 }) }) }
)

export const anyChangeHistory: fc.Arbitrary<ChangeHistory> = fc.record({
  log: fc.constantFrom('memory', 'memory', 'lmdb', 'workers'),
  window: fc.integer({ min: 1, max: 30 }),
  batchBytes: fc.constantFrom(1, 500, 262_144),
  holes: fc.constantFrom(0, 0, 5),
  clients: fc.array(fc.uniqueArray(fc.constantFrom(...selectors), { minLength: 1, maxLength: 2 }), {
    minLength: 1,
    maxLength: 4
  }),
  steps: fc.array(step, { minLength: 5, maxLength: 60 })
})

/**
 * Runs a history and throws when a stream differs from the model.
 * @param timeoutMs a client that does not get what it should within this time fails the history
 */
export async function playChanges(library: Library, history: ChangeHistory, timeoutMs = 20_000): Promise<void> {
  const run = await Run.begin(library, history)
  run.timeoutMs = timeoutMs
  try {
    for (const one of history.steps) await run.apply(one)
    await run.end()
  } finally {
    await run.stop()
  }
}

class Run {
  timeoutMs = 0
  readonly #hubs: readonly Hub[]
  readonly #server: Server
  readonly #clients: ChangingClient[] = []
  readonly #published: Entry[]
  readonly #agent: Agent
  readonly #lossy: { complete: boolean }
  readonly #remove: Shared['remove']
  #updates = 0

  private constructor(hubs: readonly Hub[], server: Server, shared: Pick<Run, never> & Shared) {
    this.#hubs = hubs
    this.#server = server
    this.#published = shared.published
    this.#agent = shared.agent
    this.#lossy = shared.lossy
    this.#remove = shared.remove
  }

  static async begin(library: Library, { log: kind, window, batchBytes, holes, clients }: ChangeHistory): Promise<Run> {
    const lossy = { complete: holes === 0 }
    const { logs, remove } = await openLogs(library, kind, 100_000)
    for (const log of logs) loseDeliveries(log, holes, lossy)
    const published: Entry[] = []
    for (const log of logs) recordAppends(log, published)
    const hubs = logs.map((log) => library.createHub({ log, window: { entries: window }, batchBytes, heartbeat: 40 }))
    const server = createServer(handlerOf(library, hubs))
    // The buffers of a Unix socket do not grow, so that a client that does not read is soon behind.
    const at = { socketPath: join(tmpdir(), `tidings-${randomUUID()}.sock`) }
    await new Promise<void>((resolve) => server.listen(at.socketPath, resolve))
    const agent = new Agent({ keepAlive: true, maxSockets: 8 })
    const run = new Run(hubs, server, { published, agent, lossy, remove })
    for (const wanted of clients) {
      // A worker follows an entry before the answer to its append arrives.
      const head = () => Math.max(published.at(-1)?.offset ?? 0, ...hubs.map(({ status }) => status.head))
      const one = new ChangingClient(at, wanted, agent, head)
      run.#clients.push(one)
      one.connect()
      await one.opened
    }
    return run
  }

  async apply(step: Step): Promise<void> {
    if (step.do === 'publish') await this.#publish(step)
    else if (step.do === 'sleep') await sleep(step.ms)
    else if (step.do === 'change') await this.#change(step)
    else this.#clientOf(step)[step.do]()
  }

  /** Lets every client catch up, then compares each stream with the model. */
  async end(): Promise<void> {
    this.#lossy.complete = true
    for (const one of this.#clients) one.resume()
    await Promise.all(this.#clients.map((one) => one.changed))
    const [last] = await this.#publish({ topics, size: 3, count: 1 })
    await this.#untilAllReach(last as Entry)
    for (const one of this.#clients) verify(one.streams, this.#published)
  }

  async stop(): Promise<void> {
    for (const one of this.#clients) one.cut()
    await Promise.allSettled(this.#clients.map((one) => one.changed))
    this.#agent.destroy()
    const closed = new Promise((resolve) => this.#server.close(resolve))
    await Promise.all(this.#hubs.map((hub) => hub.close()))
    this.#server.closeAllConnections()
    await closed
    await this.#remove()
  }

  #clientOf({ client }: { readonly client: number }): ChangingClient {
    return this.#clients[client % this.#clients.length] as ChangingClient
  }

  async #change(step: Step & { do: 'change' }): Promise<void> {
    const add = step.add
    const remove = step.remove.filter((selector) => !add.includes(selector))
    if (add.length + remove.length === 0) return
    const one = this.#clientOf(step)
    const from = add.length > 0 ? this.#idFor(step.from, one) : ''
    one.change({ ...(add.length > 0 && { add }), ...(remove.length > 0 && { remove }), ...(from !== '' && { from }) })
    if (step.wait) await one.changed
  }

  #idFor(from: From, { lastEventId }: ChangingClient): string {
    if (from === 'none') return ''
    if (from === 'last') return lastEventId
    if (from === 'earliest') return from
    return this.#published[Math.floor((from / 100) * this.#published.length)]?.id ?? ''
  }

  #publish(step: { topics: readonly string[]; size: number; count: number }): Promise<Entry[]> {
    const updates = Array.from({ length: step.count }, () => {
      const number = this.#updates++
      const data = `${number} `.padEnd(step.size, 'x')
      return { topics: step.topics, data, ...(number % 3 === 0 && { id: `own-${number}` }) }
    })
    const hub = this.#hubs[this.#updates % this.#hubs.length] as Hub
    return hub.publishAll(updates)
  }

  /** A confirmation or `tidings:live` may follow the last entry, at the same position. */
  async #untilAllReach({ id, epoch, offset }: Entry): Promise<void> {
    const deadline = performance.now() + this.timeoutMs
    const ends = [id, `#${epoch}-${offset.toString(36)}`]
    const lacking = () => this.#clients.filter((one) => !ends.includes(one.lastEventId) || !one.isSettled)
    while (lacking().length > 0) {
      for (const one of lacking()) one.connect()
      await sleep(1)
      if (performance.now() < deadline) continue
      const seen = lacking().map(({ streams }) => streams.at(-1)?.blocks.slice(-3))
      throw new Error(`waited for ${id}; saw ${JSON.stringify(seen, (_, value) => short(value))}`)
    }
  }
}

const short = (value: unknown) => (typeof value === 'string' ? value.slice(0, 200) : value)

interface Shared {
  readonly published: Entry[]
  readonly agent: Agent
  readonly lossy: { complete: boolean }
  readonly remove: () => void | Promise<void>
}

function verify(streams: readonly Recorded[], published: readonly Entry[]): void {
  let reached: number | undefined
  for (const recorded of streams) {
    const model = new ChangeModel(recorded, published, reached)
    for (const block of recorded.blocks) model.take(block)
    reached = model.position ?? reached
    if (recorded === streams.at(-1)) model.end()
    else model.cut()
  }
}
