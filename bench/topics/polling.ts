// The polling benchmark: what do long-polling clients cost, alone and next to as many streams?
import { parseArgs } from 'node:util'
import { tidings } from '../contenders/tidings.ts'
import { Load } from '../load/client.ts'
import { about, printAbout } from '../support/about.ts'
import { cpuMicros } from '../support/cpu.ts'
import { saveResults } from '../support/results.ts'
import { percentile, type Spread, spread } from '../support/stats.ts'
import { figure, table } from '../support/table.ts'
import { Polls } from './polls.ts'

export const usage = `npm run bench -- polling [options]
  --clients N   streams, and long-polling clients (default 1,000)
  --rate N      updates per second (default 2)
  --seconds N   of measurement in each round (default 10)
  --rounds N    (default 3)`

interface Trial {
  readonly streams: number
  readonly polls: number
}

interface Round {
  readonly streamP50: number
  readonly streamP99: number
  readonly pollP50: number
  readonly pollP99: number
  readonly cpuPerDelivery: number
  readonly missing: number
  readonly failures: number
}

export async function polling(args: string[], command: string): Promise<void> {
  const text = { type: 'string' } as const
  const { values } = parseArgs({ args, options: { clients: text, rate: text, seconds: text, rounds: text } })
  const [clients, rate, seconds, rounds] = [
    values.clients ?? '1000',
    values.rate ?? '2',
    values.seconds ?? '10',
    values.rounds ?? '3'
  ].map(Number) as [number, number, number, number]
  const from = about(command)
  printAbout(from)
  const trials: readonly Trial[] = [
    { streams: clients, polls: 0 },
    { streams: 0, polls: clients },
    { streams: clients, polls: clients }
  ]
  const results = new Map<Trial, Round[]>(trials.map((trial) => [trial, []]))
  for (let round = 0; round < rounds; round++) {
    for (const trial of trials) results.get(trial)?.push(await run(trial, rate, seconds))
  }
  const rows = [...results].map(([trial, all]) => ({ ...trial, ...summary(all) }))
  console.log(`\n${markdown(rows)}`)
  saveResults({ bench: 'polling', ...from, rate, seconds, rows })
}

async function run({ streams, polls }: Trial, rate: number, seconds: number): Promise<Round> {
  const server = await tidings.start(streams + polls)
  const ports = { subscribePorts: [server.port], publishPorts: [server.port] }
  const { subscribePath, publishPath } = tidings
  const load = new Load({
    ...ports,
    subscribePath,
    publishPath,
    payloadBytes: 64,
    serverPids: server.pids,
    logPids: []
  })
  const clients = new Polls(server.port, 'bench')
  try {
    // One stream at least, so that the load process sees when everything has arrived.
    await load.subscribe(Math.max(1, streams))
    clients.open(polls)
    const cpuBefore = cpuMicros(server.pids)
    const measured = await load.measure({ pace: { perSecond: rate }, warmUpSeconds: 1, seconds })
    const cpu = cpuMicros(server.pids) - cpuBefore
    const { answered, missing, p50Millis, p99Millis } = measured
    const deliveries = answered * Math.max(1, streams) - missing + clients.deliveries
    return {
      streamP50: streams > 0 ? p50Millis : Number.NaN,
      streamP99: streams > 0 ? p99Millis : Number.NaN,
      pollP50: percentile(clients.latencies, 50),
      pollP99: percentile(clients.latencies, 99),
      cpuPerDelivery: cpu / deliveries,
      missing,
      failures: clients.failures
    }
  } finally {
    await clients.stop()
    await load.stop()
    await server.stop()
  }
}

function summary(rounds: readonly Round[]) {
  const of = (name: keyof Round): Spread => spread(rounds.map((round) => round[name]))
  return {
    streamP50: of('streamP50'),
    streamP99: of('streamP99'),
    pollP50: of('pollP50'),
    pollP99: of('pollP99'),
    cpuPerDelivery: of('cpuPerDelivery'),
    missing: rounds.reduce((sum, { missing }) => sum + missing, 0),
    failures: rounds.reduce((sum, { failures }) => sum + failures, 0)
  }
}

function markdown(rows: readonly (Trial & ReturnType<typeof summary>)[]): string {
  const head = [
    'streams',
    'polling clients',
    'streams p50 ms',
    'p99 ms',
    'polling p50 ms',
    'p99 ms',
    'server CPU µs/delivery',
    'lost',
    'failed'
  ]
  const cell = ({ median, min, max }: Spread) =>
    Number.isNaN(median) ? '–' : `${figure(median)} (${figure(min)}–${figure(max)})`
  const body = rows.map((row) => [
    figure(row.streams),
    figure(row.polls),
    cell(row.streamP50),
    cell(row.streamP99),
    cell(row.pollP50),
    cell(row.pollP99),
    cell(row.cpuPerDelivery),
    String(row.missing),
    String(row.failures)
  ])
  return table(head, body)
}
