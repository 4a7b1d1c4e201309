// Where the workers find the primary: a socket in a folder that only this user may enter, or a named pipe on Windows.
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface SocketPath {
  readonly path: string
  /** Removes the folder. */
  remove(): void
}

export function newSocketPath(): SocketPath {
  if (process.platform === 'win32') return { path: `\\\\.\\pipe\\tidings-${randomUUID()}`, remove: () => {} }
  // `mkdtemp` creates it with mode 0700.
  const folder = mkdtempSync(join(tmpdir(), 'tidings-'))
  return { path: join(folder, 'log.sock'), remove: () => rmSync(folder, { recursive: true, force: true }) }
}
