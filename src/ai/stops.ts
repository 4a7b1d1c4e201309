// Requests to stop a run, from any process: one subscription for all runs that this process writes.
import { runOf, stopsOf } from './names.ts'
import type { Store } from './stores/store.ts'

/** How long the subscription stays without a run, in milliseconds. */
const lingerMs = 10_000

/** How long the subscription may take to open, in milliseconds. */
const openTimeoutMs = 10_000

/** The reason for the end of a subscription that nobody needs. */
const closing = Symbol('close')

interface Listener {
  stopped(): void
  failed(error: unknown): void
}

/** A subscription that is used. */
interface Watch {
  readonly controller: AbortController
  /** Resolves when no later request can be missed. */
  readonly opened: Promise<void>
}

export class Stops {
  readonly #store: Store
  readonly #prefix: string
  readonly #listeners = new Map<string, Listener>()
  #watch: Watch | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(store: Store, prefix: string) {
    this.#store = store
    this.#prefix = prefix
  }

  /** Resolves when no later request can be missed, or the listener was told that the subscription fails. */
  add(runId: string, listener: Listener): Promise<void> {
    clearTimeout(this.#timer)
    this.#listeners.set(runId, listener)
    this.#watch ??= this.#begin()
    return this.#watch.opened
  }

  remove(runId: string): void {
    this.#listeners.delete(runId)
    if (this.#listeners.size === 0) this.#timer = setTimeout(() => this.close(), lingerMs).unref()
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#watch?.controller.abort(closing)
    this.#watch = undefined
  }

  #begin(): Watch {
    const controller = new AbortController()
    const opened = new Promise<void>((resolve) => {
      const timer = setTimeout(() => controller.abort(new Error('the hub does not answer')), openTimeoutMs)
      const done = () => {
        clearTimeout(timer)
        resolve()
      }
      void this.#run(controller.signal, done).then(done)
    })
    return { controller, opened }
  }

  /** Never rejects. */
  async #run(signal: AbortSignal, opened: () => void): Promise<void> {
    let error: unknown
    try {
      for await (const { topic } of this.#store.watch(stopsOf(this.#prefix), signal, opened)) {
        this.#listeners.get(runOf(this.#prefix, topic))?.stopped()
      }
    } catch (failure) {
      error = failure
    }
    if (signal.aborted) error = signal.reason
    if (error === closing) return
    // A run that cannot be stopped must not go on.
    this.#watch = undefined
    error ??= new Error('the hub has ended the subscription')
    for (const listener of this.#listeners.values()) listener.failed(error)
  }
}
