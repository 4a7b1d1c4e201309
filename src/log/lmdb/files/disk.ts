// Recognizes a full disk by LMDB's errors, and keeps appends from using the space that trimming needs.
import { statfsSync } from 'node:fs'
import { TidingsError } from '../../../errors.ts'
import { LogError } from '../../error.ts'
import { Reserve, reserveSize } from './reserve.ts'

const ENOSPC = 28
const EIO = 5
const EDQUOT: readonly unknown[] = [69, 122]
/** A disk with less free space is full. */
const room = 2 ** 20
/** How long a full disk is assumed to stay full, unless space is seen: LMDB prints lines of its own at each failed write. */
const timeoutMs = 1_000

export class Disk {
  readonly #path: string
  /** After a write failed: when to try again, even if no free space is seen. */
  #nextTry = 0

  readonly #reserve: Reserve

  constructor(path: string) {
    this.#path = path
    this.#reserve = new Reserve(path)
    // Opening the log may need space.
    if (!this.#hasRoom()) this.#reserve.release()
  }

  /**
   * Called before a commit that adds so many bytes. On a full disk, trimming moves space from the reserve into LMDB's file, which never
   * shrinks. As much as the reserve lacks must then stay free in that file; otherwise nothing could be removed any more.
   * @throws TidingsError `storage_full` when a write failed a moment ago, or that space is short
   */
  requireSpace(needed: () => number, freeBytes: () => number): void {
    if (!this.#reserve.isComplete && this.#hasRoom()) this.#reserve.fill()
    const isFull = this.#reserve.isComplete
      ? performance.now() < this.#nextTry && !this.#hasRoom()
      : freeBytes() + this.#reserve.size < reserveSize + needed()
    if (isFull) throw new TidingsError('storage_full')
  }

  /** Frees the reserved space for the writes that follow. */
  releaseReserve(): void {
    this.#reserve.release()
  }

  fillReserve(): void {
    this.#reserve.fill()
  }

  /** Called after a successful write. */
  succeeded(): void {
    this.#nextTry = 0
  }

  /** Turns the error of a failed write into `storage_full`, or a LogError after which nothing more can be promised. */
  async classifyError(error: unknown): Promise<TidingsError | LogError> {
    const cause = await causeOf(error)
    const { code, message } = cause as { code?: unknown; message: string }
    // LMDB also reports EIO when only a part of a write fitted.
    if (code === ENOSPC || EDQUOT.includes(code) || (code === EIO && !this.#hasRoom())) {
      this.#nextTry = performance.now() + timeoutMs
      return new TidingsError('storage_full', undefined, { cause })
    }
    const what = `the log in ${this.#path} could not be written: ${message}`
    return new LogError(`${what}; check the disk and its permissions, then start again`, { cause })
  }

  #hasRoom(): boolean {
    const { bavail, bsize } = statfsSync(this.#path)
    return bavail * bsize >= room
  }
}

async function causeOf(error: unknown): Promise<unknown> {
  const { commitError } = error as { commitError?: Promise<never> }
  try {
    await commitError
  } catch (cause) {
    return cause
  }
  return error
}
