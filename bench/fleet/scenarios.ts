// The scenarios of the fleet benchmark.
import type { Pace } from '../load/protocol.ts'

export interface Scenario {
  readonly name: string
  readonly title: string
  readonly pace: Pace
  /** Updates per publish: one as text, several as lines. */
  readonly batch: number
  /** Whether all publishes go to the first node, so that updates reach the others through the log. */
  readonly atFirst: boolean
  readonly subscribersEach: number
  readonly rounds: number
  readonly seconds: number
}

export const payloadBytes = 64
export const warmUpSeconds = 1

/** The number of updates that the slowest reader may be behind. A log is only as fast as its readers. */
const behind = 20_000
const usual = { rounds: 3, seconds: 3, subscribersEach: 1, atFirst: false }

export const scenarios: readonly Scenario[] = [
  { ...usual, name: 'batches', title: 'Batches of 1,000 updates', pace: { inFlight: 4, behind }, batch: 1_000 },
  { ...usual, name: 'singles', title: 'Single updates', pace: { inFlight: 256, behind }, batch: 1 },
  { ...usual, name: 'steady', title: 'Steady updates at one node', pace: { perSecond: 100 }, batch: 1, atFirst: true }
]

/** The scenario's settings as a sentence for the heading. */
export function described({ pace, batch, atFirst, rounds, seconds, subscribersEach }: Scenario): string {
  const how = 'inFlight' in pace ? `${pace.inFlight} publishes in flight` : `${pace.perSecond} publishes a second`
  const where = atFirst ? 'at the first node' : 'spread over the nodes'
  const what =
    batch === 1 ? `one update of ${payloadBytes} bytes each` : `${batch} updates of ${payloadBytes} bytes each`
  const readers = `${subscribersEach} subscriber${subscribersEach === 1 ? '' : 's'} at each node`
  return `${how} ${where}, ${what}, ${readers}; ${rounds} rounds of ${seconds} s after ${warmUpSeconds} s of warm-up`
}
