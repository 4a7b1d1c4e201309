// Writes to live subscribers what has arrived for their audience. It knows neither log nor window: who is not where a batch
// begins is not its business. Nothing here waits, and nothing is encoded per subscriber.
import type { Audience } from '../audience.ts'
import type { Observer } from '../observer.ts'
import type { Subscriber } from '../subscriber.ts'
import type { Batch } from './batch.ts'

/** How long a slice lasts before the event loop has its turn, in milliseconds. */
const sliceMs = 1
/** Members written to between two looks at the clock. */
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
    // A set's iterator goes on correctly when members come and go meanwhile.
    this.#members = audience.members.values()
  }

  /** Goes on until the time is up; true when every member has been visited. */
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
    // Someone who caught up between two entries of this batch has its beginning already.
    const batch = subscriber.cursor < this.#batch.first ? this.#batch : this.#batch.after(subscriber.cursor)
    this.#writes++
    this.#deliveries += batch.entries
    this.#bytes += batch.bytes.length
    subscriber.send(batch.bytes, batch.last)
  }
}

/** Sweeps every audience for which something has arrived, in turn, in slices. */
export class Sweeper {
  readonly #batchBytes: number
  readonly #observer: Required<Observer>
  /** Whose turn it is, in order, with the sweep that they are in. An audience has one at a time: batches follow each other. */
  readonly #turns = new Map<Audience<Subscriber>, Sweep | undefined>()
  #immediate: NodeJS.Immediate | undefined

  /** @param batchBytes about how many bytes one write may hold */
  constructor(batchBytes: number, observer: Required<Observer>) {
    this.#batchBytes = batchBytes
    this.#observer = observer
  }

  /** Has an audience swept soon; what arrives until then goes out with it. */
  mark(audience: Audience<Subscriber>): void {
    if (!this.#turns.has(audience)) this.#turns.set(audience, undefined)
    this.#schedule()
  }

  /** Whoever is live in an audience for which nothing is pending has everything so far, also what it did not want. */
  completeUpTo(audience: Audience<Subscriber>, head: number): void {
    if (this.#turns.has(audience)) return
    for (const subscriber of audience.members) {
      if (subscriber.state === 'live') subscriber.cursor = Math.max(subscriber.cursor, head)
    }
  }

  /** Writes all that is pending, and goes no further. */
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

  /** Who is not done goes to the end of the line, so that a small audience does not wait for a large one. */
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
  }
}
