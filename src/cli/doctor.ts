// `tidings doctor`: checks for common proxy misconfigurations between clients and a running hub, using only what a client sees.
import { randomBytes } from 'node:crypto'
import { Argument, Command } from 'commander'
import { Failure, reasonOf } from './client/failure.ts'
import { readUrl, seconds, type TargetFlags, targetOf, withTokenFlags } from './client/flags.ts'
import { harmless, painter } from './client/paint.ts'
import type { Target } from './client/request.ts'
import { run, say } from './client/run.ts'
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

It sends the requests of a browser, through all proxies, and publishes five updates to a topic of its own. Each check prints
one line: ok, warning, or fault with the change that fixes it. The exit code is 1 if there is a fault, else 0.
`

export function doctorCommand(): Command {
  const command = new Command('doctor')
    .addArgument(new Argument('<url>', 'the URL that clients use').argParser(readUrl))
    .option('--idle <time>', 'how long to watch an idle stream', seconds, 20_000)
    .option('--origin <origin>', 'check that pages of this origin may read streams')
    .option('--json', 'print the results as one JSON object')
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

/** Yields each finding as soon as it is known. */
async function* examine(target: Target, { idle, origin }: Flags): AsyncGenerator<Finding> {
  const { findings, isOpen, roundTrip } = await reach(target)
  yield* findings
  if (!isOpen) return
  const topic = `tidings-doctor-${randomBytes(8).toString('hex')}`
  // This check takes longest, so it runs in parallel with the others.
  const watched = guarded('lasting', () => lasting(target, `${topic}-quiet`, idle))
  if (process.stderr.isTTY) say(`this takes at least ${time(idle)}`)
  yield* await beginning(target, topic, roundTrip)
  yield await guarded('events', () => events(target, topic))
  yield await guarded('Last-Event-ID', () => resuming(target, topic))
  if (origin !== undefined) yield await guarded('CORS', () => origins(target, topic, origin))
  yield await protocol(target)
  yield await watched
}

/** A check whose request fails is a fault. */
async function guarded(check: string, find: () => Promise<Finding>): Promise<Finding> {
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
