// `tidings subscribe`: prints updates as they arrive, and resumes after each interruption.
import { Command } from 'commander'
import type { EventSourceMessage } from 'eventsource-parser'
import { collect, type TargetFlags, targetOf, whole, withTargetFlags } from './client/flags.ts'
import { follow } from './client/follow.ts'
import { describeDeletion, describeGap, updatePrinter } from './client/print.ts'
import { run, say } from './client/run.ts'

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

After an interruption, the command reconnects and resumes where it was. The delay is at least the one that the server sets,
plus a random time. If updates were missed that the server no longer has, stderr reports a gap. The exit code is 0 on Ctrl-C, after
--count and when all topics have ended, and 1 if the server refuses and a retry would not help. Data with line breaks takes several lines; --json
prints each event on one. --count 1 ends at once; with | head -1 the command ends only at the next event.
`

export function subscribeCommand(): Command {
  const command = new Command('subscribe')
    .option('--topic <selector>', 'a topic, a/{x}, or *; repeat it for several (default: all)', collect)
    .option('--last <n>', 'start with the newest n updates', whole(1))
    .option('--from <id>', 'start after this id, or with "earliest" at the start of history')
    .option('--count <n>', 'end after n updates', whole(1))
    .option('--json', 'print one JSON object per line: topic, topics, id, type, data, time')
    .option('--raw', 'print the bytes of the stream unchanged')
  return withTargetFlags(command)
    .addHelpText('after', examples)
    .action((flags: Flags) => {
      if (flags.json && flags.raw) command.error('error: give only one of --json and --raw')
      if (flags.last && flags.from) command.error('error: give only one of --last and --from')
      return run(() => subscribe(flags))
    })
}

async function subscribe(flags: Flags): Promise<void> {
  const end = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => end.abort())
  let left = flags.count ?? Number.POSITIVE_INFINITY
  const print = updatePrinter(flags.json === true)
  await follow(targetOf(flags), {
    query: queryOf(flags),
    from: flags.from ?? '',
    say,
    stop: end.signal,
    bytes: (chunk) => flags.raw && process.stdout.write(chunk),
    event: (event) => {
      if (event.event?.startsWith('tidings:') && event.event !== 'tidings:end') return report(event)
      if (!flags.raw) print(event.data)
      left--
      if (left === 0) end.abort()
    }
  })
}

/** Events of the hub itself are no updates, and have the same form in both encodings. */
function report({ event, data }: EventSourceMessage): void {
  if (event === 'tidings:gap') say(describeGap(JSON.parse(data)))
  if (event === 'tidings:deleted') say(describeDeletion(JSON.parse(data)))
}

function queryOf({ topic = [], last, raw }: Flags): URLSearchParams {
  const query = new URLSearchParams(topic.map((one): [string, string] => ['topic', one]))
  if (last !== undefined) query.set('last', String(last))
  if (!raw) query.set('envelope', 'json')
  return query
}
