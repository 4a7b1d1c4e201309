// Publishes at a rate, or as fast as the number of concurrent requests allows, and records what was acknowledged.
import { setMaxListeners } from 'node:events'
import type { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { isTransient } from '../../client/errors.ts'
import { Failure, reasonOf, refusal } from '../client/failure.ts'
import { agentFor, ask, type Target } from '../client/request.ts'
import { dataFor } from './subscriber.ts'

export interface PublishPlan {
  readonly topics: readonly string[]
  /** Updates per second; 0 for as many as possible. */
  readonly rate: number
  readonly inFlight: number
  readonly size: number
}

export class Publishers {
  readonly #target: Target
  readonly #plan: PublishPlan
  readonly #agent: Agent
  /** The numbers of acknowledged updates, by topic. */
  readonly acknowledged: number[][]
  published = 0
  failed = 0
  trouble: string | undefined
  #next = 0
  #began = 0

  constructor(target: Target, plan: PublishPlan) {
    this.#target = target
    this.#plan = plan
    this.#agent = agentFor(target, plan.inFlight)
    this.acknowledged = plan.topics.map(() => [])
  }

  /** Publishes until `stop`. @throws Failure if publishing is refused and a retry would not help */
  async run(stop: AbortSignal): Promise<void> {
    this.#began = performance.now()
    // Each worker adds a listener.
    setMaxListeners(0, stop)
    try {
      await Promise.all(Array.from({ length: this.#plan.inFlight }, () => this.#work(stop)))
    } finally {
      this.#agent.destroy()
    }
  }

  async #work(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const number = this.#next++
      if (!(await this.#isDue(number, stop))) return
      await this.#publish(number)
    }
  }

  /** Waits until the update is due. Returns false if the run ended first. */
  async #isDue(number: number, stop: AbortSignal): Promise<boolean> {
    const { rate } = this.#plan
    if (rate === 0) return true
    const wait = this.#began + (number * 1_000) / rate - performance.now()
    if (wait > 0) await sleep(wait, undefined, { signal: stop }).catch(() => {})
    return !stop.aborted
  }

  /** The updates of each topic are numbered from 0. */
  async #publish(number: number): Promise<void> {
    const { topics, size } = this.#plan
    const index = number % topics.length
    const own = Math.floor(number / topics.length)
    const path = `publish?topic=${topics[index]}`
    const request = { method: 'POST', path, headers: { 'Content-Type': 'text/plain' }, agent: this.#agent }
    try {
      const answer = await ask(this.#target, request, dataFor(own, performance.now(), size))
      if (answer.status !== 200) throw refusal(answer)
      this.published++
      this.acknowledged[index]?.push(own)
    } catch (error) {
      this.#fail(error as Error)
    }
  }

  /** A busy or unreachable server is part of the result. A refusal ends the run. */
  #fail(error: Error & { readonly status?: number }): void {
    if (error instanceof Failure && error.status !== undefined && !isTransient(error.status)) throw error
    this.failed++
    this.trouble = reasonOf(error)
  }
}
