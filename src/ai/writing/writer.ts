// Writes one run: from its source to the hub, until the source ends or fails, the run is stopped, or another writer takes it over.
import { ChunkReader, type Reader, readerOf, type Source, type SourceFormat } from '../chunks.ts'
import { isStop } from '../errors.ts'
import { type EndStatus, endTypeOf, lastData } from '../names.ts'
import { Batcher } from './batcher.ts'
import type { Chain } from './chain.ts'

/** How a run was written. */
export interface RunOutcome {
  readonly status: EndStatus
  /** Why, for `error`: the error of the source, of the hub, or a RunError `exists` or `taken_over`. */
  readonly error?: unknown
}

export interface WriterOptions {
  /** The longest time between a chunk and its append, in milliseconds. */
  readonly batchMs: number
  /** How long a run counts as running without an update, in milliseconds. */
  readonly leaseMs: number
  readonly format?: SourceFormat | undefined
}

/** How long a source may take to end after a stop, in milliseconds. */
const graceMs = 2_000

export class Writer {
  readonly #chain: Chain
  readonly #options: WriterOptions
  readonly #controller: AbortController
  readonly #batcher: Batcher
  #failure: { readonly error: unknown } | undefined
  /** Ends the wait for the source. */
  #interrupt = (): void => {}
  #isInterrupted = false

  /** @param controller of the run's signal, which is aborted to stop the run */
  constructor(chain: Chain, controller: AbortController, options: WriterOptions) {
    this.#chain = chain
    this.#controller = controller
    this.#options = options
    const append = (chunks: readonly { readonly data: string }[]) => chain.append('chunks', chunks)
    this.#batcher = new Batcher(append, options.batchMs, (error) => this.#fail(error))
  }

  /** Never rejects. */
  async write(source: Source): Promise<RunOutcome> {
    const { signal } = this.#controller
    const heartbeat = setInterval(() => this.#renew(), this.#options.leaseMs / 3)
    heartbeat.unref()
    const aborted = () => {
      if (isStop(signal.reason)) setTimeout(() => this.#end(), graceMs).unref()
      else this.#fail(signal.reason)
    }
    signal.addEventListener('abort', aborted, { once: true })
    if (signal.aborted) aborted()
    try {
      await this.#pump(source)
    } catch (error) {
      this.#failure ??= { error }
    } finally {
      clearInterval(heartbeat)
      signal.removeEventListener('abort', aborted)
    }
    return this.#finish()
  }

  /** Ends the run with an error, at once. */
  #fail(error: unknown): void {
    this.#failure ??= { error }
    this.#controller.abort(error)
    this.#end()
  }

  async #pump(source: Source): Promise<void> {
    const reader = readerOf(source)
    const chunks = new ChunkReader(this.#options.format)
    try {
      for (let next = await this.#next(reader); !next.done; next = await this.#next(reader)) {
        for (const chunk of chunks.read(next.value)) {
          const isFull = this.#batcher.push(chunk)
          if (isFull !== undefined) await isFull
        }
      }
      if (!this.#isInterrupted) chunks.finish()
    } catch (error) {
      reader.cancel(error)
      throw error
    }
    if (this.#isInterrupted) reader.cancel(this.#controller.signal.reason)
  }

  /** The end also when the writer does not want more. */
  #next(reader: Reader): ReturnType<Reader['next']> {
    return new Promise((resolve, reject) => {
      this.#interrupt = () => resolve({ done: true })
      reader.next().then(resolve, reject)
      if (this.#isInterrupted) this.#interrupt()
    })
  }

  #end(): void {
    this.#isInterrupted = true
    this.#interrupt()
  }

  /** Between chunks that take long, an update says that the writer is alive. */
  #renew(): void {
    if (performance.now() - this.#chain.appendedAt < this.#options.leaseMs / 4) return
    this.#chain.append('state', [{ data: stateOf(this.#options.leaseMs) }]).catch((error: unknown) => this.#fail(error))
  }

  async #finish(): Promise<RunOutcome> {
    await this.#batcher.finish().catch((error: unknown) => {
      this.#failure ??= { error }
    })
    const status = this.#status
    try {
      await this.#chain.append('chunks', [{ data: lastData, type: endTypeOf(status), end: true }])
    } catch (error) {
      return this.#failed(this.#failure?.error ?? error)
    }
    return status === 'error' ? this.#failed(this.#failure?.error) : { status }
  }

  #failed(error: unknown): RunOutcome {
    // A source that has not noticed the abort may still be working.
    this.#controller.abort(error)
    return { status: 'error', error }
  }

  /** A source that was stopped may fail with the reason of its signal. */
  get #status(): EndStatus {
    const { aborted, reason } = this.#controller.signal
    if (aborted && isStop(reason)) return 'stopped'
    return this.#failure ? 'error' : 'done'
  }
}

/** The data of an update that says that the run is being written. */
export function stateOf(leaseMs: number): string {
  return JSON.stringify({ lease: leaseMs })
}
