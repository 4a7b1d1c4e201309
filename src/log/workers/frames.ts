// Frames between the primary and its workers: a length of four bytes, then a value in MessagePack. See docs/decisions/0028.
import { Packr } from 'msgpackr'

/** Without records: each frame can be read alone. */
const packr = new Packr({ useRecords: false })
const headerSize = 4

export function encodeFrame(value: unknown): Buffer {
  const bytes = packr.pack(value)
  const frame = Buffer.allocUnsafe(headerSize + bytes.length)
  frame.writeUInt32LE(bytes.length, 0)
  frame.set(bytes, headerSize)
  return frame
}

/** Splits what a socket receives into frames. */
export class FrameReader {
  #chunks: Buffer[] = []
  #size = 0
  /** The size of the next frame with its header, once it is known. */
  #needed = headerSize

  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#size += chunk.length
  }

  /** The next complete frame, decoded; undefined when there is none yet. No frame is the value undefined. */
  next(): unknown {
    if (this.#size < this.#needed) return undefined
    // A large frame arrives in many chunks, which are joined once.
    const bytes = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks)
    const needed = headerSize + bytes.readUInt32LE(0)
    const isComplete = bytes.length >= needed
    this.#keep(isComplete ? bytes.subarray(needed) : bytes)
    this.#needed = isComplete ? this.#nextNeeded() : needed
    return isComplete ? packr.unpack(bytes.subarray(headerSize, needed)) : undefined
  }

  #keep(bytes: Buffer): void {
    this.#chunks = bytes.length > 0 ? [bytes] : []
    this.#size = bytes.length
  }

  #nextNeeded(): number {
    return this.#size < headerSize ? headerSize : headerSize + (this.#chunks[0] as Buffer).readUInt32LE(0)
  }
}
