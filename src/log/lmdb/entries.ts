// The entries in LMDB, by offset.
import { formatId } from '../ids.ts'
import type { Entry } from '../log.ts'
import { fromStored, type StoredUpdate } from '../stored-update.ts'
import { damaged } from './files/damaged.ts'
import { LmdbValues, type Values } from './values.ts'

export class LmdbEntries extends LmdbValues<StoredUpdate, number> {
  readonly #epoch: string
  readonly #file: string

  constructor(values: Values, epoch: string) {
    super(values, 'entries')
    this.#epoch = epoch
    this.#file = values.file
  }

  /** Offset of the oldest entry. */
  get first(): number | undefined {
    return [...this.keys.getKeys({ limit: 1 })][0]
  }

  entry(offset: number): Entry | undefined {
    const value = this.get(offset)
    return value && this.#entryOf(offset, value)
  }

  /** Entries from an offset on, oldest first. The caller must not await while it iterates. */
  *from(offset: number): Generator<Entry, void, undefined> {
    for (const { key, value } of this.range({ start: offset })) yield this.#entryOf(key, value)
  }

  /** Entries up to an offset, newest first. */
  *downFrom(offset: number): Generator<Entry, void, undefined> {
    for (const { key, value } of this.range({ start: offset, reverse: true })) yield this.#entryOf(key, value)
  }

  #entryOf(offset: number, value: StoredUpdate): Entry {
    if (!Array.isArray(value)) throw damaged(this.#file, `entry ${offset} cannot be read`)
    const { time, update } = fromStored(value)
    return { epoch: this.#epoch, offset, id: update.id ?? formatId(this.#epoch, offset), time, update }
  }
}
