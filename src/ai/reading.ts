// Reads a run: its chunks, and how it ended. It notices when the writer is gone.
import { RunError } from './errors.ts'
import { endStatusOf, type RunTopics } from './names.ts'
import { tipOf } from './status.ts'
import type { Store } from './stores/store.ts'

export interface RunChunk {
  /** The value of `from` to continue after this chunk. */
  readonly id: string
  /** As it was written: JSON for values that are no text. */
  readonly data: string
  /** The type of the event; `message` by default. */
  readonly type: string
}

export interface ReadOptions {
  /** Continue after the chunk with this id. Default: from the beginning. */
  readonly from?: string | undefined
  /** Ends the iteration when it is aborted. */
  readonly signal?: AbortSignal | undefined
}

/** @throws RunError `failed`, `interrupted`, `incomplete` or `deleted` */
export async function* readRun(
  store: Store,
  topics: RunTopics,
  { from = 'earliest', signal }: ReadOptions,
  leaseMs: number
): AsyncGenerator<RunChunk, void> {
  const watchdog = new Watchdog(leaseMs, async () => (await tipOf(store, topics, leaseMs)).isLost)
  let hasRead = from !== 'earliest'
  // A reader from the beginning also hears of what was deleted before the run began again.
  const deleted = () => void watchdog.endIf(async () => hasRead || (await tipOf(store, topics, leaseMs)).isDeleted)
  const abort = () => watchdog.end()
  signal?.addEventListener('abort', abort)
  if (signal?.aborted) abort()
  try {
    const following = { topics: [topics.chunks], from, signal: watchdog.signal, deleted }
    for await (const update of store.follow(following)) {
      const end = endStatusOf(update.type)
      if (end === 'error') throw new RunError('failed', 'the run ended with an error')
      if (end) return
      watchdog.reset()
      hasRead = true
      yield { id: update.id, data: update.data, type: update.type }
    }
    if (watchdog.failure) throw watchdog.failure.error
  } finally {
    signal?.removeEventListener('abort', abort)
    watchdog.end()
  }
}

/** Looks after a silence whether the writer is gone, and aborts its signal then. */
class Watchdog {
  failure: { readonly error: unknown } | undefined
  readonly #controller = new AbortController()
  readonly #ms: number
  readonly #isLost: () => Promise<boolean>
  #timer: NodeJS.Timeout | undefined

  constructor(ms: number, isLost: () => Promise<boolean>) {
    this.#ms = ms
    this.#isLost = isLost
    this.reset()
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  reset(): void {
    clearTimeout(this.#timer)
    if (!this.signal.aborted) this.#timer = setTimeout(() => void this.#look(), this.#ms)
  }

  /** Ends with `deleted` if it was. Never rejects. */
  async endIf(wasDeleted: () => Promise<boolean>): Promise<void> {
    try {
      if (!(await wasDeleted())) return
      this.failure ??= { error: new RunError('deleted', 'the run was deleted') }
    } catch (error) {
      this.failure ??= { error }
    }
    this.end()
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#controller.abort()
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    try {
      if (!(await this.#isLost())) {
        this.reset()
        return
      }
      this.failure = { error: new RunError('interrupted', 'the writer of the run stopped before the run was complete') }
    } catch (error) {
      this.failure = { error }
    }
    this.end()
  }
}
