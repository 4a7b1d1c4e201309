// Temporary folders for logs. They are next to the compiled benchmarks, because the temporary folder of the system may be in memory.
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const beside = fileURLToPath(new URL('../', import.meta.url))

const inUse = new Set<string>()

// An interrupted benchmark also removes its folders.
process.on('exit', () => {
  for (const path of inUse) rmSync(path, { recursive: true, force: true })
})

/** Calls a function with an empty folder, and then removes the folder. */
export async function inFolder<Result>(work: (path: string) => Promise<Result>): Promise<Result> {
  const path = mkdtempSync(join(beside, 'folder-'))
  inUse.add(path)
  try {
    return await work(path)
  } finally {
    inUse.delete(path)
    rmSync(path, { recursive: true, force: true })
  }
}

/** The size of the files in a folder, in bytes. */
export function bytesIn(path: string): number {
  return readdirSync(path).reduce((sum, name) => sum + statSync(join(path, name)).size, 0)
}
