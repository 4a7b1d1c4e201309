// The dashboard's own hub, in memory, whose streams the page reads. It publishes one overview per second and the streams that ended, while it
// has subscribers; some seconds later it stops. Nothing of it enters the log of the hub that is watched.
import type { Overview } from '../../dashboard-api/overview.ts'
import type { ClosedRow } from '../../dashboard-api/streams.ts'
import { createHub, type Hub } from '../../hub/hub.ts'
import { MemoryLog } from '../../log/memory/log.ts'
import { Limits } from '../access/limits.ts'

/** Updates that are kept of each topic: five minutes of overviews. */
const maxEntries = 300
const intervalMs = 1_000
/** It stops when it had no subscriber for so many seconds. */
const maxIdleTicks = 3
/** Streams of operators at a time. */
const maxConnections = 100

export interface Sampled {
  readonly overview: Overview
  /** The streams that ended since the last sample, the newest first. */
  readonly closed: readonly ClosedRow[]
}

export class Feed {
  readonly #watched: Hub
  readonly #sample: () => Promise<Sampled>
  readonly #limits = new Limits({ maxConnections }, () => this.#hub?.status.subscribers ?? 0)
  #hub: Hub | undefined
  #timer: NodeJS.Timeout | undefined
  #isSampling = false
  #idleTicks = 0
  #latest: Overview | undefined

  /** @param sample takes the next sample */
  constructor(watched: Hub, sample: () => Promise<Sampled>) {
    this.#watched = watched
    this.#sample = sample
  }

  /** Whether it takes a sample each second. */
  get isRunning(): boolean {
    return this.#timer !== undefined
  }

  /** The newest overview; undefined while it does not run. */
  get latest(): Overview | undefined {
    return this.isRunning ? this.#latest : undefined
  }

  get limits(): Limits {
    return this.#limits
  }

  /** The hub to subscribe to. It samples from now on. */
  open(): Hub {
    this.#hub ??= createHub({
      log: new MemoryLog({
        retention: ['overview', 'closed'].map((match) => ({ match, entries: maxEntries }))
      }),
      heartbeat: this.#watched.heartbeat,
      observer: { failed: (error) => this.#watched.failed(error) }
    })
    this.#idleTicks = 0
    if (!this.#timer) {
      this.#timer = setInterval(() => void this.#tick(), intervalMs).unref()
      void this.#tick()
    }
    return this.#hub
  }

  /** Ends its streams. */
  close(): void {
    this.#stop()
    this.#hub?.close().catch((error: unknown) => this.#watched.failed(error))
  }

  #stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#latest = undefined
  }

  /** Never rejects. A node that is slow must not make the samples queue. */
  async #tick(): Promise<void> {
    const hub = this.#hub
    if (!hub || this.#isSampling) return
    this.#closeRevoked(hub)
    this.#idleTicks = hub.status.subscribers > 0 ? 0 : this.#idleTicks + 1
    if (this.#idleTicks > maxIdleTicks) return this.#stop()
    this.#isSampling = true
    try {
      const { overview, closed } = await this.#sample()
      if (!this.#timer) return
      this.#latest = overview
      const ended = closed.map((row) => ({ topics: ['closed'], type: 'closed', data: JSON.stringify(row) }))
      const sample = { topics: ['overview'], type: 'sample', data: JSON.stringify(overview) }
      await hub.publishAll([...ended.reverse(), sample])
    } catch (error) {
      if (this.#timer) this.#watched.failed(error)
    } finally {
      this.#isSampling = false
    }
  }

  /** A revocation is in the log of the watched hub, and the streams of operators are not. */
  #closeRevoked(hub: Hub): void {
    const { revocations } = this.#watched
    if (revocations.size === 0) return
    for (const subscriber of hub.subscribers) {
      const { token, address } = subscriber.connection
      if (revocations.refusalOf({ ...(token && { token }), address })) hub.leave(subscriber, 'revoked')
    }
  }
}
