// One run of load: connects subscribers, publishes, waits for the last deliveries, and counts.
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure, reasonOf } from '../client/failure.ts'
import type { Target } from '../client/request.ts'
import { Histogram } from './histogram.ts'
import { Publishers } from './publishers.ts'
import { Subscriber, type Totals } from './subscriber.ts'

export interface Plan {
  readonly subscribers: number
  readonly topics: number
  readonly rate: number
  readonly inFlight: number
  readonly size: number
  readonly milliseconds: number
}

export interface Result {
  readonly connectMs: number
  readonly publishMs: number
  readonly published: number
  readonly failed: number
  readonly delivered: number
  readonly missing: number
  readonly twice: number
  readonly reconnects: number
  readonly latency: Histogram
  /** The reason of the last failure, if any. */
  readonly trouble: string | undefined
}

export interface Progress {
  readonly connected: number
  readonly published: number
  readonly delivered: number
}

/** Streams that are opened concurrently. */
const maxOpening = 50
/** How long to wait without a delivery for missing ones, in milliseconds. */
const timeoutMs = 5_000

export class Load {
  readonly #plan: Plan
  readonly #target: Target
  readonly #topics: readonly string[]
  readonly #totals: Totals = { latency: new Histogram(), reconnects: 0, trouble: undefined }
  readonly #subscribers: Subscriber[]
  readonly #publishers: Publishers
  #connected = 0

  constructor(target: Target, plan: Plan) {
    this.#plan = plan
    this.#target = target
    const run = `tidings-bench-${randomBytes(6).toString('hex')}`
    this.#topics = Array.from({ length: plan.topics }, (_, index) => `${run}-${index}`)
    this.#subscribers = Array.from({ length: plan.subscribers }, (_, index) => {
      return new Subscriber(target, this.#topics[index % plan.topics] as string, this.#totals)
    })
    this.#publishers = new Publishers(target, { ...plan, topics: this.#topics })
  }

  get progress(): Progress {
    const { count: delivered } = this.#totals.latency
    return { connected: this.#connected, published: this.#publishers.published, delivered }
  }

  /** @throws Failure if the server cannot be reached, or refuses */
  async run(): Promise<Result> {
    try {
      const connectMs = await timed(() => this.#connect())
      const publishMs = await timed(() => this.#publish())
      await this.#settle()
      return { connectMs, publishMs, ...this.#count() }
    } finally {
      for (const subscriber of this.#subscribers) subscriber.close()
    }
  }

  async #connect(): Promise<void> {
    const waiting = this.#subscribers.values()
    const work = async () => {
      for (const subscriber of waiting) {
        await subscriber.connect()
        this.#connected++
      }
    }
    await Promise.all(Array.from({ length: maxOpening }, work)).catch((error: NodeJS.ErrnoException) => {
      throw error instanceof Failure
        ? error
        : new Failure(`after ${this.#connected} streams: ${explain(error, this.#target)}`)
    })
  }

  async #publish(): Promise<void> {
    const stop = new AbortController()
    const timer = setTimeout(() => stop.abort(), this.#plan.milliseconds)
    try {
      await this.#publishers.run(stop.signal)
    } finally {
      clearTimeout(timer)
      stop.abort()
    }
  }

  /** Waits until every update has arrived, or none has for a while. */
  async #settle(): Promise<void> {
    let quiet = 0
    for (let before = -1; this.#missing() > 0 && quiet < timeoutMs; before = this.#totals.latency.count) {
      quiet = this.#totals.latency.count === before ? quiet + 50 : 0
      await sleep(50)
    }
  }

  #missing(): number {
    const { acknowledged } = this.#publishers
    return this.#subscribers.reduce((missing, { seen }, index) => {
      const wanted = acknowledged[index % this.#topics.length] as number[]
      // An update can arrive although its publish failed. It must not hide a missing one.
      return (
        missing +
        (seen.count >= wanted.length && this.#publishers.failed === 0
          ? 0
          : wanted.filter((number) => !seen.has(number)).length)
      )
    }, 0)
  }

  #count() {
    const { published, failed, trouble } = this.#publishers
    const { latency, reconnects } = this.#totals
    const delivered = this.#subscribers.reduce((sum, { seen }) => sum + seen.count, 0)
    const twice = this.#subscribers.reduce((sum, { seen }) => sum + seen.twice, 0)
    const why = trouble ?? this.#totals.trouble
    return { published, failed, delivered, missing: this.#missing(), twice, reconnects, latency, trouble: why }
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

function explain(error: NodeJS.ErrnoException, { base }: Target): string {
  if (error.code === 'EMFILE') return 'too many open files; raise the limit with ulimit -n'
  if (error.code === 'EADDRNOTAVAIL') return 'this machine has no free port for another connection to the same address'
  return `${base.href} cannot be reached: ${reasonOf(error)}`
}
