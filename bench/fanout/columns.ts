// The columns of the fan-out tables: the title of each, and how its number is read from a trial.
import type { Measurement } from '../load/protocol.ts'
import type { Column as AnyColumn, Failure } from '../support/report.ts'
import type { Scenario } from './scenarios.ts'
import type { MemoryReading, Outcome } from './trial.ts'

type Measured = Exclude<Outcome, Failure>
type Column = AnyColumn<Measured>

const rate = traffic('deliveries/s', (m) => m.deliveries / m.seconds)
const cpu = traffic('server CPU µs/delivery', (m) => m.serverCpuMicros / m.deliveries)
const health: Column[] = [
  { ...traffic('server CPU', (m) => m.serverCpuMicros / 1e6 / m.seconds), ratio: false },
  { ...traffic('generator CPU', (m) => m.generatorCpu), ratio: false },
  { ...traffic('elsewhere CPU (worst)', (m) => m.elsewhereCpu), ratio: false, over: 'max' },
  { ...traffic('lost', (m) => m.missing), ratio: false, over: 'sum' },
  { ...traffic('surplus', (m) => m.surplus), ratio: false, over: 'sum' },
  { ...traffic('refused', (m) => m.refused), ratio: false, over: 'sum' },
  { ...traffic('hung up', (m) => m.hungUp), ratio: false, over: 'sum' }
]
const latency: Column[] = [traffic('p50 ms', (m) => m.p50Millis), traffic('p99 ms', (m) => m.p99Millis)]
const memoryColumns: Column[] = [
  memory('bytes/subscriber', (m) => m.perSubscriber),
  { ...memory('MiB before', (m) => m.before / 2 ** 20), ratio: false },
  { ...memory('MiB with all', (m) => m.after / 2 ** 20), ratio: false }
]

export function columnsOf(scenario: Scenario): Column[] {
  if (scenario.kind === 'memory') return memoryColumns
  return 'inFlight' in scenario.pace ? [rate, cpu, ...latency, ...health] : [...latency, cpu, ...health]
}

function traffic(title: string, read: (measurement: Measurement) => number): Column {
  const value = (outcome: Measured): number | undefined => ('traffic' in outcome ? read(outcome.traffic) : undefined)
  return { title, ratio: true, over: 'median', value }
}

function memory(title: string, read: (reading: MemoryReading) => number): Column {
  const value = (outcome: Measured): number | undefined => ('memory' in outcome ? read(outcome.memory) : undefined)
  return { title, ratio: true, over: 'median', value }
}
