// What the benchmarks with many streams have in common: options, the list of hubs, and the report.
import { parseArgs } from 'node:util'
import { about, printAbout } from '../support/about.ts'
import { named, number } from '../support/flags.ts'
import { descriptorLimit, sourcePorts } from '../support/machine.ts'
import { type Column, type Failure, markdown, summaries } from '../support/report.ts'
import { saveResults } from '../support/results.ts'
import { inTurns } from '../support/turns.ts'
import { type Hub, hubs } from './hubs.ts'

export interface Settings {
  readonly streams: number
  readonly seconds: number
}

export interface HubBench<Outcome extends object> {
  readonly name: string
  /** The settings as a sentence. */
  describe(settings: Settings): string
  readonly columns: readonly Column<Outcome>[]
  /** Whether a hub takes part; default all. */
  includes?(hub: Hub): boolean
  run(hub: Hub, settings: Settings): Promise<Outcome>
}

export const usageOf = (name: string) => `npm run bench -- ${name} [options]
  --only a,b         these hubs only; ratios are to the first
  --before COMMIT    also measure an earlier commit of this repository, which is built first
  --streams N        (default 10,000)
  --rounds N         (default 3)
  --seconds N        of measurement, where that applies (default 5)
  --flags "..."      more flags of \`tidings serve\``

export async function runBench<Outcome extends object>(
  bench: HubBench<Outcome>,
  args: string[],
  command: string
): Promise<void> {
  const text = { type: 'string' } as const
  const options = { only: text, before: text, streams: text, rounds: text, seconds: text, flags: text }
  const { values } = parseArgs({ args, options })
  const { streams = 10_000 } = number('streams', '--streams', values.streams)
  const { rounds = 3 } = number('rounds', '--rounds', values.rounds)
  const { seconds = 5 } = number('seconds', '--seconds', values.seconds)
  const room = Math.min(descriptorLimit(), sourcePorts())
  if (room < streams + 200) throw new Error(`${streams} streams do not fit: descriptors and ports allow ${room}`)
  const flags = values.flags?.split(' ') ?? []
  const wanted = named(values.only, hubs(values.before, flags)).filter((hub) => bench.includes?.(hub) ?? true)
  const present = wanted.filter((hub) => hub.obstacle() === undefined)
  const from = about(command)
  printAbout(from)
  for (const hub of wanted) {
    const obstacle = hub.obstacle()
    console.log(`- ${hub.name}: ${obstacle ? `missing, because ${obstacle}` : hub.version()}`)
  }
  const settings = { streams, seconds }
  const series = await inTurns(
    bench.name,
    rounds,
    present,
    (hub): Promise<Outcome | Failure> => bench.run(hub, settings).catch((error: Error) => ({ failure: error.message }))
  )
  const summary = summaries(bench.columns, series, present[0]?.name ?? '')
  console.log(`\n${markdown(bench.name, `${bench.describe(settings)}, ${rounds} rounds`, summary)}`)
  saveResults({ bench: bench.name, ...from, ...settings, rounds, summary, series })
}

export function column<Outcome>(title: string, value: (outcome: Outcome) => number, ratio = false): Column<Outcome> {
  return { title, ratio, over: 'median', value }
}
