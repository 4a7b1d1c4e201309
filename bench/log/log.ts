// The log benchmark: how many updates per second are stored, by the log alone and through HTTP.
import { parseArgs } from 'node:util'
import type { Update } from 'tidings'
import { type About, about, printAbout } from '../support/about.ts'
import { bytesIn, inFolder } from '../support/folder.ts'
import { saveResults } from '../support/results.ts'
import { percentile, spread } from '../support/stats.ts'
import { figure, table } from '../support/table.ts'
import { type Contender, contenders, type Keeper } from './contenders.ts'
import { httpContenders } from './http.ts'

interface Scenario {
  readonly title: string
  readonly contenders: readonly Contender[]
  /** Updates in one append. */
  readonly batch: number
  /** Appends in flight at the same time. */
  readonly inFlight: number
  readonly topics: number
}

interface Outcome {
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  readonly bytesEach: number
}

const scenarios: readonly Scenario[] = [
  { title: 'batches of 1,000, one after the other, one topic', contenders, batch: 1_000, inFlight: 1, topics: 1 },
  {
    title: 'batches of 1,000, one after the other, 1,000 topics',
    contenders,
    batch: 1_000,
    inFlight: 1,
    topics: 1_000
  },
  { title: 'single updates, 100 in flight, 1,000 topics', contenders, batch: 1, inFlight: 100, topics: 1_000 },
  { title: 'single updates, one after the other, 1,000 topics', contenders, batch: 1, inFlight: 1, topics: 1_000 },
  { title: 'through HTTP, 1 in flight', contenders: httpContenders, batch: 1, inFlight: 1, topics: 1 },
  { title: 'through HTTP, 16 in flight', contenders: httpContenders, batch: 1, inFlight: 16, topics: 1 },
  { title: 'through HTTP, 256 in flight', contenders: httpContenders, batch: 1, inFlight: 256, topics: 1 },
  {
    title: 'through HTTP, batches of 1,000, 4 in flight',
    contenders: httpContenders,
    batch: 1_000,
    inFlight: 4,
    topics: 1
  }
]

const payload = 'x'.repeat(64)

export const usage = `npm run bench -- log [options]
  --only TEXT        the scenarios whose title holds it
  --rounds N         (default 3)
  --seconds N        of each measurement (default 3)`

export async function log(args: string[], command: string): Promise<void> {
  const text = { type: 'string' } as const
  const { values } = parseArgs({ args, options: { rounds: text, seconds: text, only: text } })
  const { rounds = '3', seconds = '3', only = '' } = values
  const from = about(command)
  printAbout(from)
  const measured = []
  for (const scenario of scenarios.filter(({ title }) => title.includes(only))) {
    const series = await measure(scenario, Number(rounds), Number(seconds) * 1_000)
    console.log(`\n## ${scenario.title}\n\n${markdown(series)}`)
    measured.push({ scenario, series: Object.fromEntries(series) })
    save(from, measured)
  }
}

function save(from: About, measured: object[]): void {
  saveResults({ bench: 'log', ...from, measured })
}

/** The rounds are interleaved, so that other load on the machine affects all contenders. */
async function measure(scenario: Scenario, rounds: number, millis: number): Promise<[string, Outcome[]][]> {
  const series = scenario.contenders.map(({ name }): [string, Outcome[]] => [name, []])
  for (let round = 0; round < rounds; round++) {
    for (const [at, contender] of scenario.contenders.entries()) {
      console.error(`${scenario.title}, round ${round + 1} of ${rounds}: ${contender.name}`)
      series[at]?.[1].push(await trial(contender, scenario, millis))
    }
  }
  return series
}

function trial(contender: Contender, scenario: Scenario, millis: number): Promise<Outcome> {
  return inFolder(async (path) => {
    const keeper = await contender.open(path)
    // Warm-up: compilation and memory mapping are not measured.
    const warmUp = await run(keeper, scenario, millis / 5)
    const { count, elapsed, latencies } = await run(keeper, scenario, millis)
    await keeper.close()
    const [p50, p99] = [percentile(latencies, 50), percentile(latencies, 99)]
    return { perSecond: (count / elapsed) * 1_000, p50, p99, bytesEach: bytesIn(path) / (warmUp.count + count) }
  })
}

async function run(keeper: Keeper, { batch, inFlight, topics }: Scenario, millis: number) {
  const latencies: number[] = []
  let count = 0
  const start = performance.now()
  const publisher = async () => {
    for (let now = performance.now(); now - start < millis; ) {
      const updates = Array.from({ length: batch }, (_, at) => updateFor((count + at) % topics))
      count += batch
      await keeper.append(updates)
      const then = performance.now()
      latencies.push(then - now)
      now = then
    }
  }
  await Promise.all(Array.from({ length: inFlight }, publisher))
  return { count, elapsed: performance.now() - start, latencies }
}

function updateFor(topic: number): Update {
  return { topics: [`bench/topic/${topic}`], data: payload }
}

function markdown(series: readonly [string, Outcome[]][]): string {
  const cell = (outcomes: Outcome[], key: keyof Outcome) => {
    const { median, min, max } = spread(outcomes.map((outcome) => outcome[key]))
    return `${figure(median)} (${figure(min)}–${figure(max)})`
  }
  const head = ['kept by', 'updates/s', 'p50 ms', 'p99 ms', 'bytes on disk each']
  const rows = series.map(([name, outcomes]) => [
    name,
    cell(outcomes, 'perSecond'),
    cell(outcomes, 'p50'),
    cell(outcomes, 'p99'),
    figure(spread(outcomes.map(({ bytesEach }) => bytesEach)).median)
  ])
  return table(head, rows)
}
