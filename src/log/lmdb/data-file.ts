// The files of a log that is kept in a folder, before LMDB sees them: whether they can be there, and whether they are whole,
// for LMDB itself would end the process on reading a page that is gone. It knows no entry.
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { dirname, join } from 'node:path'
import { LogError } from '../error.ts'

const dataName = 'data.mdb'
const unflushedName = 'unflushed'

/** Where LMDB writes the marks that we check: each of its first two pages tells what a commit left behind. */
const at = { magic: 24, version: 28, pageSize: 48, lastPage: 144, commit: 152, end: 160 }
const magic = 0xbeefc0de
const version = 2

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
  writeFileSync(file, 'The log in this folder is written with durability "os", and not closed yet.\n')
  sync(file)
  syncFolder(folder)
}

export function unmarkUnflushed(folder: string): void {
  rmSync(join(folder, unflushedName), { force: true })
  syncFolder(folder)
}

/** @throws LogError when the data is not LMDB's, or is shorter than it must be. */
export function checkData(folder: string): void {
  const file = join(folder, dataName)
  const first = readMark(file, 0)
  const second = readMark(file, first.pageSize)
  const { pageSize, lastPage } = first.commit > second.commit ? first : second
  const { size } = statSync(file)
  const needed = (Number(lastPage) + 1) * pageSize
  if (size < needed) throw damaged(file, `it ends at byte ${size}, and must have ${needed}`)
}

export function damaged(file: string, what: string): LogError {
  return new LogError(
    `${file} is damaged: ${what}; put a copy in its place, or move the folder away to begin with an empty log`
  )
}

interface Mark {
  readonly pageSize: number
  readonly lastPage: bigint
  readonly commit: bigint
}

function readMark(file: string, start: number): Mark {
  const bytes = Buffer.alloc(at.end)
  const length = readAt(file, bytes, start)
  const pageSize = bytes.readUInt32LE(at.pageSize)
  const isMark = bytes.readUInt32LE(at.magic) === magic && bytes.readUInt32LE(at.version) === version
  if (length < at.end || !isMark || pageSize < 512 || pageSize > 65_536) {
    throw damaged(file, `what stands at byte ${start} is not what LMDB writes there`)
  }
  return { pageSize, lastPage: bytes.readBigUInt64LE(at.lastPage), commit: bytes.readBigUInt64LE(at.commit) }
}

function readAt(file: string, bytes: Buffer, position: number): number {
  const descriptor = openSync(file, 'r')
  try {
    return readSync(descriptor, bytes, 0, bytes.length, position)
  } finally {
    closeSync(descriptor)
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
