// Closes streams whose topics have all ended, once everything up to the last end was written. Streams with a pattern or `*` stay.
import { TidingsError } from '../../errors.ts'
import type { Log } from '../../log/log.ts'
import type { Audience } from '../audience.ts'
import { lastEnd } from '../history/last-end.ts'
import type { Observer } from '../observer.ts'
import type { Subscriber, SubscriberContext } from '../subscriber.ts'

/** How soon clients reconnect to get 204, at most, in milliseconds: a large audience comes back spread over this time. */
const endedRetryMs = 1_000
/** Audiences that are checked before the event loop runs: a log in this process looks their topics up in one go. */
const checkedPerTurn = 16
/** Milliseconds until a check that failed is repeated. */
const retryDelayMs = 1_000

export class Endings {
  readonly #log: Log
  readonly #context: Pick<SubscriberContext, 'epoch'>
  readonly #failed: Observer['failed']
  readonly #marked = new Set<Audience<Subscriber>>()
  #isChecking = false

  constructor(log: Log, context: Pick<SubscriberContext, 'epoch'>, failed: Observer['failed']) {
    this.#log = log
    this.#context = context
    this.#failed = failed
  }

  /** A member has caught up; it may have just received an end. */
  becameLive(audience: Audience<Subscriber>): void {
    if (audience.interest.topics !== undefined && this.#log.hasEnds) this.check(audience)
  }

  /** Checks an audience that has received an end. */
  check(audience: Audience<Subscriber>): void {
    this.#marked.add(audience)
    if (this.#isChecking) return
    this.#isChecking = true
    setImmediate(() => void this.#run())
  }

  /** Never rejects. What fails is repeated. */
  async #run(): Promise<void> {
    while (this.#marked.size > 0) {
      const audiences = [...this.#marked].slice(0, checkedPerTurn)
      for (const audience of audiences) this.#marked.delete(audience)
      const checks = await Promise.allSettled(audiences.map((audience) => this.#closeIfEnded(audience)))
      checks.forEach((check, at) => {
        if (check.status === 'rejected') this.#repeat(audiences[at] as Audience<Subscriber>, check.reason)
      })
      await new Promise(setImmediate)
    }
    this.#isChecking = false
  }

  #repeat(audience: Audience<Subscriber>, reason: unknown): void {
    if (reason instanceof TidingsError && reason.code === 'closed') return
    this.#failed?.(reason)
    const again = () => audience.members.size > 0 && this.check(audience)
    setTimeout(again, retryDelayMs).unref()
  }

  async #closeIfEnded({ interest, members }: Audience<Subscriber>): Promise<void> {
    const epoch = this.#context.epoch()
    const last = await lastEnd(this.#log, interest)
    if (last === undefined || this.#context.epoch() !== epoch) return
    for (const member of members) {
      // A member that is behind is checked again when it is live.
      if (member.state === 'behind') member.mayHaveEnded = true
      else if (member.cursor >= last) member.dismiss('ended', endedRetryMs)
    }
  }
}
