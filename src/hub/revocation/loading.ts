// Waits until the list of revocations was loaded for the first time.
import { within } from '../../deadline.ts'
import { TidingsError } from '../../errors.ts'

/** How long a client waits for it at start, in milliseconds. */
const timeoutMs = 5_000

export class Loading {
  #promise: Promise<void> | undefined

  /** When it fails, every request fails with that error. */
  begin(promise: Promise<void>): void {
    this.#promise = promise
    const done = () => {
      this.#promise = undefined
    }
    promise.then(done, () => {})
  }

  /** @throws TidingsError `log_unavailable` when it takes too long */
  done(): Promise<void> {
    return this.#promise !== undefined ? within(timeoutMs, this.#promise, refuse) : loaded
  }
}

/** One promise for all requests, which ask after every token. */
const loaded = Promise.resolve()

function refuse(): never {
  throw new TidingsError('log_unavailable', 'the list of revocations is not loaded')
}
