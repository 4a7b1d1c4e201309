// `tidings revoke`: revokes tokens, a topic or an address on a running server, lists what is revoked, and lifts it.
import { Command, InvalidArgumentError } from 'commander'
import { parseDuration } from '../units.ts'
import { Failure, refusal } from './client/failure.ts'
import { type TargetFlags, targetOf, withTargetFlags } from './client/flags.ts'
import { harmless } from './client/paint.ts'
import { type Answer, type Ask, reachable } from './client/request.ts'
import { run } from './client/run.ts'
import { table } from './table.ts'

interface Flags extends TargetFlags {
  readonly subject?: string
  readonly jti?: string
  readonly topic?: string
  readonly address?: string
  readonly until?: number
  readonly lift?: boolean
  readonly list?: boolean
  readonly json?: boolean
}

/** A revocation as the server lists it. Times are in seconds since 1970. */
interface Listed {
  readonly at: number
  readonly until?: number
}

const kinds = ['subject', 'jti', 'topic', 'address'] as const

const examples = `
Examples:
  tidings revoke --subject ann --until 24h
  tidings revoke --jti 7e6c7a3e-5c0d-4c53-9a2b-3f6a1d2e8b11 --until 1767229200
  tidings revoke --address 203.0.113.7
  tidings revoke --list
  tidings revoke --lift --subject ann

Give exactly one of --subject, --jti, --topic and --address. Matching streams end on all servers of the hub. Tokens are refused
until the given time, and for good without one: give the time at which they expire. A topic or an address is refused until the
given time; without one, only the streams that are open now end. --lift accepts again what was refused. The token of the
command must grant tidings:operate:

  export TIDINGS_TOKEN="$(tidings token --operate --expires 10m)"
`

export function revokeCommand(): Command {
  const command = new Command('revoke')
    .option('--subject <name>', 'refuse the tokens with this `sub` that were issued up to now')
    .option('--jti <id>', 'refuse the token with this `jti`')
    .option('--topic <topic>', 'end the streams that have this selector')
    .option('--address <address>', 'end the streams of this IP address')
    .option('--until <time>', 'a duration such as 1h, or seconds since 1970 as in `exp`', until)
    .option('--lift', 'lift all revocations of the given value')
    .option('--list', 'print the newest 1,000 revocations')
    .option('--json', 'with --list: print one JSON object per line')
  return withTargetFlags(command)
    .addHelpText('after', examples)
    .action((flags: Flags) => {
      check(command, flags)
      return run(() => (flags.list ? list(flags) : flags.lift ? lift(flags) : revoke(flags)))
    })
}

function check(command: Command, flags: Flags): void {
  const given = kinds.filter((kind) => flags[kind] !== undefined).length
  if (flags.list && (given > 0 || flags.lift || flags.until)) command.error('error: give --list without a value')
  if (!flags.list && given !== 1) command.error('error: give exactly one of --subject, --jti, --topic and --address')
  if (flags.lift && flags.until) command.error('error: give only one of --lift and --until')
  if (flags.json && !flags.list) command.error('error: --json belongs to --list')
}

async function revoke(flags: Flags): Promise<void> {
  const { subject, jti, topic, address, until: seconds } = flags
  const body = JSON.stringify({ subject, jti, topic, address, until: seconds })
  const answer = await send(flags, { method: 'POST', path: 'revoke' }, body)
  if (answer.status !== 204) throw refusal(answer)
}

async function lift(flags: Flags): Promise<void> {
  const target = kinds.map((kind): [string, string | undefined] => [kind, flags[kind]])
  const query = new URLSearchParams(target.filter((one): one is [string, string] => one[1] !== undefined))
  const answer = await send(flags, { method: 'DELETE', path: `revocations?${query}` })
  if (answer.status !== 204) throw refusal(answer)
}

async function list(flags: Flags): Promise<void> {
  const answer = await send(flags, { path: 'revocations' })
  if (answer.status !== 200) throw refusal(answer)
  const listed = readList(answer.text) ?? fail(flags)
  if (flags.json) for (const one of listed) process.stdout.write(`${JSON.stringify(one)}\n`)
  else process.stdout.write(table(listed.map(row)))
}

function readList(text: string): readonly Listed[] | undefined {
  try {
    const { revocations } = JSON.parse(text) as { readonly revocations?: unknown }
    return Array.isArray(revocations) ? revocations : undefined
  } catch {
    return undefined
  }
}

function fail({ url }: Flags): never {
  throw new Failure(`${url.href} answers, but is not a tidings server; check the URL`)
}

function row({ at, until: end, ...target }: Listed): string[] {
  const [[kind, value] = ['', '']] = Object.entries(target)
  return [time(at), kind, harmless(String(value)), end === undefined ? '' : `until ${time(end)}`]
}

function time(seconds: number): string {
  return new Date(seconds * 1_000).toISOString().replace('.000Z', 'Z')
}

function send(flags: Flags, request: Ask, body?: string): Promise<Answer> {
  const type = body === undefined ? {} : { 'Content-Type': 'application/json' }
  return reachable(targetOf(flags), { ...request, headers: { ...type, Accept: 'application/json' } }, body)
}

/** Seconds since 1970, from the same or from a duration. */
function until(text: string): number {
  if (/^\d{1,15}$/.test(text) && Number(text) > 0) return Number(text)
  try {
    const duration = parseDuration(text)
    if (duration > 0) return Math.ceil((Date.now() + duration) / 1_000)
  } catch {}
  throw new InvalidArgumentError('Expected a duration such as 1h, or seconds since 1970.')
}
