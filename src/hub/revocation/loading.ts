// Waits until the list of revocations was loaded for the first time.
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
    return this.#promise !== undefined ? withinTime(this.#promise) : loaded
  }
}

/** One promise for all requests, which ask after every token. */
const loaded = Promise.resolve()

async function withinTime(loading: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const error = () => new TidingsError('log_unavailable', 'the list of revocations is not loaded')
    timer = setTimeout(() => reject(error()), timeoutMs)
  })
  await Promise.race([loading, late]).finally(() => clearTimeout(timer))
}
