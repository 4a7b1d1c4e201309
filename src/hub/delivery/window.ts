// The recent entries as frames, shared by all subscribers that are a little behind.

import { type Deletion, Deletions } from '../../log/deletion.ts'
import type { Entry, Filter, PageLimit } from '../../log/log.ts'
import { OffsetDeque } from '../../log/offset-deque.ts'
import { TimeSlice } from '../../log/time-slice.ts'
import { Batch } from './batch.ts'
import { type Encoding, Frame } from './frame.ts'

export interface WindowLimits {
  /** Entries held at most. */
  readonly entries: number
  /** Bytes held at most, counting text and a constant for each entry. */
  readonly bytes: number
}

/** A part of the window, for one subscriber. */
export interface WindowPage {
  /** Undefined when the filter admits no entry of this part. */
  readonly batch: Batch | undefined
  /** Everything up to this offset has been considered. */
  readonly cursor: number
}

/** Entries that one page considers at most. */
const scanLimit = 4_096

/** The newest entries that this node has seen. It holds at least the newest one, however large. */
export class Window {
  readonly #frames: OffsetDeque<Frame>
  readonly #limits: WindowLimits
  #bytes = 0

  constructor(limits: WindowLimits, head: number) {
    this.#limits = limits
    this.#frames = new OffsetDeque(head)
  }

  /** Offset of the newest entry that this node has seen. */
  get head(): number {
    return this.#frames.last
  }

  get first(): number {
    return this.#frames.first
  }

  get length(): number {
    return this.#frames.length
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Whether the window has all entries after this offset. */
  covers(offset: number): boolean {
    return offset >= this.first - 1
  }

  /** Adds the entry at `head + 1`. */
  push(entry: Entry): Frame {
    const frame = new Frame(entry)
    this.#frames.push(frame)
    this.#bytes += frame.size
    while (this.length > 1 && (this.length > this.#limits.entries || this.#bytes > this.#limits.bytes)) {
      this.#bytes -= this.#frames.at(this.first).size
      this.#frames.dropFirst()
    }
    return frame
  }

  /** Drops everything, and continues after another offset. */
  reset(head: number): void {
    this.#frames.reset(head)
    this.#bytes = 0
  }

  /** The entries that the filter admits after a covered offset, and not after `through`, up to about so many bytes. */
  after(offset: number, filter: Filter, encoding: Encoding, bytes: number, through = Infinity): WindowPage {
    const sizeOnWire = (frame: Frame) => frame.bytes(encoding).length
    const { frames, cursor } = this.framesAfter(offset, filter, { entries: Infinity, bytes }, sizeOnWire, through)
    return { batch: frames.length > 0 ? new Batch(frames, encoding) : undefined, cursor }
  }

  /** The frames that the filter admits after a covered offset, and the offset up to which entries were considered. */
  framesAfter(
    offset: number,
    filter: Filter,
    limit: PageLimit,
    sizeOf = (frame: Frame) => frame.size,
    through = Infinity
  ): { readonly frames: Frame[]; readonly cursor: number } {
    const frames: Frame[] = []
    const end = Math.min(this.head, offset + scanLimit, through)
    let cursor = offset
    const slice = new TimeSlice()
    for (let size = 0; cursor < end && size < limit.bytes && frames.length < limit.entries && !slice.isOver; ) {
      const frame = this.#frames.at(++cursor)
      const { topics, private: isPrivate = false } = frame.entry.update
      if (frame.isDeleted || !filter.admits(topics, isPrivate)) continue
      frames.push(frame)
      size += sizeOf(frame)
    }
    return { frames, cursor }
  }

  /** Hides the entries of a deletion. Those that were handed out before may still be written. */
  delete(deletion: Deletion): void {
    const deletions = Deletions.none.with(deletion)
    for (let offset = Math.max(this.first, deletion.from); offset <= Math.min(this.head, deletion.through); offset++) {
      const frame = this.#frames.at(offset)
      if (deletions.covers(offset, frame.entry.update.topics)) frame.isDeleted = true
    }
  }
}
