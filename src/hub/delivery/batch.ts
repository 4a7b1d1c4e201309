// Frames that leave in one write, joined once for all members of an audience.
import type { Entry } from '../../log/log.ts'
import type { Encoding, Frame } from './frame.ts'

/** One or more frames of one audience, oldest first. */
export class Batch {
  readonly bytes: Buffer
  readonly #frames: readonly Frame[]
  readonly #encoding: Encoding

  constructor(frames: readonly Frame[], encoding: Encoding) {
    this.#frames = frames
    this.#encoding = encoding
    this.bytes = join(frames, encoding)
  }

  get entries(): number {
    return this.#frames.length
  }

  /** The entries themselves, for a connection that needs no text. */
  get contents(): readonly Entry[] {
    return this.#frames.map(({ entry }) => entry)
  }

  /** Whether one of them ends its topics. */
  get hasEnd(): boolean {
    return this.#frames.some(({ entry }) => entry.update.end)
  }

  get first(): number {
    return (this.#frames[0] as Frame).offset
  }

  get last(): number {
    return (this.#frames.at(-1) as Frame).offset
  }

  /** When the oldest of them was appended, in milliseconds since 1970. */
  get oldestTime(): number {
    return (this.#frames[0] as Frame).entry.time
  }

  /** The frames after an offset, for a subscriber that has the others. */
  after(offset: number): Batch {
    return new Batch(
      this.#frames.filter((frame) => frame.offset > offset),
      this.#encoding
    )
  }
}

function join(frames: readonly Frame[], encoding: Encoding): Buffer {
  const [only] = frames
  if (frames.length === 1 && only) return only.bytes(encoding)
  return Buffer.concat(frames.map((frame) => frame.bytes(encoding)))
}

/** How many of these frames fit into a batch of so many bytes; at least one. */
export function countThatFit(frames: readonly Frame[], encoding: Encoding, bytes: number): number {
  let total = 0
  const over = frames.findIndex((frame) => {
    total += frame.bytes(encoding).length
    return total > bytes
  })
  return over === -1 ? frames.length : Math.max(1, over)
}
