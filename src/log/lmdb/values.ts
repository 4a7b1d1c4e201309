// Values in LMDB with a checksum of the value and its key, so that what a disk has changed is an error and never taken for what
// was written. It does not know what the values mean.
import { asBinary, type Database, type RangeOptions, type RootDatabase } from 'lmdb'
import { crc32 } from './crc32.ts'
import { damaged } from './files/damaged.ts'

/** The first byte of a value with a checksum; no value in msgpack begins so. */
const marker = 0xc1
/** The marker, then a checksum of all that follows, then what stands for the key, with which the checksum begins. */
const at = { sum: 1, key: 5, text: 9 }

/** Makes bytes of what is kept, and back. */
export interface Codec {
  encode(value: unknown): Buffer
  decode(bytes: Buffer, range: { start: number; end: number }): unknown
}

/** What the databases of one folder have in common. */
export interface Values {
  readonly root: RootDatabase
  /** The data file, for errors. */
  readonly file: string
  readonly codec: Codec
  /** Whether there may be values without a checksum, from before there were any. */
  readonly areOldAllowed: boolean
}

/** A value as it stands in LMDB. */
interface Stored<Value> {
  /** Undefined where it cannot be read. */
  readonly value: Value | undefined
  /** What stands for its key; undefined where it has no checksum. */
  readonly key: number | undefined
}

export class LmdbValues<Value, Key extends string | number> {
  /** The database, for what has to do with keys and commits alone. */
  readonly keys: Database<Stored<Value>, Key>
  readonly #values: Values
  readonly #name: string

  constructor(values: Values, name: string, useVersions = false) {
    this.#values = values
    this.#name = name
    // LMDB hands one buffer of its own to `decode` again and again, which is what makes reading fast.
    const decode = (bytes: Buffer, size: unknown) => this.#decode(bytes, size)
    const options = { name, encoder: { encode: () => Buffer.alloc(0), decode }, useVersions }
    this.keys = values.root.openDB(options)
  }

  /** @throws LogError where the value is damaged. */
  get(key: Key): Value | undefined {
    const stored = this.keys.get(key)
    return stored && this.#checked(key, stored)
  }

  /** @throws LogError on coming to a value that is damaged. */
  *range(options: RangeOptions = {}): Generator<{ key: Key; value: Value }, void, undefined> {
    for (const { key, value } of this.keys.getRange(options)) yield { key, value: this.#checked(key, value) }
  }

  /** Inside a batch, what this answers says nothing: the batch as a whole succeeds or fails. */
  put(key: Key, value: Value, version?: number): void {
    const text = this.#values.codec.encode(value)
    const bytes = Buffer.allocUnsafe(at.text + text.length)
    bytes[0] = marker
    const sum = sumOf(key)
    bytes.writeUInt32LE(sum, at.key)
    bytes.writeUInt32LE(crc32(text, sum), at.sum)
    bytes.set(text, at.text)
    const stored = asBinary(bytes) as unknown as Stored<Value>
    void (version === undefined ? this.keys.put(key, stored) : this.keys.put(key, stored, version))
  }

  remove(key: Key): void {
    void this.keys.remove(key)
  }

  #decode(bytes: Buffer, size: unknown): Stored<Value> {
    const end = typeof size === 'number' ? size : bytes.length
    const isSummed = end > at.text && bytes[0] === marker
    const key = isSummed ? bytes.readUInt32LE(at.key) : undefined
    const isWhole =
      key === undefined
        ? bytes[0] !== marker && this.#values.areOldAllowed
        : crc32(bytes.subarray(at.text, end), key) === bytes.readUInt32LE(at.sum)
    try {
      // Nothing is decoded that was changed: it could say that it is as large as all memory.
      const value = isWhole ? this.#values.codec.decode(bytes, { start: isSummed ? at.text : 0, end }) : undefined
      return { value: value as Value | undefined, key }
    } catch {
      return { value: undefined, key }
    }
  }

  #checked(key: Key, stored: Stored<Value>): Value {
    if (stored.value !== undefined && (stored.key === undefined || stored.key === sumOf(key))) return stored.value
    throw damaged(this.#values.file, `${this.#name} ${JSON.stringify(key)} is not what was written there`)
  }
}

function sumOf(key: string | number): number {
  return typeof key === 'number' ? key % 2 ** 32 : crc32(key, 0)
}
