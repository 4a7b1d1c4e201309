// Writes pending frames to the live members of each audience. Nothing here awaits, and nothing is encoded per subscriber.
import type { Audience } from '../audience.ts'
import type { Observer } from '../observer.ts'
import type { Subscriber } from '../subscriber.ts'
import type { Batch } from './batch.ts'

/** Duration of a slice in milliseconds; then the event loop runs. */
const sliceMs = 1
/** Writes between two checks of the clock. */
const stride = 16

/** One pass over an audience. */
class Sweep {
  readonly #batch: Batch
  readonly #members: Iterator<Subscriber>
  #writes = 0
  #deliveries = 0
  #bytes = 0

  constructor(audience: Audience<Subscriber>, batch: Batch) {
    this.#batch = batch
    // The iterator of a set stays correct when members come and go.
    this.#members = audience.members.values()
  }

  /** The offsets of its batch. */
  get first(): number {
    return this.#batch.first
  }

  get last(): number {
    return this.#batch.last
  }

  /** Continues until the time is up. Returns true when every member was visited. */
  advance(until: number): boolean {
    for (let count = 1; ; count++) {
      const next = this.#members.next()
      if (next.done) return true
      this.#visit(next.value)
      if (count % stride === 0 && performance.now() >= until) return false
    }
  }

  report(observer: Required<Observer>): void {
    if (this.#writes === 0) return
    const { entries, oldestTime } = this.#batch
    observer.delivered({ by: 'sweep', entries, deliveries: this.#deliveries, bytes: this.#bytes, oldestTime })
  }

  #visit(subscriber: Subscriber): void {
    if (subscriber.state !== 'live' || subscriber.cursor >= this.#batch.last) return
    // A member that caught up between two entries of this batch has its beginning already.
    const batch = subscriber.cursor < this.#batch.first ? this.#batch : this.#batch.after(subscriber.cursor)
    this.#writes++
    this.#deliveries += batch.entries
    this.#bytes += batch.bytes.length
    subscriber.send(batch.bytes, batch.last, batch)
  }
}

/** Sweeps audiences with pending frames, in turn, in slices. */
export class Sweeper {
  readonly #batchBytes: number
  readonly #observer: Required<Observer>
  readonly #ended: (audience: Audience<Subscriber>) => void
  /** Audiences in the order of their turns, with their sweep in progress. An audience has one sweep at a time, so batches stay in order. */
  readonly #turns = new Map<Audience<Subscriber>, Sweep | undefined>()
  #immediate: NodeJS.Immediate | undefined

  /**
   * @param batchBytes approximate maximum of bytes in one write
   * @param ended called when the live members of an audience have received an end
   */
  constructor(batchBytes: number, observer: Required<Observer>, ended: (audience: Audience<Subscriber>) => void) {
    this.#batchBytes = batchBytes
    this.#observer = observer
    this.#ended = ended
  }

  /** Schedules a sweep of an audience. Entries that arrive until then are part of it. */
  mark(audience: Audience<Subscriber>): void {
    if (!this.#turns.has(audience)) this.#turns.set(audience, undefined)
    this.#schedule()
  }

  /** Moves the cursors of live members of an audience without pending frames: they have everything up to the head. */
  completeUpTo(audience: Audience<Subscriber>, head: number): void {
    if (this.#turns.has(audience)) return
    for (const subscriber of audience.members) {
      if (subscriber.state === 'live') subscriber.cursor = Math.max(subscriber.cursor, head)
    }
  }

  /** Moves the cursor of one live member as far as it is complete: up to what its audience has yet to write to it, or the head. */
  complete(subscriber: Subscriber, head: number): void {
    const { state, audience, cursor } = subscriber
    if (state !== 'live') return
    const begun = this.#turns.get(audience)
    const pendingFrom = audience.firstPending ?? head + 1
    // A sweep visits each live member once. One that it has yet to visit is before its batch.
    const next = begun && cursor < begun.last ? begun.first : pendingFrom
    subscriber.cursor = Math.max(cursor, next - 1)
  }

  /** Writes everything that is pending, and stops. */
  finish(): void {
    for (const [audience, begun] of this.#turns) {
      this.#turns.delete(audience)
      this.#turn(audience, begun, Infinity)
    }
    this.stop()
  }

  stop(): void {
    clearImmediate(this.#immediate)
    this.#immediate = undefined
    this.#turns.clear()
  }

  #schedule(): void {
    if (this.#turns.size > 0) this.#immediate ??= setImmediate(this.#slice)
  }

  readonly #slice = (): void => {
    this.#immediate = undefined
    const until = performance.now() + sliceMs
    for (const [audience, begun] of this.#turns) {
      this.#turns.delete(audience)
      this.#turn(audience, begun, until)
      if (performance.now() >= until) break
    }
    this.#schedule()
  }

  /** An unfinished audience goes to the end of the queue, so that a small one does not wait for a large one. */
  #turn(audience: Audience<Subscriber>, begun: Sweep | undefined, until: number): void {
    const batch = begun ? undefined : audience.take(this.#batchBytes)
    const sweep = batch ? new Sweep(audience, batch) : begun
    if (!sweep) return
    if (!sweep.advance(until)) {
      this.#turns.set(audience, sweep)
      return
    }
    sweep.report(this.#observer)
    if (audience.pending > 0) this.#turns.set(audience, undefined)
    else if (audience.isEnding) {
      audience.isEnding = false
      this.#ended(audience)
    }
  }
}
