// Starts the real server as a child process, so that a test can also kill it. Requires dist/ to be built. With
// TIDINGS_WORKERS=2 in the environment it has two worker processes, as in `npm run test:workers`.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface ServerProcess {
  readonly url: string
  readonly port: number
  readonly pid: number
  /** Everything it has printed. */
  output(): string
  /** Suspends, continues or kills the process, and its workers. */
  signal(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void
  /** Resolves when the process has exited. Can be called twice. */
  kill(signal?: NodeJS.Signals): Promise<void>
}

/** Whether the servers of the tests have worker processes. */
export const hasWorkers = Number(process.env.TIDINGS_WORKERS ?? 1) > 1

const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Resolves when the server listens; rejects with its output if it exits instead. */
export async function startServer({
  program = main,
  port = 0,
  args = [] as string[],
  env = {} as Record<string, string>
} = {}): Promise<ServerProcess> {
  const child = spawn(process.execPath, [program, 'serve', '--port', String(port), ...args], {
    // Streams end at once on shutdown, unless a test sets another drain timeout.
    env: { ...process.env, TIDINGS_DRAIN_TIMEOUT: '0', ...env }
  })
  const gone = once(child, 'close')
  running.add(child)
  child.once('close', () => running.delete(child))
  let output = ''
  const url = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk
      const [, found] = /tidings is listening on (https?:\/\/\S+?)(?:,| and) /.exec(output) ?? []
      if (found) resolve(found)
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.once('error', reject)
    child.once('close', (code, signal) => {
      reject(new Error(`the server ended (${signal ?? code}) before it listened; it printed:\n${output}`))
    })
  })
  const kill = async (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal)
    await gone
  }
  const pid = child.pid as number
  const signal: ServerProcess['signal'] = (signal) => {
    for (const one of [pid, ...childrenOf(pid)]) process.kill(one, signal)
  }
  return { url, port: Number(new URL(url).port), pid, output: () => output, signal, kill }
}

/** The processes that a process has started. */
export function childrenOf(pid: number): number[] {
  const pids = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')
  return pids.filter((one) => one !== '').map(Number)
}
