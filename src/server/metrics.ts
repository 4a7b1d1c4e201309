// The Prometheus metrics of a server. Their names begin with `tidings_`.
import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Hub } from '../hub/hub.ts'
import type { Observer } from '../hub/observer.ts'
import { type StreamTotals, scan } from '../hub/telemetry/reading.ts'

/** In seconds. */
const latencies = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** The content type of the text format. */
export const metricsType = Registry.PROMETHEUS_CONTENT_TYPE

/** The values of all metrics of one process. */
export type MetricValues = object[]

/** The metrics of several processes as those of one, in the text format of Prometheus. */
export function combineMetrics(all: readonly MetricValues[]): Promise<string> {
  return AggregatorRegistry.aggregate([...all]).metrics()
}

/** The metrics of a process without a hub: its memory, CPU time and event loop, and the number of workers. */
export class PrimaryMetrics {
  readonly #registry = new Registry()
  readonly #workers: Gauge

  constructor() {
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: 10 })
    const help = 'Worker processes whose values are included'
    this.#workers = new Gauge({ name: 'tidings_workers', help, registers: [this.#registry] })
  }

  /** @param workers how many workers have answered */
  values(workers: number): Promise<MetricValues> {
    this.#workers.set(workers)
    return this.#registry.getMetricsAsJSON() as Promise<MetricValues>
  }
}

/** How the values of several workers become one; the default is their sum. Every worker counts what arrives from the log they share. */
type Aggregator = 'sum' | 'max' | 'min'

export class Metrics {
  readonly observer: Observer
  /** Counts the events for webhooks by result. */
  readonly webhooks: (result: string, events: number) => void
  readonly #registry = new Registry()
  #hub: Hub | undefined

  constructor() {
    const registers = [this.#registry]
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: 10 })
    const counter = (name: string, help: string, labelNames: string[] = [], aggregator: Aggregator = 'sum') =>
      new Counter({ name: `tidings_${name}`, help, labelNames, registers, aggregator })
    const histogram = (name: string, help: string, buckets: number[]) =>
      new Histogram({ name: `tidings_${name}`, help, buckets, registers })
    const published = counter('published_total', 'Entries that arrived from the log', [], 'max')
    const delivered = counter('delivered_total', 'Entries written to subscribers')
    const bytes = counter('delivered_bytes_total', 'Bytes written to connections')
    const pages = counter('history_pages_total', 'Pages of history read by clients without a stream')
    const paged = counter('history_updates_total', 'Updates in these pages')
    const ends = counter('ends_total', 'Entries that ended their topics', [], 'max')
    const deletions = counter('deletions_total', 'Deletions of history, on all nodes', [], 'max')
    const connects = counter('connects_total', 'Streams opened')
    const closes = counter('closes_total', 'Streams closed, by reason', ['reason'])
    const refusals = counter('refusals_total', 'Requests refused, by code', ['code'])
    const changes = counter('changes_total', 'Changes of live streams that were accepted, by result', ['result'])
    const failures = counter('failures_total', 'Internal errors')
    const revocations = counter('revocations_total', 'Revocations that this node learned of, by kind', ['kind'], 'max')
    const lifted = counter('revocations_lifted_total', 'Revocations that were lifted, by kind', ['kind'], 'max')
    const webhooks = counter('webhooks_total', 'Webhook events, by result', ['result'])
    this.webhooks = (result, events) => webhooks.inc({ result }, events)
    const swept = histogram(
      'sweep_entries',
      'Entries per sweep of an audience',
      [1, 2, 4, 8, 16, 32, 64, 128, 256, 1024]
    )
    const latency = histogram('publish_to_socket_seconds', 'Time from append to socket write', latencies)
    const appended = histogram('append_seconds', 'Time of an append to the log', latencies)
    this.#gauges()
    this.observer = {
      appended: (_, ms) => appended.observe(ms / 1_000),
      arrived: (entries) => {
        published.inc(entries.length)
        for (const { update, deletion } of entries) {
          if (update.end) ends.inc()
          if (deletion) deletions.inc()
        }
      },
      paged: (updates) => {
        pages.inc()
        paged.inc(updates)
      },
      delivered: ({ by, entries, deliveries, bytes: written, oldestTime }) => {
        delivered.inc(deliveries)
        bytes.inc(written)
        if (by !== 'sweep') return
        swept.observe(entries)
        latency.observe(Math.max(0, (Date.now() - oldestTime) / 1_000))
      },
      joined: () => connects.inc(),
      left: (_, reason) => closes.inc({ reason }),
      changed: () => changes.inc({ result: 'changed' }),
      changeRefused: () => changes.inc({ result: 'refused' }),
      refused: ({ code }) => refusals.inc({ code }),
      revoked: ({ kind }) => revocations.inc({ kind }),
      lifted: ({ kind }) => lifted.inc({ kind }),
      failed: () => failures.inc()
    }
  }

  /** Sets the hub whose state the gauges show. */
  watch(hub: Hub): void {
    this.#hub = hub
  }

  /** In the text format of Prometheus. */
  text(): Promise<string> {
    return this.#registry.metrics()
  }

  /** For `combineMetrics`. */
  values(): Promise<MetricValues> {
    return this.#registry.getMetricsAsJSON() as Promise<MetricValues>
  }

  #gauges(): void {
    const gauge = (name: string, help: string, read: (hub: Hub) => number, aggregator: Aggregator = 'sum') => {
      const value = () => (this.#hub ? read(this.#hub) : 0)
      new Gauge({
        name: `tidings_${name}`,
        help,
        registers: [this.#registry],
        aggregator,
        collect() {
          this.set(value())
        }
      })
    }
    // All gauges of one scrape are collected in one tick, and look at the streams once.
    let totals: StreamTotals | undefined
    const totalsOf = (hub: Hub) => {
      totals ??= scan(hub.subscribers)
      queueMicrotask(() => {
        totals = undefined
      })
      return totals
    }
    gauge('subscribers_live', 'Subscribers that are up to date', (hub) => totalsOf(hub).live)
    gauge('subscribers_behind', 'Subscribers that are catching up', (hub) => totalsOf(hub).behind)
    gauge('lag_entries', 'Entries that subscribers have not received yet', (hub) => totalsOf(hub).lag.total)
    gauge('lag_entries_max', 'The same of the subscriber with most', (hub) => totalsOf(hub).lag.max, 'max')
    gauge('buffered_bytes', 'Bytes that full connections have yet to send', (hub) => totalsOf(hub).buffered)
    gauge('audiences', 'Groups of subscribers with equal interests', ({ status }) => status.audiences)
    gauge('polls', 'Clients that wait for an update without a stream', ({ status }) => status.polls)
    gauge('head', 'Offset of the newest entry', ({ status }) => status.head, 'max')
    gauge('window_entries', 'Recent entries held in memory', ({ status }) => status.window.entries)
    gauge('window_bytes', 'Bytes of recent entries held in memory', ({ status }) => status.window.bytes)
    gauge('log_entries', 'Entries in the log', ({ status }) => status.head - status.first + 1, 'max')
    gauge('log_ready', '1 if the log is available, else 0', ({ status }) => Number(status.isReady), 'min')
    gauge('subscriptions', 'Announced subscriptions of this node', ({ status }) => status.announced)
    gauge('revocations', 'Revocations on the list', ({ status }) => status.revocations, 'max')
  }
}
