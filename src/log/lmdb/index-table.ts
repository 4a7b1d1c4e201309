// The index of an LmdbLog: the offsets of each topic and each id. A sum over all of it detects damage.
import type { Database, RootDatabase } from 'lmdb'
import { crc32 } from './files/crc32.ts'

export class LmdbIndex {
  readonly #database: Database<number, string>
  /** The sum over everything that is committed. */
  #sum: number
  /** The sum after the commit in progress. */
  #next: number

  /** @param sum the stored sum; undefined for data of format 1, whose index is trusted */
  constructor(root: RootDatabase, sum: number | undefined) {
    this.#database = root.openDB({ name: 'index', encoding: 'ordered-binary', dupSort: true })
    this.#sum = sum ?? this.#count()
    this.#next = this.#sum
  }

  /** Whether the index is what was written. Reads all of it. */
  get isWhole(): boolean {
    return this.#sum === this.#count()
  }

  /** The sum to store in this commit. */
  get sum(): number {
    return this.#next
  }

  /** Begins a commit. Changes of a failed one do not count. */
  begin(): void {
    this.#next = this.#sum
  }

  settle(): void {
    this.#sum = this.#next
  }

  add(place: string, offset: number): void {
    this.#next = (this.#next + partOf(crcOf(place), offset)) >>> 0
    void this.#database.put(place, offset)
  }

  remove(place: string, offset: number): void {
    this.#next = (this.#next - partOf(crcOf(place), offset)) >>> 0
    void this.#database.remove(place, offset)
  }

  /** The offsets of a place, ascending or descending from one. */
  offsets(place: string, start: number, reverse: boolean): Iterable<number> {
    return this.#database.getValues(place, { start, reverse })
  }

  /** The number of entries of a place. */
  countOf(place: string): number {
    return this.#database.getValuesCount(place)
  }

  #count(): number {
    let sum = 0
    let last: string | undefined
    let crc = 0
    for (const { key, value } of this.#database.getRange()) {
      if (key !== last) crc = crcOf(key)
      last = key
      sum = (sum + partOf(crc, value)) >>> 0
    }
    return sum
  }
}

function crcOf(place: string): number {
  return crc32(place, 0)
}

/** What one offset adds to the sum: spread over all bits, so that two faults do not cancel each other out. */
function partOf(crc: number, offset: number): number {
  const low = Math.imul(offset | 0, 0x9e3779b1)
  const mixed = Math.imul(crc ^ low ^ (offset / 2 ** 32), 0x85ebca6b)
  return Math.imul(mixed ^ (mixed >>> 15), 0xc2b2ae35) >>> 0
}
