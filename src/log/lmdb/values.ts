// Values in LMDB with a checksum over the value and its key: a value that the disk has changed is an error.
import { asBinary, type Database, type RangeOptions, type RootDatabase } from 'lmdb'
import { crc32 } from './files/crc32.ts'
import { damaged } from './files/damaged.ts'

/** The first byte of a value with a checksum. No value in msgpack begins with it. */
const marker = 0xc1
/** Layout: marker, checksum, a number that stands for the key and begins the checksum, then the value. */
const at = { sum: 1, key: 5, text: 9 }

/** Encodes and decodes values. */
export interface Codec {
  encode(value: unknown): Buffer
  decode(bytes: Buffer, range: { start: number; end: number }): unknown
}

/** What the databases of one folder share. */
export interface Values {
  readonly root: RootDatabase
  /** The data file, for errors. */
  readonly file: string
  readonly codec: Codec
  /** Whether there may be values without a checksum, of format 1. */
  readonly areOldAllowed: boolean
}

/** A value as it is stored. */
interface Stored<Value> {
  /** Undefined when it is damaged. */
  readonly value: Value | undefined
  /** The number that stands for its key; undefined without a checksum. */
  readonly key: number | undefined
}

export class LmdbValues<Value, Key extends string | number> {
  /** The database, for operations on keys and commits only. */
  readonly keys: Database<Stored<Value>, Key>
  readonly #values: Values
  readonly #name: string

  constructor(values: Values, name: string, useVersions = false) {
    this.#values = values
    this.#name = name
    // LMDB passes the same buffer to `decode` each time, which makes reads fast.
    const decode = (bytes: Buffer, size: unknown) => this.#decode(bytes, size)
    const options = { name, encoder: { encode: () => Buffer.alloc(0), decode }, useVersions }
    this.keys = values.root.openDB(options)
  }

  /** @throws LogError when the value is damaged */
  get(key: Key): Value | undefined {
    const stored = this.keys.get(key)
    return stored && this.#checked(key, stored)
  }

  /** @throws LogError at a damaged value */
  *range(options: RangeOptions = {}): Generator<{ key: Key; value: Value }, void, undefined> {
    for (const { key, value } of this.keys.getRange(options)) yield { key, value: this.#checked(key, value) }
  }

  /** Inside a batch, its promise means nothing: the batch succeeds or fails as a whole. */
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
      // A damaged value is never decoded: its length could exceed the memory.
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
