// Folders for logs that are written for a measurement and gone after it; they lie beside the compiled benchmarks, for a
// system's folder for temporary files may be no disk at all.
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const beside = fileURLToPath(new URL('../', import.meta.url))

const inUse = new Set<string>()

// A benchmark that is interrupted leaves no folder behind either.
process.on('exit', () => {
  for (const path of inUse) rmSync(path, { recursive: true, force: true })
})

/** Does something with an empty folder, which is then removed. */
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

/** Bytes of the files in a folder. */
export function bytesIn(path: string): number {
  return readdirSync(path).reduce((sum, name) => sum + statSync(join(path, name)).size, 0)
}
