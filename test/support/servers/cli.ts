// Runs the command line as a child process: its input, output and exit code.
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, onTestFinished } from 'vitest'

const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))
const timeoutMs = 60_000

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command to completion with the given input. */
export function tidings(args: string[], env: NodeJS.ProcessEnv = {}, input = ''): Promise<Ended> {
  const command = begin(args, env)
  command.end(input)
  return command.ended
}

/** Starts an interactive command; it is killed when the test ends. */
export function begin(args: string[], env: NodeJS.ProcessEnv = {}, { isGroup = false } = {}): Command {
  return new Command(spawn(process.execPath, [main, ...args], { env: { ...process.env, ...env }, detached: isGroup }))
}

/**
 * Runs the commands of a suite in one process, which loads the command line once. For tables of commands that read no input,
 * get no signal and end by themselves; `tidings` shows what a process of its own does.
 */
export function commandHost(): (args: string[], env?: NodeJS.ProcessEnv) => Promise<Ended> {
  let host: ChildProcess
  let commands = 0
  const waiting = new Map<number, (ended: Ended) => void>()
  beforeAll(() => {
    host = fork(fileURLToPath(new URL('cli-host.mjs', import.meta.url)))
    host.on('message', ({ id, ended }: { id: number; ended: Ended }) => {
      waiting.get(id)?.(ended)
      waiting.delete(id)
    })
  })
  afterAll(async () => {
    const closed = once(host, 'close')
    host.kill('SIGKILL')
    await closed
  })
  return (args, env = {}) =>
    new Promise((resolve) => {
      const id = ++commands
      waiting.set(id, resolve)
      host.send({ id, args, env: { ...process.env, ...env } })
    })
}

export class Command {
  readonly ended: Promise<Ended>
  stdout = ''
  stderr = ''
  readonly #child: ChildProcess
  #changed = () => {}

  constructor(child: ChildProcess) {
    this.#child = child
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
      this.#changed()
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
      this.#changed()
    })
    // A command may exit without reading all of its input.
    child.stdin?.on('error', () => {})
    this.ended = once(child, 'close').then(([code]) => {
      this.#changed()
      return { code: code as number | null, stdout: this.stdout, stderr: this.stderr }
    })
    onTestFinished(async () => {
      child.kill('SIGKILL')
      await this.ended
    })
  }

  get pid(): number {
    return this.#child.pid as number
  }

  get lines(): string[] {
    return this.stdout.split('\n').slice(0, -1)
  }

  write(text: string): void {
    this.#child.stdin?.write(text)
  }

  end(text = ''): void {
    this.#child.stdin?.end(text)
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Closes our end of the pipe, as `head -1` does. */
  stopReading(): void {
    this.#child.stdout?.destroy()
  }

  /** Waits until the condition holds; on timeout, the error contains the output. */
  async until(holds: (command: this) => boolean, what = holds.toString()): Promise<this> {
    const deadline = setTimeout(() => this.#changed(), timeoutMs)
    const since = performance.now()
    while (!holds(this)) {
      if (performance.now() - since >= timeoutMs) {
        throw new Error(
          `waited for ${what}; it printed ${JSON.stringify(this.stdout)} and ${JSON.stringify(this.stderr)}`
        )
      }
      await new Promise<void>((resolve) => {
        this.#changed = resolve
      })
    }
    clearTimeout(deadline)
    return this
  }
}
