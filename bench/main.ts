// Runs the named benchmark; default `fanout`.
import { embedded, fanout } from './fanout/fanout.ts'
import { fleet, usage as fleetUsage } from './fleet/fleet.ts'
import { connect } from './http/connect.ts'
import { dashboard, usage as dashboardUsage } from './http/dashboard.ts'
import { fairness } from './http/fairness.ts'
import { oneToOne } from './http/one-to-one.ts'
import { publish, usage as publishUsage } from './http/publish.ts'
import { storm } from './http/storm.ts'
import { workers, usage as workersUsage } from './http/workers.ts'
import { log, usage as logUsage } from './log/log.ts'
import { replay, usage as replayUsage } from './replay/replay.ts'
import { runs, usage as runsUsage } from './runs/runs.ts'
import { deletion, usage as deletionUsage } from './topics/deletion.ts'
import { polling, usage as pollingUsage } from './topics/polling.ts'

interface Bench {
  readonly usage: string
  run(args: string[], command: string): Promise<void>
}

const benches: Record<string, Bench> = {
  connect,
  dashboard: { run: dashboard, usage: dashboardUsage },
  deletion: { run: deletion, usage: deletionUsage },
  embedded,
  fairness,
  fanout,
  fleet: { run: fleet, usage: fleetUsage },
  log: { run: log, usage: logUsage },
  'one-to-one': oneToOne,
  polling: { run: polling, usage: pollingUsage },
  publish: { run: publish, usage: publishUsage },
  replay: { run: replay, usage: replayUsage },
  runs: { run: runs, usage: runsUsage },
  storm,
  workers: { run: workers, usage: workersUsage }
}

const args = process.argv.slice(2)
const command = ['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' ')
const name = args[0]?.startsWith('-') === false ? args.shift() : 'fanout'
const bench = benches[name ?? '']

try {
  if (!bench) throw new Error(`there is no benchmark "${name}"; there is ${Object.keys(benches).join(', ')}`)
  if (args.includes('--help')) console.log(bench.usage)
  else await bench.run(args, command)
} catch (error) {
  console.error(`${error instanceof Error ? error.message : error}\n(--help lists the options)`)
  process.exitCode = 2
}
