// What waits for one address: events in order, in batches, one batch after the other. It does not know what they say, and
// nobody waits for it.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { attempt, delayAfter, maxAttempts, type WebhookResult } from './delivery.ts'

/** Events of one batch, and characters of JSON beyond which it takes no more. */
const maxInBatch = 100
const maxBatch = 2 ** 20
/** Events that may wait for one address, and characters of JSON. */
const mostWaiting = 10_000
const maxWaiting = 2 ** 24
/** How long a batch waits to become full, in milliseconds. */
const gatherMs = 100
/** What there is still time for when the server stops, in milliseconds. */
const finishMs = 2_000

export interface QueueOptions {
  readonly address: URL
  /** What is signed with at the moment. */
  readonly key: () => string
  /** Told what became of so many events, and why, where they are lost. */
  readonly settled: (result: WebhookResult, events: number, why: string) => void
}

export class WebhookQueue {
  readonly #options: QueueOptions
  #waiting: string[] = []
  #size = 0
  #running: Promise<void> | undefined
  #isGathering = false
  #isFinishing = false
  /** Ends the wait that is under way. */
  #wake = new AbortController()
  /** Ends the attempt that is under way, when there is no time left. */
  readonly #over = new AbortController()

  constructor(options: QueueOptions) {
    this.#options = options
  }

  /** Takes one event as JSON. */
  push(event: string): void {
    this.#waiting.push(event)
    this.#size += event.length
    if (this.#waiting.length > mostWaiting || this.#size > maxWaiting) {
      this.#options.settled('dropped', this.#take().length, 'too many wait')
    }
    if (this.#isGathering && this.#waiting.length >= maxInBatch) this.#wake.abort()
    this.#running ??= this.#run()
  }

  /** Sends what waits, for as long as there is time, and lets go of the rest. */
  async finish(): Promise<void> {
    this.#isFinishing = true
    this.#wake.abort()
    const timer = setTimeout(() => this.#over.abort(), finishMs)
    await this.#running
    clearTimeout(timer)
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#gather()
      const result = await this.#deliver(this.#take())
      // There is no time to find out whether an address that failed is there again.
      if (result === 'failed' && this.#isFinishing) this.#dropAll()
    }
    this.#running = undefined
  }

  async #gather(): Promise<void> {
    if (this.#waiting.length >= maxInBatch) return
    this.#isGathering = true
    await this.#pause(gatherMs)
    this.#isGathering = false
  }

  /** Sends the same batch, with the same id, until it is settled. */
  async #deliver(events: readonly string[]): Promise<WebhookResult> {
    const body = `{"id":"${randomUUID()}","events":[${events.join(',')}]}`
    const { result, why } = await this.#insist(body)
    this.#options.settled(result, events.length, why)
    return result
  }

  async #insist(body: string): Promise<{ result: WebhookResult; why: string }> {
    const { address, key } = this.#options
    for (let attempts = 1; ; attempts++) {
      const { result, why, asked } = await attempt(address, body, key(), this.#over.signal)
      if (result !== 'again') return { result, why }
      if (attempts === maxAttempts || this.#isFinishing) return { result: 'failed', why }
      await this.#pause(delayAfter(attempts, asked))
    }
  }

  /** Waits, but for what is sent when the server stops; keeps no process alive. */
  async #pause(ms: number): Promise<void> {
    if (this.#isFinishing) return
    this.#wake = new AbortController()
    await sleep(ms, undefined, { ref: false, signal: this.#wake.signal }).catch(() => {})
  }

  /** The oldest, as many as one batch holds. */
  #take(): string[] {
    let size = 0
    let count = 0
    for (const event of this.#waiting) {
      size += event.length
      if (count > 0 && (count === maxInBatch || size > maxBatch)) break
      count++
    }
    const taken = this.#waiting.splice(0, count)
    for (const event of taken) this.#size -= event.length
    return taken
  }

  #dropAll(): void {
    this.#options.settled('dropped', this.#waiting.length, 'the server stops')
    this.#waiting = []
    this.#size = 0
  }
}
