// Writes one run chunk by chunk, for interfaces whose caller appends: each append resolves when the hub has the chunk.
import type { Chunk } from '../chunks.ts'
import { isStop } from '../errors.ts'
import { type EndStatus, endTypeOf, lastData } from '../names.ts'
import type { Chain } from './chain.ts'
import { stateOf } from './writer.ts'

export interface ProducerOptions {
  /** How long a run counts as running without an update, in milliseconds. */
  readonly leaseMs: number
  /** How long the caller may append nothing before it counts as gone, in milliseconds. */
  readonly silenceMs: number
  readonly ended: () => void
}

export class Producer {
  readonly #chain: Chain
  readonly #controller: AbortController
  readonly #options: ProducerOptions
  readonly #heartbeat: NodeJS.Timeout
  #calledAt = performance.now()
  #ending: Promise<void> | undefined

  /** @param controller of the run's signal, which is aborted to stop the run */
  constructor(chain: Chain, controller: AbortController, options: ProducerOptions) {
    this.#chain = chain
    this.#controller = controller
    this.#options = options
    this.#heartbeat = setInterval(() => this.#renew(), options.leaseMs / 3)
    this.#heartbeat.unref()
    controller.signal.addEventListener('abort', this.#stop)
    if (controller.signal.aborted) this.#stop()
  }

  /** @throws RunError `taken_over`, or `stopped` after a request to stop; the errors of the hub */
  async append(chunk: Chunk): Promise<void> {
    this.#controller.signal.throwIfAborted()
    this.#calledAt = performance.now()
    await this.#chain.append('chunks', [chunk])
  }

  /** False if the run was stopped. @throws RunError `taken_over`; the errors of the hub */
  async end(status: EndStatus, chunks: readonly Chunk[] = []): Promise<boolean> {
    const isFirst = this.#ending === undefined
    this.#ending ??= this.#end(status, chunks)
    await this.#ending
    return isFirst
  }

  async #end(status: EndStatus, chunks: readonly Chunk[]): Promise<void> {
    clearInterval(this.#heartbeat)
    this.#controller.signal.removeEventListener('abort', this.#stop)
    try {
      await this.#chain.append('chunks', [...chunks, { data: lastData, type: endTypeOf(status), end: true }])
    } finally {
      this.#options.ended()
    }
  }

  /** Ends the run at once. The next append rejects with the reason. */
  readonly #stop = (): void => {
    if (!isStop(this.#controller.signal.reason)) return
    // `end` rejects with the same error.
    this.end('stopped').catch(() => {})
  }

  /** Between chunks that take long, an update says that the writer is alive. */
  #renew(): void {
    const { leaseMs, silenceMs } = this.#options
    const now = performance.now()
    if (now - this.#calledAt > silenceMs) {
      clearInterval(this.#heartbeat)
      return
    }
    if (now - this.#chain.appendedAt < leaseMs / 4) return
    this.#chain.append('state', [{ data: stateOf(leaseMs) }]).catch((error: unknown) => this.#controller.abort(error))
  }
}
