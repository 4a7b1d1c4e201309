// Runs at most a given number of tasks at a time; the others wait in order.

export class Semaphore {
  #free: number
  readonly #waiting = new Set<() => void>()

  constructor(most: number) {
    this.#free = most
  }

  /** Runs the task when a slot is free. Rejects with the reason of the signal when that is aborted first. */
  async run<Result>(work: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    await this.#acquire(signal)
    try {
      return await work()
    } finally {
      this.#release()
    }
  }

  #acquire(signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    if (this.#free > 0) {
      this.#free--
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      const gone = () => {
        this.#waiting.delete(begin)
        reject(signal?.reason)
      }
      const begin = () => {
        signal?.removeEventListener('abort', gone)
        resolve()
      }
      this.#waiting.add(begin)
      signal?.addEventListener('abort', gone)
    })
  }

  #release(): void {
    const [next] = this.#waiting
    if (!next) this.#free++
    else {
      this.#waiting.delete(next)
      next()
    }
  }
}
