// Runs one contender in one scenario once, with a new server and a new load process.
import type { Contender, Server } from '../contenders/contender.ts'
import { Load } from '../load/client.ts'
import type { Measurement } from '../load/protocol.ts'
import { settledBytes } from '../support/memory.ts'
import type { Failure } from '../support/report.ts'
import type { MemoryScenario, Scenario, TrafficScenario } from './scenarios.ts'

export interface MemoryReading {
  before: number
  after: number
  perSubscriber: number
}

export type Outcome = { traffic: Measurement } | { memory: MemoryReading } | Failure

// Enough connections to trigger what a server initializes lazily.
const WARMING_CONNECTIONS = 200
// V8 returns the garbage of a burst only after some idle time: 9 s after two hundred connections, about 30 s after ten thousand.
// A shorter wait would measure garbage.
const CALM_BEFORE_MILLIS = 12_000
const CALM_AFTER_MILLIS = 35_000

export async function trial(contender: Contender, scenario: Scenario): Promise<Outcome> {
  try {
    const server = await contender.start(scenario.subscribers + 100)
    try {
      return await onServer(contender, scenario, server)
    } finally {
      await server.stop()
    }
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) }
  }
}

async function onServer(contender: Contender, scenario: Scenario, server: Server): Promise<Outcome> {
  const { subscribePath, publishPath } = contender
  const { port, pids: serverPids } = server
  const where = { subscribePorts: [port], publishPorts: [port], subscribePath, publishPath }
  const load = new Load({ ...where, payloadBytes: scenario.payloadBytes, serverPids, logPids: [] })
  try {
    if (scenario.kind === 'memory') return { memory: await idle(scenario, load, server) }
    return { traffic: await busy(scenario, load) }
  } finally {
    await load.stop()
  }
}

async function busy(scenario: TrafficScenario, load: Load): Promise<Measurement> {
  await load.subscribe(scenario.subscribers)
  const { pace, warmUpSeconds, seconds } = scenario
  return load.measure({ pace, warmUpSeconds, seconds })
}

async function idle(scenario: MemoryScenario, load: Load, { pids }: Server): Promise<MemoryReading> {
  await load.subscribe(WARMING_CONNECTIONS)
  await load.leave()
  const before = await settledBytes(pids, CALM_BEFORE_MILLIS)
  await load.subscribe(scenario.subscribers)
  const after = await settledBytes(pids, CALM_AFTER_MILLIS)
  return { before, after, perSubscriber: (after - before) / scenario.subscribers }
}
