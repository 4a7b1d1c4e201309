// What there is to measure, under names that begin with `tidings_`. It only listens and looks.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Hub } from '../hub/hub.ts'
import type { Observer } from '../hub/observer.ts'

/** From half a millisecond to ten seconds. */
const latencies = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export class Metrics {
  readonly observer: Observer
  /** Counts what became of events for webhooks. */
  readonly webhooks: (result: string, events: number) => void
  readonly #registry = new Registry()
  #hub: Hub | undefined

  constructor() {
    const registers = [this.#registry]
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: 10 })
    const counter = (name: string, help: string, labelNames: string[] = []) =>
      new Counter({ name: `tidings_${name}`, help, labelNames, registers })
    const histogram = (name: string, help: string, buckets: number[]) =>
      new Histogram({ name: `tidings_${name}`, help, buckets, registers })
    const published = counter('published_total', 'Entries that arrived from the log')
    const delivered = counter('delivered_total', 'Entries written, once for each subscriber')
    const bytes = counter('delivered_bytes_total', 'Bytes handed to connections')
    const connects = counter('connects_total', 'Streams that began')
    const closes = counter('closes_total', 'Streams that ended, by reason', ['reason'])
    const refusals = counter('refusals_total', 'Requests refused, by code', ['code'])
    const failures = counter('failures_total', 'Things that went wrong on our side')
    const webhooks = counter('webhooks_total', 'Events for webhooks, by what became of them', ['result'])
    this.webhooks = (result, events) => webhooks.inc({ result }, events)
    const swept = histogram(
      'sweep_entries',
      'Entries that one sweep of an audience carried',
      [1, 2, 4, 8, 16, 32, 64, 128, 256, 1024]
    )
    const latency = histogram(
      'publish_to_socket_seconds',
      'From when an entry was appended to when it was written to sockets',
      latencies
    )
    const appended = histogram('append_seconds', 'From when an append was asked for to when it was kept', latencies)
    this.#gauges()
    this.observer = {
      appended: (_, ms) => appended.observe(ms / 1_000),
      arrived: (entries) => published.inc(entries.length),
      delivered: ({ by, entries, deliveries, bytes: written, oldestTime }) => {
        delivered.inc(deliveries)
        bytes.inc(written)
        if (by !== 'sweep') return
        swept.observe(entries)
        latency.observe(Math.max(0, (Date.now() - oldestTime) / 1_000))
      },
      joined: () => connects.inc(),
      left: (_, reason) => closes.inc({ reason }),
      refused: ({ code }) => refusals.inc({ code }),
      failed: () => failures.inc()
    }
  }

  /** The hub whose state is looked at when somebody asks. */
  watch(hub: Hub): void {
    this.#hub = hub
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  /** As Prometheus reads it. */
  text(): Promise<string> {
    return this.#registry.metrics()
  }

  #gauges(): void {
    const gauge = (name: string, help: string, read: (hub: Hub) => number) => {
      const look = () => (this.#hub ? read(this.#hub) : 0)
      new Gauge({
        name: `tidings_${name}`,
        help,
        registers: [this.#registry],
        collect() {
          this.set(look())
        }
      })
    }
    const count = (hub: Hub, state: string) => {
      let found = 0
      for (const subscriber of hub.subscribers) if (subscriber.state === state) found++
      return found
    }
    gauge('subscribers_live', 'Subscribers that have everything', (hub) => count(hub, 'live'))
    gauge('subscribers_behind', 'Subscribers that have yet to catch up', (hub) => count(hub, 'behind'))
    gauge('audiences', 'Sets of subscribers with equal interests', ({ status }) => status.audiences)
    gauge('head', 'Offset of the newest entry', ({ status }) => status.head)
    gauge('window_entries', 'Recent entries held in memory', ({ status }) => status.window.entries)
    gauge('window_bytes', 'Their size', ({ status }) => status.window.bytes)
    gauge('log_entries', 'Entries that the log keeps', ({ status }) => status.head - status.first + 1)
    gauge('log_ready', 'Whether the log can be reached', ({ status }) => Number(status.isReady))
    gauge('subscriptions', 'Subscriptions of this server that are announced', ({ status }) => status.announced)
  }
}
