// Copies the history of a folder into a folder of its own, also while a server uses the original.
import { existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { type Database, open, type RootDatabase } from 'lmdb'
import { LogError } from '../../error.ts'
import { formatId } from '../../ids.ts'
import { LmdbStore } from '../store.ts'
import { classifyReadError } from './damaged.ts'
import { checkData, dataName, hasData, isUnflushed, prepareFolder, syncData, syncFolder } from './data-file.ts'
import { LmdbHeader } from './header.ts'
import { FolderLock } from './lock.ts'
import { openBeside } from './open-beside.ts'

/** A backup that is complete and on disk. */
export interface Backup {
  /** The number of updates. */
  readonly entries: number
  /** The position of the newest one, with the epoch of the backup; undefined when none was ever published. */
  readonly lastEventId: string | undefined
  /** The size of its data file in bytes. */
  readonly bytes: number
}

/**
 * Copies what was committed in `folder` at one moment into `target`, which is created. The copy has another epoch: a log that starts from it
 * gives its offsets to other updates than the original did, so the clients of the original have to get a gap.
 * @throws LogError when there is no history, when it is damaged, or when the target cannot be written. Then there is no target.
 */
export async function backUp(folder: string, target: string): Promise<Backup> {
  const from = resolve(folder)
  const to = resolve(target)
  if (!hasData(from)) throw new LogError(`${folder} holds no history; name the folder that the server has in --data`)
  if (existsSync(to) && !isEmptyFolder(to)) throw new LogError(`${target} exists already; choose a new folder`)
  const draft = `${to}.partial`
  if (existsSync(draft))
    throw new LogError(`${draft} is left from a backup that was interrupted; delete it, and try again`)
  const [source, leave] = await openSource(from)
  try {
    prepareFolder(draft)
    return await complete(source, from, draft, to)
  } finally {
    await source.close()
    leave()
  }
}

async function complete(source: RootDatabase, from: string, draft: string, to: string): Promise<Backup> {
  try {
    await copy(source, from, draft)
    const backup = await finish(draft)
    renameSync(draft, to)
    syncFolder(dirname(to))
    return backup
  } catch (error) {
    rmSync(draft, { recursive: true, force: true })
    throw error
  }
}

/** Opens the folder for reading. Its server has checked it when it started, or it is checked here. */
async function openSource(folder: string): Promise<[RootDatabase, leave: () => void]> {
  const openIt = () => open({ path: folder, readOnly: true, noSubdir: false, maxDbs: 10 })
  // Held until the folder is open, so that no server starts and commits meanwhile.
  const lock = await FolderLock.take(folder).catch(() => undefined)
  if (!lock) return openBeside(folder, openIt)
  try {
    if (isUnflushed(folder)) {
      const what = 'was not closed by its server, which ran with durability os, so its history is not reliable'
      throw new LogError(`${folder} ${what}; the next start of the server empties it`)
    }
    checkData(folder)
    return [openIt(), () => {}]
  } finally {
    lock.release()
  }
}

function isEmptyFolder(path: string): boolean {
  return statSync(path).isDirectory() && readdirSync(path).length === 0
}

/** LMDB copies the pages that its newest commit uses. A server continues meanwhile, and its file may grow. */
async function copy(source: RootDatabase, from: string, draft: string): Promise<void> {
  try {
    await source.backup(draft, true)
  } catch (error) {
    const { message } = error as Error
    // Errors of LMDB begin so; the others are those of writing, such as a full disk or a quota.
    if (message.startsWith('MDB_')) throw classifyReadError(error, join(from, dataName))
    // LMDB appends a note about an earlier opening in this process, which did not fail.
    const [cause] = message.split(':')
    throw new LogError(`${draft} cannot be written: ${cause}; check its disk, or choose a folder on another one`)
  }
}

/** Checks the copy as a start of the server does, and gives it another epoch. */
async function finish(draft: string): Promise<Backup> {
  const file = join(draft, dataName)
  const root = open({ path: draft, noSubdir: false, maxDbs: 10 })
  const meta: Database<unknown, string> = root.openDB({ name: 'meta', encoding: 'msgpack' })
  new LmdbHeader(meta, draft, file).renewEpoch()
  const { entryCount: entries } = root.openDB({ name: 'entries' }).getStats() as { entryCount: number }
  await root.close()
  // Not before: a copy begins without the commit before its newest one, which the check looks for.
  checkData(draft)
  const store = await LmdbStore.open(draft, 'flush')
  const { epoch, state } = store
  await store.close()
  for (const name of readdirSync(draft)) if (name !== dataName) rmSync(join(draft, name))
  syncData(draft)
  syncFolder(draft)
  const lastEventId = state?.head ? formatId(epoch, state.head) : undefined
  return { entries, lastEventId, bytes: statSync(file).size }
}
