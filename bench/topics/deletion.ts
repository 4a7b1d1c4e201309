// The deletion benchmark: does deleting half of a log of a million entries disturb the delivery to others?
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Server } from '../contenders/contender.ts'
import { startNode } from '../contenders/program.ts'
import { type Redis, redisVersion, startRedis } from '../fleet/redis.ts'
import { Load } from '../load/client.ts'
import { about, printAbout } from '../support/about.ts'
import { inFolder } from '../support/folder.ts'
import { saveResults } from '../support/results.ts'
import { figure, table } from '../support/table.ts'

export const usage = `npm run bench -- deletion [options]
  --entries N      entries in the log, half of them to be deleted (default 1,000,000)
  --subscribers N  of another topic (default 1,000)
  --seconds N      of measurement before, and from the deletion on (default 10)
  --only NAMES     of memory, folder, redis (default all)`

const program = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))
const batch = 10_000
const perSecond = 50

interface Row {
  readonly store: string
  readonly deletedIn: number
  readonly before: { readonly p50: number; readonly p99: number }
  readonly during: { readonly p50: number; readonly p99: number }
  readonly lost: number
}

export async function deletion(args: string[], command: string): Promise<void> {
  const text = { type: 'string' } as const
  const { values } = parseArgs({ args, options: { entries: text, subscribers: text, seconds: text, only: text } })
  const [entries, subscribers, seconds] = [
    values.entries ?? '1000000',
    values.subscribers ?? '1000',
    values.seconds ?? '10'
  ].map(Number) as [number, number, number]
  const from = about(command)
  printAbout(from)
  const rows: Row[] = []
  for (const store of (values.only ?? 'memory,folder,redis').split(',')) {
    if (store === 'redis' && redisVersion() === undefined)
      console.error('redis: skipped, because redis-server is not installed')
    else rows.push(await inFolder((folder) => measure(store, folder, entries, subscribers, seconds)))
  }
  console.log(`\n${markdown(rows)}`)
  saveResults({ bench: 'deletion', ...from, entries, subscribers, seconds, rows })
}

async function measure(
  store: string,
  folder: string,
  entries: number,
  subscribers: number,
  seconds: number
): Promise<Row> {
  const redis: Redis | undefined = store === 'redis' ? await startRedis(folder, ['--appendonly', 'no']) : undefined
  const places: Record<string, string> = { memory: 'memory', folder: join(folder, 'log'), redis: redis?.url ?? '' }
  const place = places[store]
  if (place === undefined) throw new Error(`there is no store "${store}"; there are ${Object.keys(places).join(', ')}`)
  const retention = JSON.stringify([{ match: '*', entries: 10 * entries }])
  const server = await startNode(
    program,
    'serve',
    '--port',
    '0',
    '--allow-delete',
    '--store',
    place,
    '--retention',
    retention
  )
  try {
    return await withLoad(store, server, entries, subscribers, seconds)
  } finally {
    await server.stop()
    await redis?.stop()
  }
}

async function withLoad(
  store: string,
  server: Server,
  entries: number,
  subscribers: number,
  seconds: number
): Promise<Row> {
  console.error(`${store}: writing ${figure(entries)} entries`)
  await fill(server.port, entries)
  const ports = { subscribePorts: [server.port], publishPorts: [server.port] }
  const paths = { subscribePath: '/subscribe?topic=bench', publishPath: '/publish?topic=bench' }
  const windows: { p50: number; p99: number; lost: number }[] = []
  let deletedIn = 0
  for (const isDeleting of [false, true]) {
    const load = new Load({ ...ports, ...paths, payloadBytes: 64, serverPids: server.pids, logPids: [] })
    await load.subscribe(subscribers)
    const measuring = load.measure({ pace: { perSecond }, warmUpSeconds: 1, seconds })
    if (isDeleting) {
      // The deletion begins when the warm-up ends.
      await new Promise((resolve) => setTimeout(resolve, 1_000))
      const startedAt = performance.now()
      await send(server.port, 'DELETE', '/updates?topic=gone')
      deletedIn = performance.now() - startedAt
    }
    const { p50Millis: p50, p99Millis: p99, missing: lost } = await measuring
    windows.push({ p50, p99, lost })
    await load.stop()
  }
  const [before, during] = windows as [(typeof windows)[0], (typeof windows)[0]]
  return { store, deletedIn, before, during, lost: before.lost + during.lost }
}

/** The entries to delete lie between those that stay. */
async function fill(port: number, entries: number): Promise<void> {
  const agent = new Agent({ keepAlive: true })
  const lines = Array.from({ length: batch }, (_, at) =>
    JSON.stringify({ topic: at % 2 ? 'gone' : `stays/${at % 997}`, data: 'x'.repeat(64) })
  )
  for (let count = 0; count < entries; count += batch) await send(port, 'POST', '/publish', lines.join('\n'), agent)
  agent.destroy()
}

function send(port: number, method: string, path: string, body = '', agent?: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': 'application/x-ndjson' }
    const sent = request({ port, host: '127.0.0.1', method, path, headers, ...(agent && { agent }) }, (response) => {
      response.resume().on('end', () => {
        if (response.statusCode === 200) resolve()
        else reject(new Error(`${method} ${path} was answered with ${response.statusCode}`))
      })
    })
    sent.on('error', reject).end(body)
  })
}

function markdown(rows: readonly Row[]): string {
  const head = ['store', 'DELETE answered after ms', 'before: p50 ms', 'p99 ms', 'deleting: p50 ms', 'p99 ms', 'lost']
  const body = rows.map(({ store, deletedIn, before, during, lost }) => [
    store,
    figure(deletedIn),
    figure(before.p50),
    figure(before.p99),
    figure(during.p50),
    figure(during.p99),
    String(lost)
  ])
  return table(head, body)
}
