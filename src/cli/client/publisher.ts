// Publishes, and retries while the server is unavailable or asks to wait.
import type { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { Backoff } from './backoff.ts'
import { Failure, isTransient, isUntrusted, reasonOf, refusal, retryAfter } from './failure.ts'
import { type Answer, type Ask, agentFor, ask, type Target } from './request.ts'

/** The delay after the first failure, in milliseconds. */
const firstDelayMs = 500

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
  readonly #backoff = new Backoff()
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
  async send(path: string, type: string, body: string | Buffer, count: number): Promise<string[]> {
    const headers = { 'Content-Type': type, Accept: 'application/json' }
    const request = { method: 'POST', path, headers, agent: this.#agent }
    const until = performance.now() + this.#options.retryTimeoutMs
    for (;;) {
      const outcome = await this.#attempt(request, body)
      if ('trouble' in outcome) await this.#wait(outcome, until)
      else return this.#accept(outcome, count)
    }
  }

  close(): void {
    this.#agent.destroy()
  }

  async #attempt(request: Ask, body: string | Buffer): Promise<Answer | Trouble> {
    try {
      const answer = await ask(this.#target, request, body)
      if (!isTransient(answer.status)) return answer
      return { trouble: refusal(answer).message, asked: retryAfter(answer.headers) }
    } catch (error) {
      const trouble = `${this.#target.base.href} cannot be reached: ${reasonOf(error as Error)}`
      if (isUntrusted(error as Error)) throw new Failure(trouble)
      return { trouble, asked: 0 }
    }
  }

  /** Reports the problem once, however many retries follow. */
  async #wait({ trouble, asked }: Trouble, until: number): Promise<void> {
    const wait = this.#backoff.next(firstDelayMs, asked)
    const { hurry, say } = this.#options
    if (hurry.aborted || performance.now() + wait > until) throw new Failure(trouble)
    if (!this.#isRetrying) say(`${trouble}; retrying`)
    this.#isRetrying = true
    await sleep(wait, undefined, { signal: hurry }).catch(() => {})
  }

  #accept(answer: Answer, count: number): string[] {
    if (answer.status !== 200) throw refusal(answer)
    const ids = idsIn(answer.text)
    // Another kind of server may answer every request with 200.
    if (ids?.length !== count) throw new Failure(`${this.#target.base.href} answers, but not as tidings does`)
    if (this.#isRetrying) this.#options.say('publishing again')
    this.#isRetrying = false
    this.#backoff.reset()
    return ids
  }
}

interface Trouble {
  readonly trouble: string
  /** The delay that the server asked for, in milliseconds. */
  readonly asked: number
}

function idsIn(text: string): string[] | undefined {
  try {
    const { ids } = JSON.parse(text) as { ids?: unknown }
    return Array.isArray(ids) ? (ids as string[]) : undefined
  } catch {
    return undefined
  }
}
