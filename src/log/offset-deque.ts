// A queue of values at consecutive offsets, with access by offset in constant time.

const block = 4_096

/** Values at the offsets `first` to `last`, added at the end and dropped at the front. */
export class OffsetDeque<Value> {
  #values: (Value | undefined)[] = []
  /** Index of the first value. Dropped values before it are freed in blocks. */
  #from = 0
  /** Offset of the newest value; when there is none yet, the offset before the first. */
  #last: number

  constructor(last: number) {
    this.#last = last
  }

  get last(): number {
    return this.#last
  }

  /** Offset of the oldest value; `last + 1` when there is none. */
  get first(): number {
    return this.#last - this.length + 1
  }

  get length(): number {
    return this.#values.length - this.#from
  }

  push(value: Value): void {
    this.#values.push(value)
    this.#last++
  }

  /** The value at an offset from `first` to `last`. */
  at(offset: number): Value {
    return this.#values[this.#from + offset - this.first] as Value
  }

  /** Replaces the value at an offset from `first` to `last`. */
  set(offset: number, value: Value): void {
    this.#values[this.#from + offset - this.first] = value
  }

  dropFirst(): void {
    this.#values[this.#from++] = undefined
    if (this.#from < block || this.#from * 2 < this.#values.length) return
    this.#values = this.#values.slice(this.#from)
    this.#from = 0
  }

  /** Drops everything. The next value gets the offset `last + 1`. */
  reset(last: number): void {
    this.#values = []
    this.#from = 0
    this.#last = last
  }
}
