// `tidings delete`: deletes history of topics, or one update.
import { Command } from 'commander'
import { refusal } from './client/failure.ts'
import { collect, type TargetFlags, targetOf, withTargetFlags } from './client/flags.ts'
import { reachable } from './client/request.ts'
import { run, say } from './client/run.ts'

interface Flags extends TargetFlags {
  readonly topic?: readonly string[]
  readonly id?: string
}

const examples = `
Examples:
  tidings delete --topic orders/17
  tidings delete --id '#91mr3tbe-2s'

Deletes every update that was published to the topics before, or the update with the id. It needs a server with --allow-delete,
and a token that may publish to all topics of what is deleted.
`

export function deleteCommand(): Command {
  const command = new Command('delete')
    .option('--topic <topic>', 'delete the history of this topic; repeat it for several', collect)
    .option('--id <id>', 'delete the update with this id')
  return withTargetFlags(command)
    .addHelpText('after', examples)
    .action((flags: Flags) => {
      if ((flags.topic === undefined) === (flags.id === undefined)) {
        command.error('error: give either --topic or --id')
      }
      return run(() => remove(flags))
    })
}

async function remove(flags: Flags): Promise<void> {
  const { topic = [], id } = flags
  const query = new URLSearchParams(topic.map((one): [string, string] => ['topic', one]))
  const path = id === undefined ? `updates?${query}` : `updates/${encodeURIComponent(id)}`
  const answer = await reachable(targetOf(flags), { method: 'DELETE', path, headers: { Accept: 'application/json' } })
  if (answer.status !== 200) throw refusal(answer)
  if (process.stdout.isTTY) say('deleted')
}
