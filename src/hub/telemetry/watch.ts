// What is measured while somebody watches the hub: latencies, the delay of the event loop, and the busiest topics. It begins with the
// first question and ends some seconds after the last one. Until then, and afterwards, it costs nothing.
import type { Entry } from '../../log/log.ts'
import type { Delivery } from '../observer.ts'
import { isRevocation } from '../revocation/topics.ts'
import type { HubStats } from '../stats.ts'
import { Histogram } from './histogram.ts'
import { Thinning } from './thinning.ts'
import { TopicCounts } from './topic-counts.ts'

/** It ends so long after the last question, in milliseconds. */
const idleMs = 5_000
/** How often the delay of the event loop is measured. */
const loopMs = 40
const ticksPerSecond = 1_000 / loopMs

export class Watch {
  readonly #stats: HubStats
  #measurement: Measurement | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(stats: HubStats) {
    this.#stats = stats
  }

  get isOn(): boolean {
    return this.#measurement !== undefined
  }

  /** Goes on for a while. */
  extend(): Measurement {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.stop(), idleMs).unref()
    if (!this.#measurement) {
      this.#measurement = new Measurement()
      this.#stats.watcher = this.#measurement
    }
    return this.#measurement
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#measurement?.stop()
    this.#measurement = undefined
    this.#stats.watcher = undefined
  }
}

let measurements = 0

export class Measurement {
  /** Counts of two measurements must not be compared. */
  readonly number = ++measurements
  readonly latency = new Histogram()
  readonly loop = new Histogram()
  readonly topics = new TopicCounts()
  readonly #sweeps = new Thinning()
  readonly #entries = new Thinning()
  readonly #timer = setInterval(() => this.#tick(), loopMs).unref()
  #tickedAt = performance.now()
  #ticks = 0

  arrived(entries: readonly Entry[]): void {
    for (const { update } of entries) {
      const weight = this.#entries.take()
      if (weight === 0 || isRevocation(update.topics)) continue
      const bytes = Buffer.byteLength(update.data)
      for (const topic of update.topics) this.topics.add(topic, bytes, weight)
    }
  }

  delivered({ by, oldestTime }: Delivery): void {
    if (by !== 'sweep') return
    const weight = this.#sweeps.take()
    if (weight > 0) this.latency.add(Math.max(0, Date.now() - oldestTime), weight)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #tick(): void {
    const now = performance.now()
    this.loop.add(Math.max(0, now - this.#tickedAt - loopMs))
    this.#tickedAt = now
    if (++this.#ticks % ticksPerSecond !== 0) return
    this.#sweeps.tick()
    this.#entries.tick()
    this.topics.tick()
  }
}
