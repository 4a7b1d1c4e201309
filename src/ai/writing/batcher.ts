// Collects chunks for a moment, and appends them together.
import type { Chunk } from '../chunks.ts'

/** The most characters and chunks of a batch. A request of a server has at most 1 MiB and 10,000 updates. */
const maxLength = 128 * 1_024
const maxChunks = 1_000

export class Batcher {
  readonly #append: (chunks: readonly Chunk[]) => Promise<void>
  readonly #batchMs: number
  readonly #failed: (error: unknown) => void
  #pending: Chunk[] = []
  #length = 0
  #begunAt = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined
  #flushing: Promise<void> | undefined
  /** Why an append failed. What comes after it would follow a hole. */
  #failure: { readonly error: unknown } | undefined

  /** @param failed called when an append fails that nobody waits for */
  constructor(append: (chunks: readonly Chunk[]) => Promise<void>, batchMs: number, failed: (error: unknown) => void) {
    this.#append = append
    this.#batchMs = batchMs
    this.#failed = failed
  }

  /** Returns a promise if too much is pending. It rejects if the append fails. @throws the error of an append that has failed */
  push(chunk: Chunk): void | Promise<void> {
    if (this.#failure) throw this.#failure.error
    this.#pending.push(chunk)
    this.#length += chunk.data.length
    if (this.#isFull) return this.#makeRoom()
    this.#schedule()
  }

  /** Appends everything. After a failure there is nothing to append. */
  async finish(): Promise<void> {
    while (this.#pending.length > 0 || this.#flushing !== undefined) await this.#flush()
  }

  async #makeRoom(): Promise<void> {
    while (this.#isFull) await this.#flush()
    this.#schedule()
  }

  get #isFull(): boolean {
    return this.#length >= maxLength || this.#pending.length >= maxChunks
  }

  /** The first chunk leaves at once, and a batch at most every `batchMs`. */
  #schedule(): void {
    if (this.#timer || this.#flushing || this.#pending.length === 0) return
    const delay = Math.max(0, this.#begunAt + this.#batchMs - performance.now())
    this.#timer = setTimeout(() => this.#flush().catch(this.#failed), delay)
  }

  #flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#flushing ??= this.#flushOnce()
    return this.#flushing
  }

  async #flushOnce(): Promise<void> {
    const chunks = this.#pending
    this.#pending = []
    this.#length = 0
    this.#begunAt = performance.now()
    try {
      await this.#append(chunks)
    } catch (error) {
      this.#failure = { error }
      this.#pending = []
      this.#length = 0
      throw error
    } finally {
      this.#flushing = undefined
    }
    this.#schedule()
  }
}
