// The recent entries as frames, shared by all subscribers that are a little behind.

import type { Entry, Filter } from '../../log/log.ts'
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

  /** The entries that the filter admits after a covered offset and not after `through`, up to about so many bytes. */
  after(offset: number, filter: Filter, encoding: Encoding, bytes: number, through = Infinity): WindowPage {
    const frames: Frame[] = []
    const end = Math.min(this.head, offset + scanLimit)
    let cursor = offset
    const slice = new TimeSlice()
    for (let size = 0; cursor < end && cursor < through && size < bytes && !slice.isOver; ) {
      const frame = this.#frames.at(++cursor)
      const { topics, private: isPrivate = false } = frame.entry.update
      if (!filter.admits(topics, isPrivate)) continue
      frames.push(frame)
      size += frame.bytes(encoding).length
    }
    return { batch: frames.length > 0 ? new Batch(frames, encoding) : undefined, cursor }
  }
}
