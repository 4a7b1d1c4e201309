// The folder and the data file of a log, before LMDB opens them.
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { LogError } from '../../error.ts'
import { checkPages } from './check.ts'
import { damaged } from './damaged.ts'
import { LmdbPages } from './pages.ts'

export const dataName = 'data.mdb'
const unflushedName = 'unflushed'

/** @throws LogError when the folder cannot be created or written to */
export function prepareFolder(folder: string): void {
  try {
    makeFolder(folder)
    const probe = join(folder, `probe.${process.pid}`)
    writeFileSync(probe, '')
    rmSync(probe)
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? String(error)
    throw new LogError(
      `${folder} cannot hold a log (${why}); choose a folder that can be created and written by this user`
    )
  }
}

/** One level at a time: the recursive `mkdir` of Node never returns in `/proc`. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return
  if (dirname(folder) !== folder) makeFolder(dirname(folder))
  try {
    mkdirSync(folder)
  } catch (error) {
    // Another process may have created it meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** Makes changes of the folder itself durable. */
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

/** Deletes the data. */
export function removeData(folder: string): void {
  for (const name of [dataName, 'lock.mdb']) rmSync(join(folder, name), { force: true })
}

/** Whether a process with durability `os` used the folder and did not close it. */
export function isUnflushed(folder: string): boolean {
  return existsSync(join(folder, unflushedName))
}

/** Marks, durably, that writes from now on may be lost or incomplete. */
export function markUnflushed(folder: string): void {
  const file = join(folder, unflushedName)
  // Empty: a full disk has space for a name only.
  writeFileSync(file, '')
  sync(file)
  syncFolder(folder)
}

export function unmarkUnflushed(folder: string): void {
  rmSync(join(folder, unflushedName), { force: true })
  syncFolder(folder)
}

/** @throws LogError when the data is not of LMDB, is truncated, or has damaged pages */
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

/** Bytes of the data file that commits can reuse. */
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
