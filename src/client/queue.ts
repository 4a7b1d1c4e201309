// The updates that wait for an iteration. A full queue asks its producer to wait.

/** Items that wait before the producer has to. */
const maxItems = 64

export class Queue<T> {
  readonly #items: T[] = []
  #changed = (): void => {}
  #drained = (): void => {}
  #isOver = false

  /** Returns a promise if the producer has to wait. */
  push(item: T): void | Promise<void> {
    if (this.#isOver) return
    this.#items.push(item)
    this.#changed()
    if (this.#items.length < maxItems) return
    return new Promise((resolve) => {
      this.#drained = resolve
    })
  }

  /** Nothing more will come. What waits can still be taken. */
  end(): void {
    this.#isOver = true
    this.#changed()
    this.#drained()
  }

  /** Waits for the next item. Undefined at the end. */
  async next(): Promise<T | undefined> {
    while (this.#items.length === 0) {
      if (this.#isOver) return undefined
      await new Promise<void>((resolve) => {
        this.#changed = resolve
      })
    }
    const item = this.#items.shift()
    if (this.#items.length === 0) this.#drained()
    return item
  }
}
