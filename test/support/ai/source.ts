// A source of chunks that a test controls: it gives what the test pushes, when the test pushes it.

export class TestSource implements AsyncIterable<unknown> {
  readonly #values: unknown[] = []
  #changed = () => {}
  #isOver = false
  #error: unknown
  /** How many values the writer has taken. */
  taken = 0
  isCancelled = false

  push(...values: unknown[]): void {
    this.#values.push(...values)
    this.#changed()
  }

  end(): void {
    this.#isOver = true
    this.#changed()
  }

  fail(error: unknown): void {
    this.#error = error
    this.end()
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown> {
    return {
      next: async () => {
        while (this.#values.length === 0 && !this.#isOver) {
          await new Promise<void>((resolve) => {
            this.#changed = resolve
          })
        }
        if (this.#values.length > 0) {
          this.taken++
          return { done: false, value: this.#values.shift() }
        }
        if (this.#error) throw this.#error
        return { done: true, value: undefined }
      },
      return: () => {
        this.isCancelled = true
        return Promise.resolve({ done: true, value: undefined })
      }
    }
  }
}
