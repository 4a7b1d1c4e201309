// Plants a fault in a copy of the built library, to prove that a test detects it. The product itself has no test hooks.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { onTestFinished } from 'vitest'
import type { Library } from './histories.ts'

export interface Fault {
  readonly name: string
  /** The built file, below `dist/`. */
  readonly file: string
  /** Occurs exactly once in the file. */
  readonly find: string
  readonly replace: string
}

/** Builds and imports a copy of the library that has the fault. */
export async function plant({ file, find, replace, name }: Fault): Promise<Library> {
  // Inside the project, so that dependencies resolve.
  mkdirSync('build', { recursive: true })
  const folder = mkdtempSync(join('build', 'fault-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  // The commands and the pages, half of the files, are not part of the library.
  cpSync('dist', folder, { recursive: true, filter: (path) => !/^dist.(cjs|cli|client|react)$/.test(path) })
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  const path = join(folder, file)
  const parts = readFileSync(path, 'utf8').split(find)
  if (parts.length !== 2) throw new Error(`"${name}": ${file} holds ${parts.length - 1} times: ${find}`)
  writeFileSync(path, parts.join(replace))
  return (await import(pathToFileURL(join(folder, 'index.js')).href)) as Library
}
