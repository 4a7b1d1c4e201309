// The updates that wait for an iteration. A full queue asks its producer to wait.

/** Items that wait before the producer has to. */
const maxItems = 64

export class Queue<T> {
  /** The first item stays until the consumer asks for the next one: until then, it may still be busy with it. */
  readonly #items: T[] = []
  #isTaken = false
  #changed = (): void => {}
  #drained = (): void => {}
  #isOver = false

  /** The oldest item that the consumer has not finished. */
  get oldest(): T | undefined {
    return this.#items[0]
  }

  get size(): number {
    return this.#items.length
  }

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

  /** Waits for the next item, and finishes the one before. Undefined at the end. */
  async next(): Promise<T | undefined> {
    this.finish()
    while (this.#items.length === 0) {
      if (this.#isOver) return undefined
      await new Promise<void>((resolve) => {
        this.#changed = resolve
      })
    }
    this.#isTaken = true
    return this.#items[0]
  }

  /** The consumer has finished the item that it took. */
  finish(): void {
    if (!this.#isTaken) return
    this.#isTaken = false
    this.#items.shift()
    if (this.#items.length === 0) this.#drained()
  }
}
