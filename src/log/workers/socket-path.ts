// Where the workers find the primary: a socket in a folder that only this user may enter, or a named pipe on Windows.
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export interface SocketPath {
  readonly path: string
  /** Removes the folder. */
  remove(): void
}

export function newSocketPath(): SocketPath {
  if (process.platform === 'win32') return { path: `\\\\.\\pipe\\tidings-${randomUUID()}`, remove: () => {} }
  // `mkdtemp` creates it with mode 0700.
  const path = join(mkdtempSync(join(tmpdir(), 'tidings-')), 'log.sock')
  return { path, remove: () => removeSocket(path) }
}

/** Removes the folder of a socket, also for a primary process that was killed. */
export function removeSocket(path: string): void {
  if (process.platform !== 'win32') rmSync(dirname(path), { recursive: true, force: true })
}
