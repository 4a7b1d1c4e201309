// Room that is kept for the day when the disk is full: a file of a fixed size, which is emptied while retention removes entries,
// for LMDB needs pages to write to before it can set others free. It knows no entry.
import { randomBytes } from 'node:crypto'
import { closeSync, openSync, statSync, truncateSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** Enough to remove one entry, whatever it touches: 100 topics have as many ways of three or four pages into the index. */
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

  /** Empties the file, so that the next writes have its room. */
  release(): void {
    if (this.#size > 0) truncateSync(this.#file)
    this.#size = 0
  }

  /** Takes as much as the disk has, up to its size. */
  fill(): void {
    if (this.isComplete) return
    const file = openSync(this.#file, 'a')
    try {
      // Random, so that no file system stores it as less than it is.
      while (!this.isComplete) this.#size += writeSync(file, randomBytes(Math.min(chunk, reserveSize - this.#size)))
    } catch {
      // The disk has no more: what there is counts, and the rest is taken when there is room.
    } finally {
      closeSync(file)
    }
  }
}
