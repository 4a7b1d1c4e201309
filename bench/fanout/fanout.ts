// The fan-out benchmark: every contender in turn, round after round, in one run; it knows not how any of it is measured.
import { betterSse } from '../contenders/better-sse.ts'
import type { Contender } from '../contenders/contender.ts'
import { installNchan, nchan } from '../contenders/nchan.ts'
import { resWrite } from '../contenders/res-write.ts'
import { tidings } from '../contenders/tidings.ts'
import { type About, about, printAbout } from '../support/about.ts'
import { descriptorLimit, sourcePorts } from '../support/machine.ts'
import { saveResults } from '../support/results.ts'
import { readOptions, usage } from './options.ts'
import { markdown, type Series, summaries } from './report.ts'
import type { Scenario } from './scenarios.ts'
import { trial } from './trial.ts'

const contenders = [tidings, betterSse, resWrite, nchan]

export { usage }

export async function fanout(args: string[], command: string): Promise<void> {
  const options = readOptions(args, contenders)
  if (options.install) installNchan()
  const present = options.contenders.filter((contender) => contender.obstacle() === undefined)
  const leftOut = options.contenders.filter((contender) => !present.includes(contender)).map(explained)
  const versions = Object.fromEntries(present.map((contender) => [contender.name, contender.version()]))
  const from = { ...about(command), versions, leftOut }
  print(from)
  const measured = []
  for (const scenario of options.scenarios) {
    const series = await rounds(scenario, present)
    const summary = summaries(scenario, series)
    console.log(`\n${markdown(scenario, summary)}`)
    measured.push({ scenario, summary, series })
    // After every scenario, so that a run that is interrupted has not been for nothing.
    saveResults({ bench: 'fanout', ...from, measured })
  }
}

/** Each round begins with another contender: what a machine does to the first or the last of a round, it does to all. */
async function rounds(scenario: Scenario, present: readonly Contender[]): Promise<Series[]> {
  requireRoom(scenario)
  const series = present.map(({ name }): Series => ({ contender: name, outcomes: [] }))
  for (let round = 0; round < scenario.rounds; round++) {
    for (let turn = 0; turn < present.length; turn++) {
      const at = (round + turn) % present.length
      const contender = present[at]
      if (!contender) continue
      console.error(`${scenario.name}, round ${round + 1} of ${scenario.rounds}: ${contender.name}`)
      series[at]?.outcomes.push(await trial(contender, scenario))
    }
  }
  return series
}

/** Said beforehand and in full, instead of as ten thousand failed connections. */
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
