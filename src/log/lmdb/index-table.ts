// Where an LmdbLog finds entries by topic and id: places, and the offsets that each has. It knows by a sum over all of it
// whether the disk still has what was written. It reads no entry.
import type { Database, RootDatabase } from 'lmdb'
import { crc32 } from './crc32.ts'

export class LmdbIndex {
  readonly #database: Database<number, string>
  /** Over all that is committed; undefined in data of format 1. */
  #sum: number
  /** Over all that is there after the commit that is being written. */
  #next: number

  /** `sum` is what was stored; undefined where none was, so that what is there is taken for what was written. */
  constructor(root: RootDatabase, sum: number | undefined) {
    this.#database = root.openDB({ name: 'index', encoding: 'ordered-binary', dupSort: true })
    this.#sum = sum ?? this.#count()
    this.#next = this.#sum
  }

  /** Whether what is there is what was written. Reads all of it. */
  get isWhole(): boolean {
    return this.#sum === this.#count()
  }

  /** What is to be stored along with what is added and removed. */
  get sum(): number {
    return this.#next
  }

  /** A commit begins: what an earlier one did not get done does not count. */
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

  /** The offsets that a place has, from one on, or from one down. */
  offsets(place: string, start: number, reverse: boolean): Iterable<number> {
    return this.#database.getValues(place, { start, reverse })
  }

  /** How many entries a place has. */
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

/** What one offset of a place adds to the sum: spread over all bits, so that two faults do not make up for each other. */
function partOf(crc: number, offset: number): number {
  const low = Math.imul(offset | 0, 0x9e3779b1)
  const mixed = Math.imul(crc ^ low ^ (offset / 2 ** 32), 0x85ebca6b)
  return Math.imul(mixed ^ (mixed >>> 15), 0xc2b2ae35) >>> 0
}
