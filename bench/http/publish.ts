// The publish benchmark: how fast are updates accepted over HTTP, and what does one cost, when nobody subscribes?
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { about, printAbout } from '../support/about.ts'
import { named, number } from '../support/flags.ts'
import { type Column, type Failure, markdown, summaries } from '../support/report.ts'
import { saveResults } from '../support/results.ts'
import { percentile } from '../support/stats.ts'
import { inTurns } from '../support/turns.ts'
import { type PublishContender, publishContenders } from './contenders.ts'
import { Pump } from './pump.ts'
import { requestText } from './requests.ts'

export const usage = `npm run bench -- publish [options]
  --only a,b         these contenders only; ratios are to the first
  --before COMMIT    also measure an earlier commit of this repository, which is built first
  --in-flight N      requests at the same time, each on its own connection (default 64)
  --rounds N         (default 5)
  --seconds N        of each measurement, after a second of warm-up (default 3)`

interface Outcome {
  readonly requests: number
  readonly seconds: number
  readonly cpu: number
  readonly updates: number
  readonly refused: number
  readonly p50: number
  readonly p99: number
}

const columns: readonly Column<Outcome>[] = [
  column('requests/s', true, ({ requests, seconds }) => requests / seconds),
  column('updates/s', false, ({ requests, seconds, updates }) => (requests * updates) / seconds),
  column('server CPU µs/request', true, ({ cpu, requests }) => cpu / requests),
  column('server CPU', false, ({ cpu, seconds }) => cpu / 1e6 / seconds),
  column('p50 ms', false, ({ p50 }) => p50),
  column('p99 ms', false, ({ p99 }) => p99),
  { ...column('refused', false, ({ refused }) => refused), over: 'sum' }
]

export async function publish(args: string[], command: string): Promise<void> {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    args,
    options: { only: text, before: text, 'in-flight': text, rounds: text, seconds: text }
  })
  const { inFlight = 64 } = number('inFlight', '--in-flight', values['in-flight'])
  const { rounds = 5 } = number('rounds', '--rounds', values.rounds)
  const { seconds = 3 } = number('seconds', '--seconds', values.seconds)
  const wanted = named(values.only, publishContenders(values.before))
  const present = wanted.filter((contender) => contender.obstacle() === undefined)
  const from = about(command)
  printAbout(from)
  for (const contender of wanted) {
    const obstacle = contender.obstacle()
    console.log(`- ${contender.name}: ${obstacle ? `missing, because ${obstacle}` : contender.version()}`)
  }
  const series = await inTurns('publish', rounds, present, (contender) => trial(contender, inFlight, seconds))
  const summary = summaries(columns, series, present[0]?.name ?? '')
  const title = `${inFlight} requests in flight, 64 bytes, no subscriber, ${rounds} rounds of ${seconds} s`
  console.log(`\n${markdown('publish', title, summary)}`)
  saveResults({ bench: 'publish', ...from, inFlight, rounds, seconds, summary, series })
}

async function trial(contender: PublishContender, inFlight: number, seconds: number): Promise<Outcome | Failure> {
  try {
    const server = await contender.start()
    try {
      const request = Buffer.from(requestText(server.port, contender.request))
      const pump = await Pump.start([server.port], inFlight, () => request)
      await sleep(1_000)
      pump.reset()
      const { answered, latencies, ...measured } = await pump.measure(server.pids, seconds)
      await pump.stop()
      return {
        ...measured,
        requests: answered,
        updates: contender.updates,
        p50: percentile(latencies, 50),
        p99: percentile(latencies, 99)
      }
    } finally {
      await server.stop()
    }
  } catch (error) {
    return { failure: (error as Error).message }
  }
}

function column(title: string, ratio: boolean, value: (outcome: Outcome) => number): Column<Outcome> {
  return { title, ratio, over: 'median', value }
}
