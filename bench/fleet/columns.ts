// The columns of the fleet tables: the title of each, and how its number is read from a trial.
import type { Measurement } from '../load/protocol.ts'
import type { Column as AnyColumn } from '../support/report.ts'
import type { Scenario } from './scenarios.ts'

/** The measurement of one round. The counters of Redis run from the first publish to the last delivery, including the warm-up. */
export interface Measured {
  readonly nodes: number
  readonly traffic: Measurement
  readonly redis: { readonly appends: number; readonly bytesOut: number; readonly memory: number } | undefined
}

type Column = AnyColumn<Measured>

const median = (title: string, value: Column['value']): Column => ({ title, ratio: true, over: 'median', value })
const plain = (title: string, value: Column['value']): Column => ({ ...median(title, value), ratio: false })
const sum = (title: string, value: Column['value']): Column => ({ ...plain(title, value), over: 'sum' })

const latency = [
  median('p50 ms', ({ traffic }) => traffic.p50Millis),
  median('p99 ms', ({ traffic }) => traffic.p99Millis)
]
const health = [
  plain('generator CPU', ({ traffic }) => traffic.generatorCpu),
  { ...plain('elsewhere CPU (worst)', ({ traffic }) => traffic.elsewhereCpu), over: 'max' as const },
  sum('lost', ({ traffic }) => traffic.missing),
  sum('surplus', ({ traffic }) => traffic.surplus),
  sum('refused', ({ traffic }) => traffic.refused),
  sum('hung up', ({ traffic }) => traffic.hungUp)
]

export function columnsOf({ pace, batch }: Scenario): Column[] {
  const updates = ({ traffic }: Measured) => traffic.answered * batch
  const costs = [
    median('servers CPU µs/update', ({ traffic }) => traffic.serverCpuMicros / traffic.published),
    plain('servers CPU', ({ traffic }) => traffic.serverCpuMicros / 1e6 / traffic.seconds),
    plain('Redis CPU µs/update', ({ traffic, redis }) => redis && traffic.logCpuMicros / traffic.published),
    plain('Redis CPU', ({ traffic, redis }) => redis && traffic.logCpuMicros / 1e6 / traffic.seconds),
    plain('appends/publish', ({ traffic, redis }) => redis && redis.appends / traffic.answered),
    plain('Redis bytes out/update', (measured) => measured.redis && measured.redis.bytesOut / updates(measured)),
    plain('Redis MiB', ({ redis }) => redis && redis.memory / 2 ** 20)
  ]
  if ('perSecond' in pace) return [...latency, ...costs, ...health]
  return [median('updates/s', ({ traffic }) => traffic.published / traffic.seconds), ...latency, ...costs, ...health]
}
