// Worker processes: what a publish, a delivery and a new stream cost in one process, and in several that share a log.
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
import { Lane, Pump } from './pump.ts'
import { requestText } from './requests.ts'
import { mark, Streams } from './streams.ts'
import { column } from './trial.ts'

export const usage = `npm run bench -- workers [options]
  --streams N        subscribers of one topic (default 1,000)
  --rounds N         (default 3)
  --seconds N        of each measurement (default 3)`

const contenders = [
  { name: 'one process', flags: [] },
  { name: '--workers 2', flags: ['--workers', '2'] },
  // More than two cores can run at a time: for what one more worker costs.
  { name: '--workers 4', flags: ['--workers', '4'] },
  { name: 'folder, one process', flags: ['--store', './history'] },
  { name: 'folder, --workers 2', flags: ['--store', './history', '--workers', '2'] }
]

/** Updates per second. */
const steadyRate = 20

interface Outcome {
  readonly connects: number
  readonly connectCpu: number
  readonly posts: number
  readonly postCpu: number
  readonly deliveries: number
  readonly deliveryCpu: number
  readonly steadyCpu: number
  readonly updateCpu: number
  /** The share of the first process, which has the log. */
  readonly primaryPostCpu: number
  readonly primaryUpdateCpu: number
}

const columns: readonly Column<Outcome>[] = [
  column('POST/s', ({ posts }) => posts, true),
  column('CPU µs/POST', ({ postCpu }) => postCpu, true),
  column('of it primary', ({ primaryPostCpu }) => primaryPostCpu),
  column('CPU µs/update in batches', ({ updateCpu }) => updateCpu, true),
  column('of it primary ', ({ primaryUpdateCpu }) => primaryUpdateCpu),
  column('deliveries/s', ({ deliveries }) => deliveries, true),
  column('CPU µs/delivery', ({ deliveryCpu }) => deliveryCpu, true),
  column('CPU µs/delivery, one update in each write', ({ steadyCpu }) => steadyCpu, true),
  column('streams/s', ({ connects }) => connects, true),
  column('CPU µs/stream', ({ connectCpu }) => connectCpu, true)
]

export async function workers(args: string[], command: string): Promise<void> {
  const text = { type: 'string' } as const
  const { values } = parseArgs({ args, options: { streams: text, rounds: text, seconds: text } })
  const { streams = 1_000 } = number('streams', '--streams', values.streams)
  const { rounds = 3 } = number('rounds', '--rounds', values.rounds)
  const { seconds = 3 } = number('seconds', '--seconds', values.seconds)
  const from = about(command)
  printAbout(from)
  const series = await inTurns(
    'workers',
    rounds,
    contenders,
    ({ flags }): Promise<Outcome | Failure> =>
      trial(flags, streams, seconds).catch((error: Error) => ({ failure: error.message }))
  )
  const summary = summaries(columns, series, 'one process')
  const title = `${streams.toLocaleString('en')} subscribers of one topic, ${rounds} rounds of ${seconds} s; CPU of all processes of the server`
  console.log(`\n${markdown('workers', title, summary)}`)
  saveResults({ bench: 'workers', ...from, streams, rounds, seconds, summary, series })
}

async function trial(flags: readonly string[], count: number, seconds: number): Promise<Outcome> {
  const { port, pids, stop } = await startNode(programOf(undefined), 'serve', '--port', '0', ...flags)
  const streams = new Streams()
  const text = { 'Content-Type': 'text/plain' }
  const post = requestText(port, { method: 'POST', path: '/publish?topic=bench', headers: text, body: 'x'.repeat(64) })
  const line = `${JSON.stringify({ topic: 'bench', data: 'x'.repeat(64) })}\n`
  const batch = requestText(port, {
    method: 'POST',
    path: '/publish',
    headers: { 'Content-Type': 'application/x-ndjson' },
    body: line.repeat(100)
  })
  const marked = requestText(port, {
    method: 'POST',
    path: '/publish?topic=bench',
    headers: text,
    body: 'x'.repeat(63) + mark
  })
  /** Publishes for a while, and returns the requests per second and the CPU time of each. */
  const publish = async (request: string, inFlight: number) => {
    const pump = await Pump.start([port], inFlight, () => request)
    await sleep(500)
    pump.reset()
    const receivedBefore = streams.received
    const primaryBefore = cpuMicros(pids.slice(0, 1))
    const { answered, cpu, seconds: elapsed } = await pump.measure(pids, seconds)
    const primary = (cpuMicros(pids.slice(0, 1)) - primaryBefore) / answered
    const received = streams.received - receivedBefore
    await pump.stop()
    return {
      rate: answered / elapsed,
      cpu: cpu / answered,
      primary,
      received: received / elapsed,
      cpuEach: cpu / received
    }
  }
  /** Publishes so slowly that each update is written alone, and returns the CPU time of a delivery. */
  const steady = async () => {
    const lane = await Lane.open(port)
    const [cpuBefore, receivedBefore, end] = [cpuMicros(pids), streams.received, performance.now() + seconds * 1_000]
    // A late update does not make the next one early, since both would be one write.
    while (performance.now() < end) {
      await lane.send(marked)
      await sleep(1_000 / steadyRate)
    }
    lane.close()
    await sleep(500)
    return (cpuMicros(pids) - cpuBefore) / (streams.received - receivedBefore)
  }
  try {
    const posts = await publish(post, 64)
    const batches = await publish(batch, 8)
    await streams.open(port, count, () => ({ method: 'GET', path: '/subscribe?topic=bench' }))
    streams.leave()
    await sleep(500)
    const [cpuBefore, startedAt] = [cpuMicros(pids), performance.now()]
    await streams.open(port, count, () => ({ method: 'GET', path: '/subscribe?topic=bench' }))
    const connecting = (performance.now() - startedAt) / 1_000
    await sleep(200)
    const connectCpu = (cpuMicros(pids) - cpuBefore) / count
    const fanout = await publish(marked, 16)
    const steadyCpu = await steady()
    return {
      posts: posts.rate,
      postCpu: posts.cpu,
      primaryPostCpu: posts.primary,
      updateCpu: batches.cpu / 100,
      primaryUpdateCpu: batches.primary / 100,
      connects: count / connecting,
      connectCpu,
      deliveries: fanout.received,
      deliveryCpu: fanout.cpuEach,
      steadyCpu
    }
  } finally {
    streams.leave()
    await stop()
  }
}
