// The runs benchmark: what do many answers of language models cost on one node, which writes, keeps and delivers them?
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startNode } from '../contenders/program.ts'
import { about, printAbout } from '../support/about.ts'
import { cpuMicros } from '../support/cpu.ts'
import { saveResults } from '../support/results.ts'
import { percentile, type Spread, spread } from '../support/stats.ts'
import { figure, table } from '../support/table.ts'
import { Readers } from './readers.ts'

export const usage = `npm run bench -- runs [options]
  --runs N      at the same time, each with one reader (default 1,000)
  --rate N      tokens per second of each run (default 50)
  --seconds N   (default 10)
  --rounds N    (default 3)`

const program = fileURLToPath(new URL('node.js', import.meta.url))

interface Options {
  readonly runs: number
  readonly rate: number
  readonly seconds: number
}

interface Round {
  readonly p50: number
  readonly p99: number
  readonly worst: number
  /** Of one core, in percent. */
  readonly cpu: number
  readonly tokensPerSecond: number
  readonly appendsPerSecond: number
  readonly missing: number
  readonly failed: number
}

export async function runs(args: string[], command: string): Promise<void> {
  const text = { type: 'string' } as const
  const { values } = parseArgs({ args, options: { runs: text, rate: text, seconds: text, rounds: text } })
  const options = {
    runs: Number(values.runs ?? 1_000),
    rate: Number(values.rate ?? 50),
    seconds: Number(values.seconds ?? 10)
  }
  const from = about(command)
  printAbout(from)
  const rounds: Round[] = []
  for (let round = 0; round < Number(values.rounds ?? 3); round++) rounds.push(await measure(options))
  console.log(`\n${markdown(options, rounds)}`)
  saveResults({ bench: 'runs', ...from, ...options, rounds })
}

async function measure({ runs, rate, seconds }: Options): Promise<Round> {
  const node = await startNode(program, String(runs), String(rate), String(seconds))
  try {
    const readers = new Readers()
    await readers.open(node.port, runs)
    const [cpuBefore, startedAt] = [cpuMicros(node.pids), performance.now()]
    const response = await fetch(`http://127.0.0.1:${node.port}/begin`, { method: 'POST' })
    const { appends, failed } = (await response.json()) as { appends: number; failed: number }
    const [cpu, elapsed] = [cpuMicros(node.pids) - cpuBefore, (performance.now() - startedAt) / 1_000]
    await readers.ended()
    const { latencies } = readers
    return {
      p50: percentile(latencies, 50),
      p99: percentile(latencies, 99),
      worst: percentile(latencies, 100),
      cpu: cpu / elapsed / 10_000,
      tokensPerSecond: latencies.length / elapsed,
      appendsPerSecond: appends / elapsed,
      missing: runs * rate * seconds - latencies.length,
      failed
    }
  } finally {
    await node.stop()
  }
}

function markdown({ runs, rate }: Options, rounds: readonly Round[]): string {
  const of = (name: keyof Round): string => {
    const { median, min, max }: Spread = spread(rounds.map((round) => round[name]))
    return `${figure(median)} (${figure(min)}–${figure(max)})`
  }
  const sum = (name: 'missing' | 'failed') => String(rounds.reduce((total, round) => total + round[name], 0))
  const head = [
    'runs × tokens/s',
    'tokens/s',
    'appends/s',
    'p50 ms',
    'p99 ms',
    'worst ms',
    'CPU % of a core',
    'lost',
    'failed'
  ]
  const cells = ['tokensPerSecond', 'appendsPerSecond', 'p50', 'p99', 'worst', 'cpu'] as const
  return table(head, [[`${figure(runs)} × ${figure(rate)}`, ...cells.map(of), sum('missing'), sum('failed')]])
}
