// `tidings publish`: publishes an argument, a file, or each line of stdin.
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { Failure } from './client/failure.ts'
import { collect, seconds, type TargetFlags, targetOf, whole, withTargetFlags } from './client/flags.ts'
import { Lines } from './client/lines.ts'
import { publishLines } from './client/publish-lines.ts'
import { Publisher } from './client/publisher.ts'
import { run, say } from './client/run.ts'

interface Flags extends TargetFlags {
  readonly topic?: readonly string[]
  readonly type?: string
  readonly id?: string
  readonly retry?: number
  readonly private?: boolean
  readonly end?: boolean
  readonly file?: string
  readonly whole?: boolean
  readonly ids?: boolean
  readonly retryTimeout?: number
}

const examples = `
Examples:
  tidings publish hello --topic greetings
  tail -f app.log | tidings publish --topic logs
  tidings publish --file picture.svg --topic pictures --type svg
  date | tidings publish --whole --ids
  tidings publish done --topic jobs/17 --end

Without data or --file, each line of stdin is one update. Lines are sent in order and as soon as they arrive; lines that
arrive during a request are sent together in the next one. If the server is unreachable or answers 408, 429 or 5xx, the
request is retried with the same Idempotency-Key, and no line is lost. If a connection breaks before the answer arrives, a
server without --idempotent may publish the lines of that request twice. Any other refusal ends the command with exit code
1 and names the line. Bytes that are not UTF-8 become U+FFFD. Ctrl-C publishes the lines that were read, and ends.
`

export function publishCommand(): Command {
  const command = new Command('publish')
    .argument('[data]', 'the data of one update')
    .option('--topic <topic>', 'topic to publish to; repeat it for several topics (default: "default")', collect)
    .option('--type <type>', "the event's type")
    .option('--id <id>', "the update's id; by default the hub chooses one")
    .option('--retry <milliseconds>', 'how long clients wait before they reconnect', whole(0))
    .option('--private', 'only for subscribers whose token allows it')
    .option('--end', 'the last update of its topics: streams that wait only for ended topics close')
    .option('--file <path>', 'publish a file as one update')
    .option('--whole', 'publish all of stdin as one update')
    .option('--ids', 'print the id of each update')
    .option('--retry-timeout <time>', 'how long to retry (default: 10s for one update, without end for lines)', seconds)
  return withTargetFlags(command)
    .addHelpText('after', examples)
    .action((data: string | undefined, flags: Flags) => {
      check(command, data, flags)
      return run(() => publish(data, flags))
    })
}

function check(command: Command, data: string | undefined, { file, whole, id, end }: Flags): void {
  const sources = [data, file, whole].filter((source) => source !== undefined)
  if (sources.length > 1) command.error('error: give only one of the argument, --file and --whole')
  const flag = id !== undefined ? '--id' : end ? '--end' : undefined
  if (sources.length === 0 && flag !== undefined) {
    command.error(`error: ${flag} needs a single update; add --whole, or give the data as an argument`)
  }
}

async function publish(data: string | undefined, flags: Flags): Promise<void> {
  const hurry = new AbortController()
  const isOne = data !== undefined || flags.file !== undefined || flags.whole === true
  const retryTimeoutMs = flags.retryTimeout ?? (isOne ? 10_000 : Number.POSITIVE_INFINITY)
  const publisher = new Publisher(targetOf(flags), { retryTimeoutMs, say, hurry: hurry.signal })
  try {
    if (isOne) await publishOne(publisher, data ?? (await read(flags)), flags)
    else await publishInput(publisher, flags, hurry)
  } finally {
    publisher.close()
  }
}

async function read({ file }: Flags): Promise<Buffer<ArrayBuffer>> {
  if (file !== undefined) {
    try {
      return readFileSync(file)
    } catch (error) {
      throw new Failure(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`)
    }
  }
  return Buffer.concat(await process.stdin.toArray())
}

async function publishOne(publisher: Publisher, data: string | Buffer<ArrayBuffer>, flags: Flags): Promise<void> {
  const query = new URLSearchParams((flags.topic ?? []).map((topic): [string, string] => ['topic', topic]))
  for (const name of ['type', 'id', 'retry'] as const) {
    if (flags[name] !== undefined) query.set(name, String(flags[name]))
  }
  for (const name of ['private', 'end'] as const) if (flags[name]) query.set(name, 'true')
  // The bytes are sent unchanged. The server refuses those that are no text.
  report(await publisher.send(`publish?${query}`, 'text/plain; charset=utf-8', data, 1), flags)
  conclude(1)
}

async function publishInput(publisher: Publisher, flags: Flags, hurry: AbortController): Promise<void> {
  const { topic = ['default'], type, retry, private: isPrivate } = flags
  if (process.stdin.isTTY) say('publishing each line; end with Ctrl-D')
  const lines = new Lines(process.stdin)
  const end = () => {
    if (hurry.signal.aborted) process.exit(130)
    hurry.abort()
    lines.stop()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, end)
  const fields = { topics: topic, type, retry, private: isPrivate }
  try {
    conclude(await publishLines(publisher, lines, fields, (ids) => report(ids, flags)))
  } finally {
    lines.stop()
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, end)
  }
}

function report(ids: readonly string[], { ids: isAsked }: Flags): void {
  if (isAsked) process.stdout.write(`${ids.join('\n')}\n`)
}

/** Only for people: a script would have to ignore it. */
function conclude(count: number): void {
  if (process.stdout.isTTY) say(`published ${count === 1 ? 'one update' : `${count} updates`}`)
}
