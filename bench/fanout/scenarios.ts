// The scenarios, and the settings that the command line can change.
import type { Pace } from '../load/protocol.ts'

interface Common {
  name: string
  title: string
  subscribers: number
  rounds: number
}

export interface TrafficScenario extends Common {
  kind: 'traffic'
  pace: Pace
  payloadBytes: number
  warmUpSeconds: number
  seconds: number
}

export interface MemoryScenario extends Common {
  kind: 'memory'
  payloadBytes: number
}

export type Scenario = TrafficScenario | MemoryScenario

const usual = { rounds: 5, payloadBytes: 64 }
const traffic = { ...usual, kind: 'traffic' as const, warmUpSeconds: 1 }

export const scenarios: readonly Scenario[] = [
  {
    ...traffic,
    name: 'throughput',
    title: 'As fast as it goes',
    subscribers: 1_000,
    seconds: 4,
    pace: { inFlight: 16 }
  },
  { ...traffic, name: 'steady', title: 'Steady updates', subscribers: 1_000, seconds: 4, pace: { perSecond: 50 } },
  // Memory hardly differs between rounds, and takes long to become stable.
  { ...usual, kind: 'memory', name: 'memory', title: 'Memory of idle subscribers', subscribers: 10_000, rounds: 3 },
  {
    ...traffic,
    name: 'crowd',
    title: 'As fast as it goes, to a crowd',
    subscribers: 10_000,
    seconds: 3,
    pace: { inFlight: 16 }
  }
]

export interface Changes {
  subscribers?: number
  rounds?: number
  seconds?: number
  inFlight?: number
  perSecond?: number
  payloadBytes?: number
}

export function changed(scenario: Scenario, changes: Changes): Scenario {
  const subscribers = changes.subscribers ?? scenario.subscribers
  const rounds = changes.rounds ?? scenario.rounds
  const payloadBytes = changes.payloadBytes ?? scenario.payloadBytes
  if (scenario.kind === 'memory') return { ...scenario, subscribers, rounds, payloadBytes }
  const seconds = changes.seconds ?? scenario.seconds
  return { ...scenario, subscribers, rounds, payloadBytes, seconds, pace: changedPace(scenario.pace, changes) }
}

function changedPace(pace: Pace, { inFlight, perSecond }: Changes): Pace {
  if ('inFlight' in pace) return { inFlight: inFlight ?? pace.inFlight }
  return { perSecond: perSecond ?? pace.perSecond }
}

/** The scenario's settings as a sentence for the heading. */
export function described(scenario: Scenario): string {
  const crowd = `${scenario.subscribers.toLocaleString('en')} subscribers, ${scenario.rounds} rounds`
  if (scenario.kind === 'memory') return crowd
  const { pace, payloadBytes, seconds, warmUpSeconds } = scenario
  const how = 'inFlight' in pace ? `${pace.inFlight} publishes in flight` : `${pace.perSecond} updates a second`
  return `${crowd} of ${seconds} s after ${warmUpSeconds} s of warm-up, ${how}, ${payloadBytes} bytes each`
}
