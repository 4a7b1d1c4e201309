// `tidings doctor`: asks a running hub, the way its clients reach it, for what usually goes wrong on the way. It knows
// nothing that a client could not see.
import { randomBytes } from 'node:crypto'
import { Argument, Command } from 'commander'
import { Failure, reasonOf } from './client/failure.ts'
import { seconds } from './client/numbers.ts'
import { harmless, painter } from './client/paint.ts'
import { run, say } from './client/run.ts'
import { readUrl, type Target, type TargetFlags, targetOf, withTokenFlags } from './client/target.ts'
import { events } from './doctor/event-check.ts'
import { type Finding, fault, time } from './doctor/finding.ts'
import { origins, protocol, resuming } from './doctor/head-checks.ts'
import { reach } from './doctor/reach.ts'
import { beginning, lasting } from './doctor/stream-checks.ts'

interface Flags extends Omit<TargetFlags, 'url'> {
  readonly idle: number
  readonly origin?: string
  readonly json?: boolean
}

const examples = `
Examples:
  tidings doctor https://hub.example.com
  tidings doctor https://hub.example.com --origin https://www.example.com --token "$TOKEN"
  tidings doctor http://127.0.0.1:5000 --idle 2 --json

It asks as browsers do, through whatever stands before the hub, and publishes five updates to a topic of its own. Each check
takes a line: ok, warning, or fault with what to change. It ends with 0 where there is no fault, and with 1 otherwise.
`

export function doctorCommand(): Command {
  const command = new Command('doctor')
    .description('Find out what on the way to a hub holds streams back, cuts them or changes them.')
    .addArgument(new Argument('<url>', 'the address that clients use').argParser(readUrl))
    .option('--idle <time>', 'how long to watch a quiet stream', seconds, 20_000)
    .option('--origin <origin>', 'check that pages of this origin may read')
    .option('--json', 'print all as one JSON object')
  return withTokenFlags(command)
    .addHelpText('after', examples)
    .action((url: URL, flags: Flags) => run(() => doctor(targetOf({ ...flags, url }), flags)))
}

async function doctor(target: Target, flags: Flags): Promise<void> {
  const findings: Finding[] = []
  for await (const finding of examine(target, flags)) {
    findings.push(finding)
    if (!flags.json) process.stdout.write(lines(finding))
  }
  const isFine = findings.every(({ level }) => level !== 'fault')
  if (flags.json)
    process.stdout.write(`${JSON.stringify({ url: target.base.href, ok: isFine, checks: findings }, null, 2)}\n`)
  if (!isFine) process.exitCode = 1
}

/** What is found, as it is found. */
async function* examine(target: Target, { idle, origin }: Flags): AsyncGenerator<Finding> {
  const { findings, isOpen, roundTrip } = await reach(target)
  yield* findings
  if (!isOpen) return
  const topic = `tidings-doctor-${randomBytes(8).toString('hex')}`
  // The longest one goes on beside the others.
  const watched = careful('lasting', () => lasting(target, `${topic}-quiet`, idle))
  if (process.stderr.isTTY) say(`this takes ${time(idle)} at least`)
  yield* await beginning(target, topic, roundTrip)
  yield await careful('events', () => events(target, topic))
  yield await careful('Last-Event-ID', () => resuming(target, topic))
  if (origin !== undefined) yield await careful('CORS', () => origins(target, topic, origin))
  yield await protocol(target)
  yield await watched
}

/** A check whose request fails has found something. */
async function careful(check: string, find: () => Promise<Finding>): Promise<Finding> {
  try {
    return await find()
  } catch (error) {
    if (error instanceof TypeError) throw error
    return fault(check, `could not be checked: ${error instanceof Failure ? error.message : reasonOf(error as Error)}`)
  }
}

const colours = { ok: 'green', warning: 'yellow', fault: 'red' } as const

function lines({ level, check, said, change = {} }: Finding): string {
  const paint = painter(process.stdout)
  const head = `${paint(level.padEnd(8), colours[level])} ${check.padEnd(17)} ${harmless(said)}\n`
  const more = Object.entries(change).map(
    ([program, what]) => `${' '.repeat(9)}${paint(program.padEnd(17), 'dim')} ${what}\n`
  )
  return head + more.join('')
}
