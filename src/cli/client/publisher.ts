// Publishes with the client of tidings, over the connections and with the words of a command.
import type { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { isTransient, RefusedError } from '../../client/errors.ts'
import { idsIn, post, randomKey } from '../../client/post.ts'
import { Failure, Refused } from './failure.ts'
import { fetchFrom } from './fetch.ts'
import { agentFor, type Target } from './request.ts'

export interface PublisherOptions {
  /** For how many milliseconds a request is retried. */
  readonly retryTimeoutMs: number
  readonly say: (sentence: string) => void
  /** Aborted to give up instead of waiting for a retry. */
  readonly hurry: AbortSignal
}

export class Publisher {
  readonly #target: Target
  readonly #options: PublisherOptions
  readonly #agent: Agent
  #isRetrying = false

  constructor(target: Target, options: PublisherOptions) {
    this.#target = target
    this.#options = options
    this.#agent = agentFor(target, 1)
  }

  /**
   * Publishes a body, and returns the ids of its updates.
   * @param count how many updates the body has
   * @throws Refused if a retry would not help, Failure when the time is up
   */
  async send(path: string, type: string, body: string | Buffer<ArrayBuffer>, count: number): Promise<string[]> {
    const request = { url: new URL(path, this.#target.base), type, body, key: randomKey() }
    const options = { fetch: fetchFrom(this.#target, this.#agent), retryTimeout: this.#options.retryTimeoutMs }
    try {
      const ids = idsIn(await post(request, options, (ms, _, error) => this.#wait(ms, error as Error)), count)
      if (this.#isRetrying) this.#options.say('publishing again')
      this.#isRetrying = false
      return ids
    } catch (error) {
      throw failureOf(error as Error, this.#target)
    }
  }

  close(): void {
    this.#agent.destroy()
  }

  /** Reports the problem once, however many retries follow. */
  async #wait(ms: number, error: Error): Promise<void> {
    const { hurry, say } = this.#options
    if (hurry.aborted) throw error
    if (!this.#isRetrying) say(`${error.message}; retrying`)
    this.#isRetrying = true
    await sleep(ms, undefined, { signal: hurry }).catch(() => {})
  }
}

/** A request that could succeed later is not refused: the time for retries is over. */
function failureOf(error: Error, { base }: Target): Failure {
  if (!(error instanceof RefusedError)) return new Failure(error.message)
  const { code, status, message } = error
  // Another kind of server may answer every request with 200.
  if (code === 'not_a_hub') return new Failure(`${base.href} answers, but is not a tidings server; check the URL`)
  return status === 0 || isTransient(status) ? new Failure(message) : new Refused(status, message)
}
