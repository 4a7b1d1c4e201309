// Runs one contender in one scenario once, with new servers, a new Redis and a new load process.
import { Load } from '../load/client.ts'
import type { Target } from '../load/protocol.ts'
import { inFolder } from '../support/folder.ts'
import type { Failure } from '../support/report.ts'
import type { Measured } from './columns.ts'
import { type Contender, type Fleet, withFleet } from './contenders.ts'
import { payloadBytes, type Scenario, warmUpSeconds } from './scenarios.ts'

const topic = 'bench'

export async function trial(contender: Contender, scenario: Scenario): Promise<Measured | Failure> {
  try {
    return await inFolder((folder) => withFleet(contender, folder, (fleet) => onFleet(fleet, scenario)))
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) }
  }
}

async function onFleet(fleet: Fleet, scenario: Scenario): Promise<Measured> {
  const nodes = fleet.servers.length
  const load = new Load(target(fleet, scenario))
  try {
    await load.subscribe(nodes * scenario.subscribersEach)
    const before = await fleet.redis?.counters()
    const { pace, seconds } = scenario
    const traffic = await load.measure({ pace, warmUpSeconds, seconds })
    const after = await fleet.redis?.counters()
    const redis = before &&
      after && {
        appends: after.appends - before.appends,
        bytesOut: after.bytesOut - before.bytesOut,
        memory: after.memory
      }
    return { nodes, traffic, redis }
  } finally {
    await load.stop()
  }
}

function target({ servers, redis }: Fleet, { batch, atFirst }: Scenario): Target {
  const ports = servers.map(({ port }) => port)
  return {
    subscribePorts: ports,
    publishPorts: atFirst ? ports.slice(0, 1) : ports,
    subscribePath: `/subscribe?topic=${topic}`,
    publishPath: batch === 1 ? `/publish?topic=${topic}` : '/publish',
    payloadBytes,
    ...(batch > 1 && { lines: { count: batch, topic } }),
    serverPids: servers.flatMap(({ pids }) => pids),
    logPids: redis ? [redis.pid] : []
  }
}
