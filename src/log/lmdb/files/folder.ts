// Opens and closes the folder of an LmdbLog: the lock, the checks of the data, and the order of the steps.
import { resolve } from 'node:path'
import { LogError } from '../../error.ts'
import type { Durability } from '../options.ts'
import { LmdbStore } from '../store.ts'
import { CommitGate } from './commit-gate.ts'
import {
  checkData,
  hasData,
  isUnflushed,
  markUnflushed,
  prepareFolder,
  removeData,
  syncData,
  syncFolder,
  unmarkUnflushed
} from './data-file.ts'
import { FolderLock } from './lock.ts'
import { serveReader } from './open-beside.ts'

/** The kernel closes the files of a process one after the other, so it may still count as a reader when its connection has ended. */
const leavingMs = 1_000

export class LmdbFolder {
  readonly store: LmdbStore
  readonly path: string
  readonly #durability: Durability
  readonly #lock: FolderLock
  #closing: Promise<void> | undefined

  private constructor(path: string, durability: Durability, lock: FolderLock, store: LmdbStore) {
    this.path = path
    this.#durability = durability
    this.#lock = lock
    this.store = store
  }

  /** @throws LogError when the folder cannot be used, is in use, or holds damaged data */
  static async open(folder: string, durability: Durability): Promise<LmdbFolder> {
    // Absolute, so that a later `chdir` does not change it.
    const path = resolve(folder)
    prepareFolder(path)
    const gate = new CommitGate()
    let opened: LmdbFolder | undefined
    const readerLeft = () => opened?.readerLeft()
    const lock = await FolderLock.take(path, (socket) => serveReader(socket, { gate, readerLeft }))
    try {
      opened = new LmdbFolder(path, durability, lock, await openStore(path, durability, gate))
      return opened
    } catch (error) {
      lock.release()
      throw error
    }
  }

  /** Called when a process that had opened the folder has closed it, or was killed: frees the pages that it was reading. */
  readerLeft(): void {
    const release = () => {
      if (!this.#closing) this.store.releaseReaders()
    }
    setTimeout(release, leavingMs).unref()
  }

  /** Safe to call twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.store.close()
    if (this.#durability === 'os') {
      syncData(this.path)
      unmarkUnflushed(this.path)
    }
    this.#lock.release()
  }
}

async function openStore(path: string, durability: Durability, gate: CommitGate): Promise<LmdbStore> {
  if (isUnflushed(path)) {
    // After an unclean end without flush, not even LMDB's pages can be trusted: the log starts over with a new epoch.
    removeData(path)
    unmarkUnflushed(path)
  }
  const isNew = !hasData(path)
  if (!isNew) checkData(path)
  if (durability === 'os') markUnflushed(path)
  try {
    const store = await LmdbStore.open(path, durability, gate)
    syncFolder(path)
    return store
  } catch (error) {
    // When a new log cannot be created, the folder must not look as if one had been lost in it.
    if (isNew) removeData(path)
    if (error instanceof LogError) throw error
    throw new LogError(
      `the log in ${path} could not be opened: ${(error as Error).message}; check the disk and its permissions`
    )
  }
}
