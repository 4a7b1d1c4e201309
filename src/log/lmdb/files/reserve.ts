// Reserved disk space: a file that is emptied on a full disk, because LMDB needs free pages before it can remove entries.
import { randomBytes } from 'node:crypto'
import { closeSync, openSync, statSync, truncateSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** Enough to remove any entry: one with 100 topics changes three or four pages of the index for each. */
export const reserveSize = 2 * 2 ** 20
const chunk = 2 ** 16

export class Reserve {
  readonly #file: string
  #size: number

  constructor(folder: string) {
    this.#file = join(folder, 'reserve')
    this.#size = statSync(this.#file, { throwIfNoEntry: false })?.size ?? 0
  }

  get size(): number {
    return this.#size
  }

  get isComplete(): boolean {
    return this.#size >= reserveSize
  }

  /** Empties the file, so that the next writes have its space. */
  release(): void {
    if (this.#size > 0) truncateSync(this.#file)
    this.#size = 0
  }

  /** Fills the file, as far as the disk has space. */
  fill(): void {
    if (this.isComplete) return
    const file = openSync(this.#file, 'a')
    try {
      // Random, so that no file system compresses it.
      while (!this.isComplete) this.#size += writeSync(file, randomBytes(Math.min(chunk, reserveSize - this.#size)))
    } catch {
      // The disk is full: the rest is filled when there is space.
    } finally {
      closeSync(file)
    }
  }
}
