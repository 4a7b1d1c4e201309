// `tidings subscribe`: prints what a server publishes, as it comes, and goes on after each cut. What is published means
// nothing to it.
import { Command } from 'commander'
import type { EventSourceMessage } from 'eventsource-parser'
import { follow } from './client/follow.ts'
import { whole } from './client/numbers.ts'
import { harmless, painter } from './client/paint.ts'
import { collect, run, say } from './client/run.ts'
import { type TargetFlags, targetOf, withTargetFlags } from './client/target.ts'

interface Flags extends TargetFlags {
  readonly topic?: readonly string[]
  readonly last?: number
  readonly from?: string
  readonly count?: number
  readonly json?: boolean
  readonly raw?: boolean
}

const examples = `
Examples:
  tidings subscribe --topic 'orders/{id}'
  tidings subscribe --topic prices --last 1 --count 1
  tidings subscribe --from earliest --json | jq .data

A stream that is cut is taken up again from where it was, after a while that the server sets, that grows, and is never quite
the same. Where something was missed that the server no longer keeps, stderr says so. It ends with 0 on Ctrl-C and after
--count, and with 1 when the server refuses in a way that does not get better. Data with line ends takes as many lines;
--json keeps each event on one. --count 1 ends at once, | head -1 with the event after.
`

export function subscribeCommand(): Command {
  const command = new Command('subscribe')
    .description('Print what is published, as it comes.')
    .option('--topic <selector>', 'a topic, a/{x}, or *; may be given several times (default: all)', collect)
    .option('--last <n>', 'begin with the newest so many', whole(1))
    .option('--from <id>', 'begin after this id, or with the earliest that is kept: earliest')
    .option('--count <n>', 'end after so many', whole(1))
    .option('--json', 'a JSON object a line: topic, topics, id, type, data, time')
    .option('--raw', 'the bytes of the stream as they are')
  return withTargetFlags(command)
    .addHelpText('after', examples)
    .action((flags: Flags) => {
      if (flags.json && flags.raw) command.error('error: choose one of --json and --raw')
      if (flags.last && flags.from) command.error('error: choose one of --last and --from')
      return run(() => subscribe(flags))
    })
}

async function subscribe(flags: Flags): Promise<void> {
  const end = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => end.abort())
  let left = flags.count ?? Number.POSITIVE_INFINITY
  const print = printer(flags)
  await follow(targetOf(flags), {
    query: queryOf(flags),
    from: flags.from ?? '',
    say,
    enough: end.signal,
    bytes: (chunk) => flags.raw && process.stdout.write(chunk),
    event: (event) => {
      if (event.event === 'tidings:gap') return say(gap(event.data))
      print(event)
      left--
      if (left === 0) end.abort()
    }
  })
}

function queryOf({ topic = [], last, raw }: Flags): URLSearchParams {
  const query = new URLSearchParams(topic.map((one): [string, string] => ['topic', one]))
  if (last !== undefined) query.set('last', String(last))
  if (!raw) query.set('envelope', 'json')
  return query
}

/** What the server says of a gap, for people. */
function gap(data: string): string {
  const reasons: Record<string, string> = {
    trimmed: 'some of what came since is no longer kept',
    epoch: 'the history that it belongs to is gone',
    unknown: 'nothing that is kept bears it'
  }
  const { requested, resumedAfter, reason } = JSON.parse(data) as Record<string, string>
  return `gap (${reason}) after ${requested}: ${reasons[reason ?? ''] ?? reason}; going on after ${resumedAfter}`
}

interface Envelope {
  readonly topic: string
  readonly type: string
  readonly data: string
  readonly time: number
}

function printer({ json, raw }: Flags): (event: EventSourceMessage) => void {
  if (raw) return () => {}
  if (json) return ({ data }) => void process.stdout.write(`${data}\n`)
  if (!process.stdout.isTTY) return ({ data }) => void process.stdout.write(`${read(data).data}\n`)
  const paint = painter(process.stdout)
  return ({ data: text }) => {
    const { time, topic, type, data } = read(text)
    const head = [paint(clock(time), 'dim'), paint(harmless(topic), 'cyan')]
    if (type !== 'message') head.push(paint(harmless(type), 'yellow'))
    process.stdout.write(`${head.join(' ')} ${harmless(data)}\n`)
  }
}

function read(data: string): Envelope {
  return JSON.parse(data) as Envelope
}

function clock(time: number): string {
  return new Date(time).toLocaleTimeString('en-GB')
}
