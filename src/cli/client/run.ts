// Runs the work of a command. A failure ends it with one line on stderr and exit code 1.
import { Failure } from './failure.ts'

/** Prints a message for people on stderr. stdout is for the output that was asked for. */
export function say(sentence: string): void {
  process.stderr.write(`tidings: ${sentence}\n`)
}

/** For a command whose output is worth nothing once its reader has gone. */
export async function run(work: () => Promise<void>): Promise<void> {
  endWhenUnread()
  await endOnFailure(work)
}

/** Work that failed has to release what would keep the process alive. */
export async function endOnFailure(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    say(error.message)
    process.exitCode = 1
  }
}

/** As `head -1` does, the reader of stdout may close it early. */
function endWhenUnread(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(0)
  })
}
