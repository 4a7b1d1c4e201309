// Clients that wait for the next update without a stream. An update wakes those whose interest admits it.
import type { Audiences } from '../audiences.ts'
import type { Interest } from '../interest.ts'

/** Clients that are woken in one turn of the event loop. Each costs a response, and streams must not wait for a thousand of them. */
const wokenPerTurn = 8

/** How long the audience of a pattern stays without a client, in milliseconds. */
const lingerMs = 2_000

export class Polls<Member> {
  readonly #audiences: Audiences<Member>
  readonly #waiting = new Set<() => void>()
  /** Those that were woken, in order. */
  #woken: (() => void)[] = []
  #isWaking = false

  constructor(audiences: Audiences<Member>) {
    this.#audiences = audiences
  }

  get size(): number {
    return this.#waiting.size
  }

  /** Resolves when an entry arrives that the interest admits, after so many milliseconds, or when the signal is aborted. */
  wait(interest: Interest, ms: number, signal: AbortSignal | undefined): Promise<void> {
    const audience = this.#audiences.for(interest)
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', wake)
        this.#waiting.delete(wake)
        audience.waiting.delete(wake)
        // A pattern that comes and goes costs every publish a search, and its client will be back.
        if (interest.topics) this.#audiences.release(audience)
        else setTimeout(() => this.#audiences.release(audience), lingerMs).unref()
        this.#woken.push(resolve)
        this.#schedule()
      }
      const timer = setTimeout(wake, ms)
      this.#waiting.add(wake)
      audience.waiting.add(wake)
      signal?.addEventListener('abort', wake)
      if (signal?.aborted) wake()
    })
  }

  #schedule(): void {
    if (this.#isWaking) return
    this.#isWaking = true
    setImmediate(this.#wakeSome)
  }

  readonly #wakeSome = (): void => {
    for (const resolve of this.#woken.splice(0, wokenPerTurn)) resolve()
    this.#isWaking = false
    if (this.#woken.length > 0) this.#schedule()
  }

  /** Wakes everyone: the log skipped entries or started over, or the hub stops. */
  wakeAll(): void {
    for (const wake of this.#waiting) wake()
  }
}
