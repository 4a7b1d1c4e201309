// Measures one window, from warm-up to the last delivery.
import { setTimeout as sleep } from 'node:timers/promises'
import { cpuMicros, machineMicros } from '../support/cpu.ts'
import { percentile } from '../support/stats.ts'
import { Publishing } from './pace.ts'
import type { Measurement, Target, Window } from './protocol.ts'
import type { Subscribers } from './subscribers.ts'

const STRAGGLER_POLL_MILLIS = 20
const STRAGGLER_PATIENCE_MILLIS = 5_000

interface Reading {
  millis: number
  published: number
  deliveries: number
  server: number
  log: number
  generator: number
  machine: number
}

export async function measure(target: Target, subscribers: Subscribers, window: Window): Promise<Measurement> {
  const publishing = await Publishing.start(target, window.pace, () => subscribers.least)
  const read = (): Reading => reading(target, subscribers, publishing)
  await sleep(window.warmUpSeconds * 1000)
  subscribers.latencies = []
  const before = read()
  await sleep(window.seconds * 1000)
  const after = read()
  const latencies = subscribers.latencies
  // A new list: deliveries after the window do not count for latency.
  subscribers.latencies = []
  await publishing.stop()
  await stragglers(subscribers, publishing.accepted)
  return {
    ...between(before, after),
    p50Millis: percentile(latencies, 50),
    p99Millis: percentile(latencies, 99),
    ...subscribers.difference(publishing.accepted),
    answered: publishing.answered,
    refused: publishing.refused,
    hungUp: subscribers.hungUp
  }
}

function reading(target: Target, subscribers: Subscribers, publishing: Publishing): Reading {
  return {
    millis: performance.now(),
    published: publishing.accepted,
    deliveries: subscribers.deliveries,
    server: cpuMicros(target.serverPids),
    log: cpuMicros(target.logPids),
    generator: cpuMicros([process.pid]),
    machine: machineMicros()
  }
}

function between(
  before: Reading,
  after: Reading
): Pick<Measurement, 'seconds' | 'published' | 'deliveries'> &
  Pick<Measurement, 'serverCpuMicros' | 'logCpuMicros' | 'generatorCpu' | 'elsewhereCpu'> {
  const micros = (after.millis - before.millis) * 1000
  const server = after.server - before.server
  const log = after.log - before.log
  const generator = after.generator - before.generator
  return {
    seconds: micros / 1e6,
    published: after.published - before.published,
    deliveries: after.deliveries - before.deliveries,
    serverCpuMicros: server,
    logCpuMicros: log,
    generatorCpu: generator / micros,
    elsewhereCpu: Math.max(0, (after.machine - before.machine - server - log - generator) / micros)
  }
}

/** Waits until everything has arrived, or until nothing has arrived for five seconds. Then the rest is lost. */
async function stragglers(subscribers: Subscribers, published: number): Promise<void> {
  let seen = subscribers.deliveries
  for (let quiet = 0; quiet < STRAGGLER_PATIENCE_MILLIS; quiet += STRAGGLER_POLL_MILLIS) {
    if (subscribers.difference(published).missing === 0) return
    await sleep(STRAGGLER_POLL_MILLIS)
    if (subscribers.deliveries !== seen) quiet = 0
    seen = subscribers.deliveries
  }
}
