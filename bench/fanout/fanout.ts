// The fan-out benchmark: all contenders in turn, round after round, in one run.
import { betterSse } from '../contenders/better-sse.ts'
import type { Contender } from '../contenders/contender.ts'
import { embeddings } from '../contenders/embedded.ts'
import { installNchan, nchan } from '../contenders/nchan.ts'
import { resWrite } from '../contenders/res-write.ts'
import { tidings } from '../contenders/tidings.ts'
import { type About, about, printAbout } from '../support/about.ts'
import { descriptorLimit, sourcePorts } from '../support/machine.ts'
import { markdown, summaries } from '../support/report.ts'
import { saveResults } from '../support/results.ts'
import { inTurns } from '../support/turns.ts'
import { columnsOf } from './columns.ts'
import { readOptions, usageOf } from './options.ts'
import { described, type Scenario } from './scenarios.ts'
import { trial } from './trial.ts'

/** Servers, as they are usually run. */
export const fanout = benchOf('fanout', [tidings, betterSse, resWrite, nchan])

/** One hub in the servers of applications: what a delivery costs in each. */
export const embedded = benchOf('embedded', embeddings)

function benchOf(name: string, contenders: readonly Contender[]) {
  return { usage: usageOf(name), run: (args: string[], command: string) => run(name, contenders, args, command) }
}

async function run(bench: string, contenders: readonly Contender[], args: string[], command: string): Promise<void> {
  const options = readOptions(args, contenders)
  if (options.install) installNchan()
  const present = options.contenders.filter((contender) => contender.obstacle() === undefined)
  const leftOut = options.contenders.filter((contender) => !present.includes(contender)).map(explained)
  const versions = Object.fromEntries(present.map((contender) => [contender.name, contender.version()]))
  const from = { ...about(command), versions, leftOut }
  print(from)
  const measured = []
  for (const scenario of options.scenarios) {
    requireRoom(scenario)
    const series = await inTurns(scenario.name, scenario.rounds, present, (contender) => trial(contender, scenario))
    const summary = summaries(columnsOf(scenario), series, 'tidings')
    console.log(`\n${markdown(`${scenario.name}: ${scenario.title}`, described(scenario), summary)}`)
    measured.push({ scenario, summary, series })
    // After every scenario, so that an interrupted run keeps its results.
    saveResults({ bench, ...from, measured })
  }
}

/** Fails early with one clear error, instead of ten thousand failed connections. */
function requireRoom({ name, subscribers }: Scenario): void {
  const needed = subscribers + 200
  const descriptors = descriptorLimit()
  if (descriptors < needed)
    throw new Error(`${name} needs ${needed} file descriptors; the limit here is ${descriptors}`)
  const ports = sourcePorts()
  if (ports < needed) throw new Error(`${name} needs ${needed} source ports; the range here has ${ports}`)
}

function explained(contender: Contender): string {
  return `${contender.name} is left out: ${contender.obstacle()}`
}

function print(from: About & { versions: object; leftOut: string[] }): void {
  printAbout(from)
  for (const [name, version] of Object.entries(from.versions)) console.log(`- ${name} ${version}`)
  for (const line of from.leftOut) console.log(`- ${line}`)
}
