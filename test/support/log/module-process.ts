// Processes that run a module of the library, until they are killed.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { RootDatabase } from 'lmdb'
import { onTestFinished } from 'vitest'

/** The name of a built module, as text of a script. */
export const dist = (path: string) => JSON.stringify(fileURLToPath(new URL(`../../../dist/${path}`, import.meta.url)))

/** A process that runs a module; resolves with the first line that it prints. */
export async function run(script: string) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => kill(child))
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  return { line, pid: child.pid as number, kill: () => kill(child) }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'close')
  child.kill('SIGKILL')
  await gone
}

/** Whether LMDB keeps the pages that a process reads. */
export function isReading(root: RootDatabase, pid: number): boolean {
  const { readerList } = root as unknown as { readerList(): string }
  return new RegExp(`^\\s*${pid}\\s`, 'm').test(readerList.call(root))
}
