// The connection of a consumer in this process: a short queue of entries. When the queue is full, the subscriber is behind, and
// continues from the log, so a slow consumer costs no more memory than a slow client.
import type { Entry } from '../../log/log.ts'
import type { CloseReason, Connection, EntryBatch } from '../connection.ts'

/** Bytes of unread entries that make the connection full. One batch may exceed it. */
const highWaterMark = 64 * 1_024

interface Unread {
  readonly entries: readonly Entry[]
  readonly bytes: number
}

export class QueueConnection implements Connection {
  readonly address = 'this process'
  #unread: Unread[] = []
  #bytes = 0
  #isFull = false
  #ended: CloseReason | undefined
  #drained = (): void => {}
  #changed = (): void => {}

  get buffered(): number {
    return this.#bytes
  }

  /** Why the stream ended; undefined while it lasts. */
  get ended(): CloseReason | undefined {
    return this.#ended
  }

  write(bytes: Buffer, batch?: EntryBatch): boolean {
    if (!batch) return true
    this.#unread.push({ entries: batch.contents, bytes: bytes.length })
    this.#bytes += bytes.length
    this.#isFull = this.#bytes >= highWaterMark
    this.#changed()
    return !this.#isFull
  }

  onDrain(drained: () => void): void {
    this.#drained = drained
  }

  end(reason: CloseReason): void {
    this.#ended ??= reason
    this.#changed()
  }

  /** Waits for the next entries. Undefined once the stream has ended and everything was taken, or when the signal is aborted. */
  async next(signal: AbortSignal | undefined): Promise<readonly Entry[] | undefined> {
    while (!signal?.aborted) {
      const next = this.#take()
      if (next || this.#ended) return next
      await this.#change(signal)
    }
    return undefined
  }

  #take(): readonly Entry[] | undefined {
    const next = this.#unread.shift()
    if (!next) return undefined
    this.#bytes -= next.bytes
    // The hub writes the next page while the consumer works on this one.
    if (this.#isFull && this.#bytes === 0) {
      this.#isFull = false
      this.#drained()
    }
    return next.entries
  }

  #change(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      this.#changed = () => {
        signal?.removeEventListener('abort', this.#changed)
        this.#changed = () => {}
        resolve()
      }
      signal?.addEventListener('abort', this.#changed)
    })
  }
}
