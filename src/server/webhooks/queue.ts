// The queue of events for one webhook URL. It sends them in order, in batches, one batch at a time, in the background.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { attempt, delayAfter, maxAttempts, type WebhookResult } from './delivery.ts'

/** Events in a batch, and their size in characters of JSON. */
const maxBatchEvents = 100
const maxBatchSize = 2 ** 20
/** Events in the queue, and their size in characters of JSON. */
const maxQueueEvents = 10_000
const maxQueueSize = 2 ** 24
/** How long a batch waits for more events, in milliseconds. */
const gatherMs = 100
/** How long the last deliveries may take when the server stops, in milliseconds. */
const finishMs = 2_000

export interface QueueOptions {
  readonly address: URL
  /** The current key for signatures. */
  readonly key: () => string
  /** Called with the result of so many events. `why` says why events were lost. */
  readonly settled: (result: WebhookResult, events: number, why: string) => void
  /** Called after an attempt that will be repeated. */
  readonly retrying: (why: string) => void
}

export class WebhookQueue {
  readonly #options: QueueOptions
  #waiting: string[] = []
  #size = 0
  #running: Promise<void> | undefined
  #isGathering = false
  #isFinishing = false
  /** Ends the current pause. */
  #wake = new AbortController()
  /** Cancels the current attempt when the time to finish is over. */
  readonly #over = new AbortController()

  constructor(options: QueueOptions) {
    this.#options = options
  }

  /** Adds an event, as JSON. */
  push(event: string): void {
    this.#waiting.push(event)
    this.#size += event.length
    if (this.#waiting.length > maxQueueEvents || this.#size > maxQueueSize) {
      this.#options.settled('dropped', this.#take().length, 'too many events are waiting')
    }
    if (this.#isGathering && this.#waiting.length >= maxBatchEvents) this.#wake.abort()
    this.#running ??= this.#run()
  }

  /** Sends the waiting events for as long as there is time, and drops the rest. */
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
      // There is no time to retry a receiver that has failed.
      if (result === 'failed' && this.#isFinishing) this.#dropAll()
    }
    this.#running = undefined
  }

  async #gather(): Promise<void> {
    if (this.#waiting.length >= maxBatchEvents) return
    this.#isGathering = true
    await this.#pause(gatherMs)
    this.#isGathering = false
  }

  /** Sends one batch until it is accepted or lost. Every attempt has the same id, so that a receiver can ignore repeats. */
  async #deliver(events: readonly string[]): Promise<WebhookResult> {
    const body = `{"id":"${randomUUID()}","events":[${events.join(',')}]}`
    const { result, why } = await this.#sendWithRetries(body)
    this.#options.settled(result, events.length, why)
    return result
  }

  async #sendWithRetries(body: string): Promise<{ result: WebhookResult; why: string }> {
    const { address, key, retrying } = this.#options
    for (let attempts = 1; ; attempts++) {
      const { result, why, retryAfterMs } = await attempt(address, body, key(), this.#over.signal)
      if (result !== 'again') return { result, why }
      if (attempts === maxAttempts || this.#isFinishing) return { result: 'failed', why }
      retrying(why)
      await this.#pause(delayAfter(attempts, retryAfterMs))
    }
  }

  /** Waits, except when the server stops. The timer does not keep the process alive. */
  async #pause(ms: number): Promise<void> {
    if (this.#isFinishing) return
    this.#wake = new AbortController()
    await sleep(ms, undefined, { ref: false, signal: this.#wake.signal }).catch(() => {})
  }

  /** Removes the oldest events, as many as fit into one batch. */
  #take(): string[] {
    let size = 0
    let count = 0
    for (const event of this.#waiting) {
      size += event.length
      if (count > 0 && (count === maxBatchEvents || size > maxBatchSize)) break
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
