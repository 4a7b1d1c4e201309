// Makes the overview of all nodes from two readings of each.
import type { Overview, Percentiles, Sample } from '../../dashboard-api/overview.ts'
import { addCounts, percentilesBetween } from '../../hub/telemetry/histogram.ts'
import type { Reading } from '../../hub/telemetry/reading.ts'

/** A reading with what its node is called. */
export interface NodeReading extends Reading {
  readonly name: string
  readonly worker: number | null
}

type Counter = 'published' | 'delivered' | 'bytes' | 'connects' | 'closes' | 'sweeps' | 'swept' | 'cpu'

/** What happened on one node between two readings. */
interface Span {
  readonly now: NodeReading
  readonly ms: number
  readonly counted: Readonly<Record<Counter, number>>
  /** The counts of the histograms at its begin; empty if they began anew. */
  readonly before: Pick<Reading, 'latency' | 'loop'>
}

const counters: readonly Counter[] = ['published', 'delivered', 'bytes', 'connects', 'closes', 'sweeps', 'swept', 'cpu']
const empty = { latency: [], loop: [] }
const none: Percentiles = { p50: 0, p99: 0 }

/** @param before the earlier readings, by node; a node without one has no rates yet */
export function overviewOf(
  readings: readonly NodeReading[],
  before: ReadonlyMap<string, NodeReading>
): Omit<Overview, 'missing' | 'log'> {
  const spans = readings.map((now) => spanOf(now, before.get(now.node)))
  // Of the reading, not of now: rates times the time between two samples are what was counted.
  return { at: readings[0]?.at ?? Date.now(), nodes: spans.map(sampleOf), total: totalOf(spans) }
}

function spanOf(now: NodeReading, before: NodeReading | undefined): Span {
  const ms = before ? now.clock - before.clock : 0
  const grown = (name: Counter) => (before ? Math.max(0, now[name] - before[name]) : 0)
  const counted = Object.fromEntries(counters.map((name) => [name, grown(name)])) as Record<Counter, number>
  return { now, ms, counted, before: before?.measurement === now.measurement ? before : empty }
}

function sampleOf(span: Span): Sample {
  const { now, ms, counted, before } = span
  const perSecond = (count: number) => (ms > 0 ? rounded((count / ms) * 1_000) : 0)
  const { node, worker, name, subscribers, live, behind, polls, audiences, lag, buffered, memory } = now
  return {
    node,
    worker,
    name,
    subscribers,
    live,
    behind,
    polls,
    audiences,
    published: perSecond(counted.published),
    delivered: perSecond(counted.delivered),
    bytes: perSecond(counted.bytes),
    connects: perSecond(counted.connects),
    closes: perSecond(counted.closes),
    latency: percentilesBetween(before.latency, now.latency),
    loop: percentilesBetween(before.loop, now.loop) ?? none,
    entriesPerSweep: counted.sweeps === 0 ? 0 : rounded(counted.swept / counted.sweeps),
    lag,
    buffered,
    memory,
    cpu: ms > 0 ? rounded(counted.cpu / ms, 1_000) : 0
  }
}

/** Every node receives every entry, so `published` is that of the node that received most. */
function totalOf(spans: readonly Span[]): Sample {
  const samples = spans.map(sampleOf)
  const sum = (value: (sample: Sample) => number) => rounded(samples.reduce((total, one) => total + value(one), 0))
  const most = (value: (sample: Sample) => number) => Math.max(0, ...samples.map(value))
  const sweeps = spans.reduce((total, { counted }) => total + counted.sweeps, 0)
  const swept = spans.reduce((total, { counted }) => total + counted.swept, 0)
  return {
    node: '',
    worker: null,
    name: 'total',
    subscribers: sum((one) => one.subscribers),
    live: sum((one) => one.live),
    behind: sum((one) => one.behind),
    polls: sum((one) => one.polls),
    audiences: sum((one) => one.audiences),
    published: most((one) => one.published),
    delivered: sum((one) => one.delivered),
    bytes: sum((one) => one.bytes),
    connects: sum((one) => one.connects),
    closes: sum((one) => one.closes),
    latency: percentilesBetween(
      addCounts(spans.map(({ before }) => before.latency)),
      addCounts(spans.map(({ now }) => now.latency))
    ),
    loop: { p50: most((one) => one.loop.p50), p99: most((one) => one.loop.p99) },
    entriesPerSweep: sweeps === 0 ? 0 : rounded(swept / sweeps),
    lag: { max: most((one) => one.lag.max), total: sum((one) => one.lag.total) },
    buffered: sum((one) => one.buffered),
    memory: { rss: sum((one) => one.memory.rss), heap: sum((one) => one.memory.heap) },
    cpu: rounded(
      samples.reduce((total, one) => total + one.cpu, 0),
      1_000
    )
  }
}

function rounded(value: number, factor = 100): number {
  return Math.round(value * factor) / factor
}
