// The disk under a log, seen through the ways in which LMDB fails: tells a full one from a broken one, and spares a full one
// tries in vain. It knows no data.
import { statfsSync } from 'node:fs'
import { TidingsError } from '../../../errors.ts'
import { LogError } from '../../error.ts'
import { Reserve, reserveSize } from './reserve.ts'

const ENOSPC = 28
const EIO = 5
const EDQUOT: readonly unknown[] = [69, 122]
/** Less than this is no room. */
const room = 2 ** 20
/** How long a full disk is taken to stay full, unless room is seen: with each try that fails, LMDB prints lines of its own. */
const timeoutMs = 1_000

export class Disk {
  readonly #path: string
  /** After a try that found no room: when to try again though none is seen. */
  #nextTry = 0

  readonly #reserve: Reserve

  constructor(path: string) {
    this.#path = path
    this.#reserve = new Reserve(path)
    // Opening what is there may take room.
    if (!this.#hasRoom()) this.#reserve.release()
  }

  /**
   * To be asked before anything is added that needs so many bytes. On a full disk, trimming moves room from the reserve into
   * LMDB's file, which never shrinks. From then on, as much as the reserve lacks has to stay free in that file: otherwise
   * appends would use it up, and nothing could be removed any more.
   * @throws TidingsError `storage_full` where a write has failed just now and nothing has changed since, or that room is short.
   */
  mustHaveRoom(needed: () => number, freeBytes: () => number): void {
    if (!this.#reserve.isComplete && this.#hasRoom()) this.#reserve.fill()
    const isFull = this.#reserve.isComplete
      ? performance.now() < this.#nextTry && !this.#hasRoom()
      : freeBytes() + this.#reserve.size < reserveSize + needed()
    if (isFull) throw new TidingsError('storage_full')
  }

  /** Lets the writes that follow use the room that is kept for trimming. */
  releaseReserve(): void {
    this.#reserve.release()
  }

  fillReserve(): void {
    this.#reserve.fill()
  }

  /** A write has succeeded, though perhaps only because there was room inside LMDB's own file. */
  wrote(): void {
    this.#nextTry = 0
  }

  /** What a failed write comes down to: `storage_full`, or a LogError after which nothing more can be promised. */
  async classifyError(error: unknown): Promise<TidingsError | LogError> {
    const cause = await causeOf(error)
    const { code, message } = cause as { code?: unknown; message: string }
    // LMDB says EIO, too, when only a part of what it wrote had room.
    if (code === ENOSPC || EDQUOT.includes(code) || (code === EIO && !this.#hasRoom())) {
      this.#nextTry = performance.now() + timeoutMs
      return new TidingsError('storage_full', undefined, { cause })
    }
    const what = `the log in ${this.#path} could not be written: ${message}`
    return new LogError(`${what}; see to the disk, then start again`, { cause })
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
