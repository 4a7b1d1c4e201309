// `tidings bench`: puts load on a server and says what it bore. What is measured, and how, is not its business.
import { Argument, Command } from 'commander'
import { Load, type Plan, type Progress, type Result } from './bench/load.ts'
import { seconds, whole } from './client/numbers.ts'
import { run } from './client/run.ts'
import { readUrl, type TargetFlags, targetOf, withTokenFlags } from './client/target.ts'
import { table } from './table.ts'

interface Flags extends Omit<TargetFlags, 'url'>, Omit<Plan, 'milliseconds'> {
  readonly seconds: number
}

const examples = `
Examples:
  tidings bench http://127.0.0.1:5000
  tidings bench http://127.0.0.1:5000 --subscribers 1000 --rate 10
  tidings bench https://hub.example.com --rate 0 --in-flight 64 --topics 8 --token "$TOKEN"

Subscribers are spread over the topics, which are of this run alone; updates go to one topic after the other. The latency is
from before a publish is sent until a subscriber has read it. All of it happens in one process: where that is busier than
the server, it measures itself; then start several. It ends with 1 where a delivery is missing or came twice.
`

export function benchCommand(): Command {
  const command = new Command('bench')
    .description('Put load on a server, through HTTP, and say what it bore.')
    .addArgument(new Argument('<url>', 'address of the server').argParser(readUrl))
    .option('--subscribers <n>', 'streams', whole(0), 100)
    .option('--rate <n>', 'updates a second; 0 for as many as go', whole(0), 50)
    .option('--in-flight <n>', 'publishes under way at a time', whole(1), 16)
    .option('--size <bytes>', 'of the data of an update; 48 at least', whole(1), 64)
    .option('--seconds <time>', 'how long to publish', seconds, 10_000)
    .option('--topics <n>', 'topics', whole(1), 1)
  return withTokenFlags(command)
    .addHelpText('after', examples)
    .action((url: URL, flags: Flags) => run(() => bench(url, flags)))
}

async function bench(url: URL, flags: Flags): Promise<void> {
  const load = new Load(targetOf({ ...flags, url }), { ...flags, milliseconds: flags.seconds })
  const stop = process.stderr.isTTY ? follow(load) : () => {}
  try {
    const result = await load.run()
    stop()
    process.stdout.write(table(rows(result, flags)))
    if (result.missing + result.twice > 0) process.exitCode = 1
  } finally {
    stop()
  }
}

/** One line that is written over each second. */
function follow(load: Load): () => void {
  const timer = setInterval(() => process.stderr.write(`\r\x1b[K${progress(load.progress)}`), 1_000)
  return () => {
    clearInterval(timer)
    process.stderr.write('\r\x1b[K')
  }
}

function progress({ connected, published, delivered }: Progress): string {
  return `${count(connected)} streams, ${count(published)} published, ${count(delivered)} delivered`
}

function rows(result: Result, { subscribers, rate, inFlight, size, topics }: Flags): string[][] {
  const { latency, publishMs, connectMs } = result
  const asked = rate === 0 ? `as many as ${inFlight} at a time allow` : `${count(rate)}/s asked for`
  const quantiles = [0.5, 0.9, 0.99].map((part) => `p${part * 100} ${milliseconds(latency.quantile(part))}`)
  return [
    ['load', `${many(subscribers, 'subscriber')}, ${many(topics, 'topic')}, ${many(size, 'byte')}`],
    ['connects', `${count(subscribers)} in ${milliseconds(connectMs)}, ${perSecond(subscribers, connectMs)}`],
    ['publishes', `${count(result.published)}, ${perSecond(result.published, publishMs)}, ${asked}`],
    ['deliveries', `${count(result.delivered)}, ${perSecond(result.delivered, publishMs)}`],
    ['latency', [...quantiles, `max ${milliseconds(latency.max)}`].join('  ')],
    ['missing', count(result.missing)],
    ['duplicated', count(result.twice)],
    ['reconnects', count(result.reconnects)],
    ...(result.failed > 0 ? [['failed', `${count(result.failed)} publishes: ${result.trouble ?? ''}`]] : [])
  ]
}

function many(number: number, what: string): string {
  return `${count(number)} ${what}${number === 1 ? '' : 's'}`
}

function count(number: number): string {
  return number.toLocaleString('en-GB')
}

function perSecond(number: number, over: number): string {
  const rate = number / (over / 1_000)
  return `${count(rate < 10 ? Math.round(rate * 10) / 10 : Math.round(rate))}/s`
}

function milliseconds(time: number): string {
  return `${time < 10 ? time.toFixed(2) : Math.round(time)} ms`
}
