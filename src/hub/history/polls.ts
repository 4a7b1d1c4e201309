// Clients that wait for the next update without a stream. An update wakes those whose interest admits it.
import type { Audiences } from '../audiences.ts'
import type { Interest } from '../interest.ts'

export class Polls<Member> {
  readonly #audiences: Audiences<Member>
  readonly #waiting = new Set<() => void>()

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
        this.#audiences.release(audience)
        resolve()
      }
      const timer = setTimeout(wake, ms)
      this.#waiting.add(wake)
      audience.waiting.add(wake)
      signal?.addEventListener('abort', wake)
      if (signal?.aborted) wake()
    })
  }

  /** Wakes everyone: the log skipped entries or started over, or the hub stops. */
  wakeAll(): void {
    for (const wake of this.#waiting) wake()
  }
}
