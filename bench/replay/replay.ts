// The replay benchmark: how fast the history of a topic is read, and whether a long history of other topics slows it down.
import { parseArgs } from 'node:util'
import { type Filter, LmdbLog, type Update } from 'tidings'
import { about, printAbout } from '../support/about.ts'
import { inFolder } from '../support/folder.ts'
import { saveResults } from '../support/results.ts'
import { type Spread, spread } from '../support/stats.ts'
import { figure, table } from '../support/table.ts'

/** The page size of the hub, which sends one page in one write. */
const page = { entries: 1_000, bytes: 128 * 1_024 }
const payload = 'x'.repeat(64)
const quiet = 100
const loud = 100_000

export const usage = `npm run bench -- replay [options]
  --others N         entries of quiet others in the large log, besides 100,000 of one loud topic (default 1,000,000)
  --rounds N         (default 15)`

interface Row {
  readonly what: string
  readonly entries: number
  readonly millis: Spread
}

export async function replay(args: string[], command: string): Promise<void> {
  const text = { type: 'string' } as const
  const { values } = parseArgs({ args, options: { others: text, rounds: text } })
  const { others = '1000000', rounds = '15' } = values
  const from = about(command)
  printAbout(from)
  const rows = [...(await measure(1_000, 0, Number(rounds))), ...(await measure(Number(others), loud, Number(rounds)))]
  console.log(`\n${markdown(rows)}`)
  saveResults({ bench: 'replay', ...from, rows })
}

function measure(others: number, loud: number, rounds: number): Promise<Row[]> {
  return inFolder(async (path) => {
    console.error(`writing a log with ${others + loud} entries of others`)
    await write(path, others, loud)
    // Reopened, so that no cache of the writer is read.
    const log = await LmdbLog.open({ path })
    const among = `among ${figure(others + loud)} of others`
    const rows = [await row(log, `${quiet} entries of one topic, ${among}`, byTopic('quiet'), rounds)]
    rows.push(await row(log, 'the same without the index', { admits: byTopic('quiet').admits }, 5))
    if (loud > 0) rows.push(await row(log, `${figure(loud)} entries of one topic in there`, byTopic('loud'), rounds))
    rows.push(await row(log, 'everything in there', { admits: () => true }, 5))
    await log.close()
    return rows
  })
}

/** The entries of the quiet and of the loud topic are spread evenly over the history. */
async function write(path: string, others: number, loud: number): Promise<void> {
  const log = await LmdbLog.open({ path, durability: 'os' })
  const batches = quiet
  for (let batch = 0; batch < batches; batch++) {
    const updates = [updateOn('quiet')]
    for (let number = 0; number < loud / batches; number++) updates.push(updateOn('loud'))
    for (let number = 0; number < others / batches; number++) updates.push(updateOn(`other/${number % 997}`))
    await log.append(updates)
  }
  await log.close()
}

function updateOn(topic: string): Update {
  return { topics: [`bench/${topic}`], data: payload }
}

function byTopic(topic: string): Filter {
  const topics = [`bench/${topic}`]
  return { topics, admits: (found) => found.includes(topics[0] as string) }
}

async function row(log: LmdbLog, what: string, filter: Filter, rounds: number): Promise<Row> {
  const millis: number[] = []
  let entries = 0
  // The same number of warm-up rounds: the first ones are slower, until the code is compiled.
  for (let round = -rounds; round < rounds; round++) {
    const start = performance.now()
    entries = await readThrough(log, filter)
    if (round >= 0) millis.push(performance.now() - start)
  }
  return { what, entries, millis: spread(millis) }
}

async function readThrough(log: LmdbLog, filter: Filter): Promise<number> {
  let count = 0
  for (let cursor = 0; cursor < log.head; ) {
    const next = await log.read(cursor, filter, page)
    count += next.entries.length
    cursor = next.cursor
    await new Promise(setImmediate)
  }
  return count
}

function markdown(rows: readonly Row[]): string {
  const head = ['what is read', 'ms', 'events/s']
  const body = rows.map(({ what, entries, millis: { median, min, max } }) => [
    what,
    `${figure(median)} (${figure(min)}–${figure(max)})`,
    figure((entries / median) * 1_000)
  ])
  return table(head, body)
}
