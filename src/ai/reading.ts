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

/** @throws RunError `failed`, `interrupted` or `incomplete` */
export async function* readRun(
  store: Store,
  topics: RunTopics,
  { from = 'earliest', signal }: ReadOptions,
  leaseMs: number
): AsyncGenerator<RunChunk, void> {
  const watchdog = new Watchdog(leaseMs, async () => (await tipOf(store, topics, leaseMs)).isLost)
  const abort = () => watchdog.end()
  signal?.addEventListener('abort', abort)
  if (signal?.aborted) abort()
  try {
    for await (const update of store.follow({ topics: [topics.chunks], from, signal: watchdog.signal })) {
      const end = endStatusOf(update.type)
      if (end === 'error') throw new RunError('failed', 'the run ended with an error')
      if (end) return
      watchdog.reset()
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
      this.failure = { error: new RunError('interrupted', 'the writer of the run is gone') }
    } catch (error) {
      this.failure = { error }
    }
    this.end()
  }
}
