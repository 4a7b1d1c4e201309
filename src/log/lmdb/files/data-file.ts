// The files of a log that is kept in a folder, before LMDB sees them: whether they can be there, and whether they are whole,
// for LMDB itself would end the process on reading a page that is gone. It knows no entry.
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { LogError } from '../../error.ts'
import { checkPages } from './check.ts'
import { damaged } from './damaged.ts'
import { LmdbPages } from './pages.ts'

const dataName = 'data.mdb'
const unflushedName = 'unflushed'

/** @throws LogError when the folder can neither be found nor made, or not be written. */
export function prepareFolder(folder: string): void {
  try {
    makeFolder(folder)
    const probe = join(folder, `probe.${process.pid}`)
    writeFileSync(probe, '')
    rmSync(probe)
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? String(error)
    throw new LogError(
      `${folder} cannot be used to keep a log in (${why}); choose a folder that can be created and written by this user`
    )
  }
}

/** Level by level: Node's own recursion never ends where a folder that exists says that there is none, as `/proc` does. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return
  if (dirname(folder) !== folder) makeFolder(dirname(folder))
  try {
    mkdirSync(folder)
  } catch (error) {
    // Another process may have made it meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** Makes what was done to the folder itself, rather than to a file in it, outlast a crash of the system. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return
  sync(folder)
}

export function syncData(folder: string): void {
  sync(join(folder, dataName))
}

export function hasData(folder: string): boolean {
  return existsSync(join(folder, dataName))
}

/** Lets go of everything that was kept. */
export function removeData(folder: string): void {
  for (const name of [dataName, 'lock.mdb']) rmSync(join(folder, name), { force: true })
}

/** Whether somebody who did not flush has used the folder and not come to an orderly end. */
export function isUnflushed(folder: string): boolean {
  return existsSync(join(folder, unflushedName))
}

/** Says, so that it outlasts a crash, that what is written from now on may be lost or torn. */
export function markUnflushed(folder: string): void {
  const file = join(folder, unflushedName)
  // Empty, for a full disk has room for a name at most.
  writeFileSync(file, '')
  sync(file)
  syncFolder(folder)
}

export function unmarkUnflushed(folder: string): void {
  rmSync(join(folder, unflushedName), { force: true })
  syncFolder(folder)
}

/** @throws LogError when the data is not LMDB's, is shorter than it must be, or has pages that are not what they were. */
export function checkData(folder: string): void {
  const file = join(folder, dataName)
  const pages = new LmdbPages(file)
  try {
    const { pageSize, lastPage } = pages.mark
    const { size } = statSync(file)
    const needed = (lastPage + 1) * pageSize
    if (size < needed) throw damaged(file, `it ends at byte ${size}, and must have ${needed}`)
    checkPages(pages)
  } finally {
    pages.close()
  }
}

/** How many bytes of the data commits may use again without a larger file. */
export function freeBytes(folder: string): number {
  const pages = new LmdbPages(join(folder, dataName))
  try {
    return pages.countFree() * pages.mark.pageSize
  } finally {
    pages.close()
  }
}

function sync(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
