// The fleet benchmark: one server, and several servers that share a log in Redis.
import { parseArgs } from 'node:util'
import { about, printAbout } from '../support/about.ts'
import { named, number } from '../support/flags.ts'
import { markdown, summaries } from '../support/report.ts'
import { saveResults } from '../support/results.ts'
import { inTurns } from '../support/turns.ts'
import { columnsOf } from './columns.ts'
import { contenders, kept } from './contenders.ts'
import { redisVersion } from './redis.ts'
import { described, scenarios } from './scenarios.ts'
import { trial } from './trial.ts'

const names = (things: readonly { name: string }[]) => things.map(({ name }) => name).join(', ')

export const usage = `npm run bench -- fleet [options]
  --scenario a,b     of ${names(scenarios)} (default: all)
  --only a,b         of ${names(contenders)}; ratios are to memory, or else to the first
  --rounds N         (default 3)
  --seconds N        of each measurement (default 3)`

export async function fleet(args: string[], command: string): Promise<void> {
  const text = { type: 'string' } as const
  const { values } = parseArgs({ args, options: { scenario: text, only: text, rounds: text, seconds: text } })
  const changes = { ...number('rounds', '--rounds', values.rounds), ...number('seconds', '--seconds', values.seconds) }
  const asked = named(values.only, contenders)
  const redis = redisVersion()
  const present = asked.filter((contender) => redis !== undefined || !contender.redis)
  const leftOut = asked.filter((contender) => !present.includes(contender)).map(({ name }) => name)
  const from = { ...about(command), redis, leftOut }
  printAbout(from)
  console.log(`- every log keeps ${kept.toLocaleString('en')} entries`)
  if (redis) console.log(`- Redis ${redis}`)
  if (leftOut.length > 0) console.log(`- ${leftOut.join(', ')}: left out, for there is no redis-server here`)
  const measured = []
  for (const scenario of named(values.scenario, scenarios).map((one) => ({ ...one, ...changes }))) {
    const series = await inTurns(scenario.name, scenario.rounds, present, (contender) => trial(contender, scenario))
    const summary = summaries(columnsOf(scenario), series, 'memory')
    console.log(`\n${markdown(`${scenario.name}: ${scenario.title}`, described(scenario), summary)}`)
    measured.push({ scenario, summary, series })
    // After every scenario, so that an interrupted run keeps its results.
    saveResults({ bench: 'fleet', ...from, measured })
  }
}
