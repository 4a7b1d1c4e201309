// `tidings backup`: copies the history of a folder into another folder, also while a server uses it.
import { Command } from 'commander'
import { backUp } from '../log/lmdb/files/backup.ts'
import { Failure } from './client/failure.ts'
import { endOnFailure } from './client/run.ts'

const examples = `
Examples:
  tidings backup ./data ./backups/monday

The target is a new folder, complete as soon as it has its name. The server may run meanwhile. To restore it, stop the server,
move its folder away, and copy the backup to its place:

  cp -r ./backups/monday ./data

A restored history has a new epoch: clients that were connected before get tidings:gap, and then the history of the backup.
`

export function backupCommand(): Command {
  return new Command('backup')
    .argument('<folder>', 'the folder that the server has in --data')
    .argument('<target>', 'the folder to create')
    .addHelpText('after', examples)
    .action((folder: string, target: string) => endOnFailure(() => backup(folder, target)))
}

async function backup(folder: string, target: string): Promise<void> {
  const { entries, lastEventId, bytes } = await backUp(folder, target).catch((error: Error) => {
    throw new Failure(error.message)
  })
  const upTo = lastEventId === undefined ? '' : `, up to ${lastEventId}`
  process.stdout.write(`${target} has ${entries} ${entries === 1 ? 'update' : 'updates'}${upTo}, in ${bytes} bytes\n`)
}
