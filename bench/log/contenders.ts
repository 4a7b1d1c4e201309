// The logs that are compared. Each is opened in an empty folder, appends, and is closed.
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { LmdbLog, type LmdbLogOptions, MemoryLog, type Update } from 'tidings'

export interface Keeper {
  append(updates: readonly Update[]): Promise<unknown>
  close(): Promise<void>
}

export interface Contender {
  readonly name: string
  open(path: string): Promise<Keeper>
}

/** The upper limit of this disk: appends the same text to a file, and syncs it before each append resolves. */
class PlainFile implements Keeper {
  readonly #file: FileHandle
  constructor(file: FileHandle) {
    this.#file = file
  }
  async append(updates: readonly Update[]): Promise<void> {
    await this.#file.appendFile(updates.map((update) => `${JSON.stringify(update)}\n`).join(''))
    await this.#file.datasync()
  }
  close(): Promise<void> {
    return this.#file.close()
  }
}

const lmdb = (name: string, options: Omit<LmdbLogOptions, 'path'> = {}): Contender => ({
  name,
  open: (path) => LmdbLog.open({ path, ...options })
})

export const contenders: readonly Contender[] = [
  lmdb('LmdbLog'),
  lmdb('LmdbLog, keeps 10,000', { retention: [{ match: '*', entries: 10_000 }] }),
  lmdb('LmdbLog, last 1 a topic', { retention: [{ match: '*', last: 1 }] }),
  lmdb('LmdbLog, durability os', { durability: 'os' }),
  { name: 'MemoryLog', open: async () => new MemoryLog() },
  { name: 'a plain file', open: async (path) => new PlainFile(await open(join(path, 'updates'), 'a')) }
]
