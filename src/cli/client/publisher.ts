// Publishes, and tries again while the server is away or asks to be left alone. It knows nothing of where updates come from.
import type { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { Backoff } from './backoff.ts'
import { Failure, isTransient, isUntrusted, reasonOf, refusal, retryAfter } from './failure.ts'
import { type Answer, type Ask, agentFor, ask, type Target } from './target.ts'

/** How long the first wait is, in milliseconds. */
const firstWait = 500

export interface PublisherOptions {
  /** Milliseconds for which a request is tried again. */
  readonly retryTimeoutMs: number
  readonly say: (sentence: string) => void
  /** Aborted when there is no more time to wait. */
  readonly hurry: AbortSignal
}

export class Publisher {
  readonly #target: Target
  readonly #options: PublisherOptions
  readonly #agent: Agent
  readonly #backoff = new Backoff()
  #isAway = false

  constructor(target: Target, options: PublisherOptions) {
    this.#target = target
    this.#options = options
    this.#agent = agentFor(target, 1)
  }

  /**
   * Publishes a body and answers the ids, of which there have to be so many.
   * @throws Refused where trying again is no use, Failure when the time is up
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

  /** Said once, however often it is tried. */
  async #wait({ trouble, asked }: Trouble, until: number): Promise<void> {
    const wait = this.#backoff.next(firstWait, asked)
    const { hurry, say } = this.#options
    if (hurry.aborted || performance.now() + wait > until) throw new Failure(trouble)
    if (!this.#isAway) say(`${trouble}; trying again until it does`)
    this.#isAway = true
    await sleep(wait, undefined, { signal: hurry }).catch(() => {})
  }

  #accept(answer: Answer, count: number): string[] {
    if (answer.status !== 200) throw refusal(answer)
    const ids = idsIn(answer.text)
    // Whoever answers everything with 200 has published nothing.
    if (ids?.length !== count) throw new Failure(`${this.#target.base.href} answers, but not as tidings does`)
    if (this.#isAway) this.#options.say('published again')
    this.#isAway = false
    this.#backoff.reset()
    return ids
  }
}

interface Trouble {
  readonly trouble: string
  /** Milliseconds that the server asked for. */
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
