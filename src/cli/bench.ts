// `tidings bench`: puts load on a server through HTTP, and prints the results.
import { Argument, Command } from 'commander'
import { Load, type Plan, type Progress, type Result } from './bench/load.ts'
import { readUrl, seconds, type TargetFlags, targetOf, whole, withTokenFlags } from './client/flags.ts'
import { run } from './client/run.ts'
import { table } from './table.ts'

interface Flags extends Omit<TargetFlags, 'url'>, Omit<Plan, 'milliseconds'> {
  readonly seconds: number
}

const examples = `
Examples:
  tidings bench http://127.0.0.1:5000
  tidings bench http://127.0.0.1:5000 --subscribers 1000 --rate 10
  tidings bench https://hub.example.com --rate 0 --in-flight 64 --topics 8 --token "$TOKEN"

Each run has topics of its own. Subscribers are spread evenly over them, and updates go to one topic after the other. Latency
is the time from before a publish is sent until a subscriber has read it. The load comes from one process: if it uses more
CPU than the server, it measures itself; start several then. The exit code is 1 if a delivery is missing or duplicated.
`

export function benchCommand(): Command {
  const command = new Command('bench')
    .addArgument(new Argument('<url>', 'URL of the server').argParser(readUrl))
    .option('--subscribers <n>', 'number of streams', whole(0), 100)
    .option('--rate <n>', 'updates per second; 0 for as many as possible', whole(0), 50)
    .option('--in-flight <n>', 'concurrent publish requests', whole(1), 16)
    .option('--size <bytes>', 'size of the data of an update, at least 48', whole(1), 64)
    .option('--seconds <time>', 'how long to publish', seconds, 10_000)
    .option('--topics <n>', 'number of topics', whole(1), 1)
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

/** Prints one line of progress, and replaces it every second. */
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
  const target = rate === 0 ? `as many as ${inFlight} concurrent requests allow` : `target ${count(rate)}/s`
  const quantiles = [0.5, 0.9, 0.99].map((part) => `p${part * 100} ${milliseconds(latency.quantile(part))}`)
  return [
    ['load', `${many(subscribers, 'subscriber')}, ${many(topics, 'topic')}, ${many(size, 'byte')}`],
    ['connects', `${count(subscribers)} in ${milliseconds(connectMs)}, ${perSecond(subscribers, connectMs)}`],
    ['publishes', `${count(result.published)}, ${perSecond(result.published, publishMs)}, ${target}`],
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
