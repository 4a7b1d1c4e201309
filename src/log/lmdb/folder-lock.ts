// One writer at a time: a file that names the process which uses a folder, and is taken over when that process is gone. It
// knows not what the folder holds.
import { createHash, randomUUID } from 'node:crypto'
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LogError } from '../error.ts'

interface Holder {
  readonly pid: number
  /** Tells a process from an earlier one with the same number; empty where the system does not say. */
  readonly started: string
  /** Tells two holders in one process apart. */
  readonly token: string
}

/** A folder that this process alone may write to, until it lets go of it or ends, in whatever way. */
export class FolderLock {
  readonly #file: string
  readonly #text: string

  private constructor(file: string, text: string) {
    this.#file = file
    this.#text = text
  }

  /** @throws LogError when another process, or this one, uses the folder already. */
  static take(folder: string): FolderLock {
    return FolderLock.#take(join(folder, 'owner'), folder)
  }

  static #take(file: string, folder: string): FolderLock {
    const holder: Holder = { pid: process.pid, started: startOf(process.pid), token: randomUUID() }
    const lock = new FolderLock(file, JSON.stringify(holder))
    for (;;) {
      if (lock.#place((from) => linkSync(from, file))) return lock
      const found = read(file)
      if (found === undefined) continue
      refuseLiving(found, folder)
      if (lock.#replace(found, folder)) return lock
    }
  }

  /** Lets go of the folder. Safe to call twice. */
  release(): void {
    if (read(this.#file) === this.#text) rmSync(this.#file, { force: true })
  }

  /** Puts the file there whole or not at all: its text is written elsewhere first. */
  #place(put: (from: string) => void): boolean {
    const draft = `${this.#file}.${randomUUID()}`
    writeFileSync(draft, this.#text)
    try {
      put(draft)
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
      throw error
    } finally {
      rmSync(draft, { force: true })
    }
  }

  /**
   * Takes the place of a holder that is gone, unless somebody else already has. Whoever wants to do so takes a lock on that
   * first, named for this very holder: two who have seen the same dead holder cannot both replace it.
   */
  #replace(dead: string, folder: string): boolean {
    const name = createHash('sha256').update(dead).digest('hex').slice(0, 16)
    const right = FolderLock.#take(`${this.#file}.${name}`, folder)
    try {
      return read(this.#file) === dead && this.#place((from) => renameSync(from, this.#file))
    } finally {
      right.release()
    }
  }
}

function refuseLiving(text: string, folder: string): void {
  const { pid, started } = parse(text)
  if (!isAlive(pid, started)) return
  const who = pid === process.pid ? `this process (pid ${pid})` : `another process (pid ${pid})`
  throw new LogError(`${folder} is in use by ${who}; stop that first, or keep this log in another folder`)
}

/** A file that was cut short by a crash of the system names nobody who could still be alive. */
function parse(text: string): Holder {
  try {
    return JSON.parse(text) as Holder
  } catch {
    return { pid: 0, started: '', token: '' }
  }
}

function isAlive(pid: number, started: string): boolean {
  if (!(pid > 0)) return false
  const start = startOf(pid)
  // Where the system tells when a process began, one with the same number is told from the one that is meant.
  if (start !== '' && started !== '') return start === started
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** When a process began, and in which run of the system; empty where that is not told. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    // The second field is the program's name in parentheses, and may itself hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const isGone = fields[0] === 'Z' || fields[0] === 'X'
    return isGone ? 'gone' : `${boot} ${fields[19]}`
  } catch {
    return ''
  }
}

/** The text of a file that may have been removed by now. */
function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new LogError(`${file}, which says who uses the folder, cannot be read: ${(error as Error).message}`)
  }
}
