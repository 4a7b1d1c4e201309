// What the dashboard costs a loaded server: absent, disabled, closed, and open.
import { get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startNode } from '../contenders/program.ts'
import { about, printAbout } from '../support/about.ts'
import { cpuMicros } from '../support/cpu.ts'
import { number } from '../support/flags.ts'
import { type Column, type Failure, markdown, summaries } from '../support/report.ts'
import { saveResults } from '../support/results.ts'
import { inTurns } from '../support/turns.ts'
import { programOf } from './before.ts'
import { Lane } from './pump.ts'
import { requestText } from './requests.ts'
import { mark, Streams } from './streams.ts'
import { column } from './trial.ts'

export const usage = `npm run bench -- dashboard [options]
  --before COMMIT    an earlier commit without a dashboard, which is built first
  --streams N        subscribers of one topic (default 1,000)
  --per-second N     updates per second (default 20)
  --rounds N         (default 3)
  --seconds N        of each measurement (default 5)`

interface Variant {
  readonly name: string
  readonly before: string | undefined
  readonly flags: readonly string[]
  readonly isOpen: boolean
}

interface Outcome {
  readonly loaded: number
  readonly delivery: number
  readonly idle: number
}

const columns: readonly Column<Outcome>[] = [
  column('server CPU, loaded', ({ loaded }) => loaded, true),
  column('CPU µs/delivery', ({ delivery }) => delivery, true),
  column('server CPU, no updates', ({ idle }) => idle)
]

function variants(before: string | undefined): Variant[] {
  const absent = { name: 'absent', before, flags: [], isOpen: false }
  return [
    ...(before === undefined ? [] : [absent]),
    { name: 'off', before: undefined, flags: ['--dashboard', 'off'], isOpen: false },
    { name: 'closed', before: undefined, flags: [], isOpen: false },
    { name: 'open', before: undefined, flags: [], isOpen: true }
  ]
}

export async function dashboard(args: string[], command: string): Promise<void> {
  const text = { type: 'string' } as const
  const options = { before: text, streams: text, 'per-second': text, rounds: text, seconds: text }
  const { values } = parseArgs({ args, options })
  const { streams = 1_000 } = number('streams', '--streams', values.streams)
  const { perSecond = 20 } = number('perSecond', '--per-second', values['per-second'])
  const { rounds = 3 } = number('rounds', '--rounds', values.rounds)
  const { seconds = 5 } = number('seconds', '--seconds', values.seconds)
  const from = about(command)
  printAbout(from)
  const all = variants(values.before)
  const series = await inTurns(
    'dashboard',
    rounds,
    all,
    (variant): Promise<Outcome | Failure> =>
      trial(variant, streams, perSecond, seconds).catch((error: Error) => ({ failure: error.message }))
  )
  const summary = summaries(columns, series, (all[0] as Variant).name)
  const title = `${streams.toLocaleString('en')} subscribers, ${perSecond} updates per second, ${rounds} rounds of ${seconds} s`
  console.log(`\n${markdown('dashboard', title, summary)}`)
  saveResults({ bench: 'dashboard', ...from, streams, perSecond, rounds, seconds, summary, series })
}

async function trial(variant: Variant, count: number, perSecond: number, seconds: number): Promise<Outcome> {
  const { port, pids, stop } = await startNode(programOf(variant.before), 'serve', '--port', '0', ...variant.flags)
  const streams = new Streams()
  const page = variant.isOpen ? new Page(port) : undefined
  try {
    await streams.open(port, count, () => ({ method: 'GET', path: '/subscribe?topic=bench' }))
    const headers = { 'Content-Type': 'text/plain' }
    const body = 'x'.repeat(63) + mark
    const request = requestText(port, { method: 'POST', path: '/publish?topic=bench', headers, body })
    const lane = await Lane.open(port)
    const publishUntil = async (end: number) => {
      for (let due = performance.now(); due < end; due += 1_000 / perSecond) {
        await sleep(Math.max(0, due - performance.now()))
        await lane.send(request)
      }
    }
    await publishUntil(performance.now() + 2_000)
    const [cpuBefore, receivedBefore, startedAt] = [cpuMicros(pids), streams.received, performance.now()]
    await publishUntil(startedAt + seconds * 1_000)
    const [cpu, micros] = [cpuMicros(pids) - cpuBefore, (performance.now() - startedAt) * 1_000]
    const received = streams.received - receivedBefore
    await sleep(1_000)
    const idleFrom = cpuMicros(pids)
    await sleep(seconds * 1_000)
    const idle = (cpuMicros(pids) - idleFrom) / (seconds * 1e6)
    lane.close()
    return { loaded: cpu / micros, delivery: cpu / received, idle }
  } finally {
    page?.close()
    streams.leave()
    await stop()
  }
}

/** What an open page does: it reads the samples, and the table of streams and the topics every two seconds. */
class Page {
  readonly #timer: NodeJS.Timeout
  readonly #samples: ReturnType<typeof get>

  constructor(port: number) {
    const url = `http://127.0.0.1:${port}/dashboard`
    this.#samples = get(`${url}/updates?topic=overview&topic=closed&envelope=json`, (response) => response.resume())
    this.#samples.on('error', () => {})
    this.#timer = setInterval(() => {
      for (const path of ['streams?sort=lag&limit=100', 'topics']) {
        get(`${url}/api/${path}`, (response) => response.resume()).on('error', () => {})
      }
    }, 2_000)
  }

  close(): void {
    clearInterval(this.#timer)
    this.#samples.destroy()
  }
}
