// Subscribers with the same interest, and the frames that wait for the next sweep of them. An entry is matched once for each
// audience, and encoded once for all its members.
import { Batch, countThatFit } from './delivery/batch.ts'
import type { Frame } from './delivery/frame.ts'
import type { Interest } from './interest.ts'

export class Audience<Member> {
  readonly interest: Interest
  readonly members = new Set<Member>()
  /** Called once for the next entry, for clients that wait without a stream. Empty for most audiences, so it is made when needed. */
  #waiting: Set<() => void> | undefined
  /** Whether an end was pushed that no sweep has completed yet, and that may end the streams of all members. */
  isEnding = false
  #pending: Frame[] = []
  #pendingBytes = 0

  constructor(interest: Interest) {
    this.interest = interest
  }

  /** Number of entries that wait for the next sweep. */
  get pending(): number {
    return this.#pending.length
  }

  get waiting(): Set<() => void> {
    this.#waiting ??= new Set()
    return this.#waiting
  }

  /** Whether nobody uses it any more. */
  get isUnused(): boolean {
    return this.members.size === 0 && (this.#waiting === undefined || this.#waiting.size === 0)
  }

  /** The offset of the oldest of them. */
  get firstPending(): number | undefined {
    return this.#pending[0]?.offset
  }

  /** Adds a frame for the next sweep, and returns the size of all pending entries in bytes. */
  push(frame: Frame): number {
    if (frame.entry.update.end && this.interest.topics !== undefined) this.isEnding = true
    if (this.#waiting) for (const wake of this.#waiting) wake()
    this.#pending.push(frame)
    this.#pendingBytes += frame.size
    return this.#pendingBytes
  }

  /** Takes the oldest pending frames, up to about so many bytes; undefined when there are none. */
  take(bytes: number): Batch | undefined {
    if (this.#pending.length === 0) return undefined
    const { encoding } = this.interest
    const frames = this.#pending.splice(0, countThatFit(this.#pending, encoding, bytes))
    for (const frame of frames) this.#pendingBytes -= frame.size
    return new Batch(frames, encoding)
  }

  /** Drops everything that is pending; live members then have to catch up. */
  drop(): void {
    this.#pending = []
    this.#pendingBytes = 0
  }
}
