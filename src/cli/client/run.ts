// Ends a command: with one line and exit code 1 where it failed, and quietly where nobody reads any more. It knows no command.
import { Failure } from './failure.ts'

/** Says something to whoever watches; stdout is for what was asked for. */
export function say(sentence: string): void {
  process.stderr.write(`tidings: ${sentence}\n`)
}

/** Does the work of a command; what keeps the process after it failed is the work's own to let go of. */
export async function run(work: () => Promise<void>): Promise<void> {
  endWhenUnread()
  try {
    await work()
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    say(error.message)
    process.exitCode = 1
  }
}

/** As with `| head -1`, which has had enough. */
function endWhenUnread(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(0)
  })
}

/** Collects what a flag that repeats is given. */
export function collect(value: string, values: readonly string[] = []): string[] {
  return [...values, value]
}
