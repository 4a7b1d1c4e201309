// `tidings revoke`: revokes tokens, a topic or an address on a running server.
import { Command, InvalidArgumentError } from 'commander'
import { parseDuration } from '../units.ts'
import { Failure, reasonOf, refusal } from './client/failure.ts'
import { type TargetFlags, targetOf, withTargetFlags } from './client/flags.ts'
import { type Answer, ask } from './client/request.ts'
import { run } from './client/run.ts'

interface Flags extends TargetFlags {
  readonly subject?: string
  readonly jti?: string
  readonly topic?: string
  readonly address?: string
  readonly until?: number
}

const kinds = ['subject', 'jti', 'topic', 'address'] as const

const examples = `
Examples:
  tidings revoke --subject ann --until 24h
  tidings revoke --jti 7e6c7a3e-5c0d-4c53-9a2b-3f6a1d2e8b11 --until 1767229200
  tidings revoke --address 203.0.113.7

Give exactly one of --subject, --jti, --topic and --address. Matching streams end on all servers of the hub. Tokens are refused
until the given time, and for good without one: give the time at which they expire. A topic or an address is refused until the
given time; without one, only the streams that are open now end. The token of the command must grant tidings:operate:

  export TIDINGS_TOKEN="$(tidings token --operate --expires 10m)"
`

export function revokeCommand(): Command {
  const command = new Command('revoke')
    .option('--subject <name>', 'refuse the tokens with this `sub` that were issued up to now')
    .option('--jti <id>', 'refuse the token with this `jti`')
    .option('--topic <topic>', 'end the streams that have this selector')
    .option('--address <address>', 'end the streams of this IP address')
    .option('--until <time>', 'a duration such as 1h, or seconds since 1970 as in `exp`', until)
  return withTargetFlags(command)
    .addHelpText('after', examples)
    .action((flags: Flags) => {
      if (kinds.filter((kind) => flags[kind] !== undefined).length !== 1) {
        command.error('error: give exactly one of --subject, --jti, --topic and --address')
      }
      return run(() => revoke(flags))
    })
}

async function revoke(flags: Flags): Promise<void> {
  const { subject, jti, topic, address, until: seconds } = flags
  const answer = await send(flags, JSON.stringify({ subject, jti, topic, address, until: seconds }))
  if (answer.status !== 204) throw refusal(answer)
}

async function send(flags: Flags, body: string): Promise<Answer> {
  const target = targetOf(flags)
  const headers = { 'Content-Type': 'application/json', Accept: 'application/json' }
  try {
    return await ask(target, { method: 'POST', path: 'revoke', headers }, body)
  } catch (error) {
    throw new Failure(`${target.base.href} cannot be reached: ${reasonOf(error as Error)}`)
  }
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
