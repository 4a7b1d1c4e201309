// Starts programs with enough file descriptors, reads their output, and stops them.
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'

export interface Started {
  child: ChildProcess
  pid: number
  /** The last output on standard error, for the error message of a failure. */
  complaint(): string
}

export interface StartOptions {
  cwd?: string
  ipc?: boolean
}

const KEPT_COMPLAINT = 2_000
const GRACE_MILLIS = 20_000
const running = new Set<ChildProcess>()

// An interrupted benchmark must not leave servers running that slow the next one. It sends SIGTERM, because an nginx that gets
// SIGKILL leaves its worker running.
process.on('exit', () => {
  for (const child of running) child.kill('SIGTERM')
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130))

// The requested number of descriptors, else the hard limit.
const RAISE = 'ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)"; exec "$0" "$@"'

export function start(program: string, args: readonly string[], options: StartOptions = {}): Started {
  const output = options.ipc ? (['ignore', 'inherit', 'pipe', 'ipc'] as const) : (['ignore', 'pipe', 'pipe'] as const)
  const child = spawn('sh', ['-c', RAISE, program, ...args], { cwd: options.cwd, stdio: [...output] })
  let complaint = ''
  child.stderr?.on('data', (text: Buffer) => {
    complaint = (complaint + text.toString()).slice(-KEPT_COMPLAINT)
  })
  running.add(child)
  child.once('exit', () => running.delete(child))
  if (child.pid === undefined) throw new Error(`could not start ${program}`)
  return { child, pid: child.pid, complaint: () => complaint.trim() }
}

/** Resolves when standard output matches; rejects when the program ends before that. */
export function said(started: Started, pattern: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let output = ''
    const heard = (text: Buffer): void => {
      output += text.toString()
      const match = pattern.exec(output)
      if (!match) return
      started.child.stdout?.off('data', heard).resume()
      resolve(match)
    }
    started.child.stdout?.on('data', heard)
    started.child.once('exit', (code) => {
      reject(new Error(`ended with ${code} before it was ready: ${started.complaint() || output.trim()}`))
    })
  })
}

export async function stop({ child }: Started): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const impatience = setTimeout(() => child.kill('SIGKILL'), GRACE_MILLIS)
  await gone
  clearTimeout(impatience)
}

/** The process and its children. The time and memory of a server are the sum over them. */
export function family(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim()
  return [pid, ...(children === '' ? [] : children.split(' ').map(Number))]
}
