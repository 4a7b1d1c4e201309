// Closes streams whose topics have all ended, once everything up to the last end was written. Streams with a pattern or `*` stay.
import type { Log } from '../../log/log.ts'
import type { Audience } from '../audience.ts'
import { lastOf } from '../history/last-end.ts'
import type { Observer } from '../observer.ts'
import type { Subscriber, SubscriberContext } from '../subscriber.ts'

/** How soon clients reconnect to get 204, at most, in milliseconds: a large audience comes back spread over this time. */
const endedRetryMs = 1_000
/** Audiences that are checked before the event loop runs: a log in this process looks all their topics up in one go. */
const checkedPerTurn = 64

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

  /** Checks an audience that has received an end. Audiences that end together share a question to the log. */
  check(audience: Audience<Subscriber>): void {
    this.#marked.add(audience)
    if (this.#isChecking) return
    this.#isChecking = true
    setImmediate(() => void this.#run())
  }

  /** Never rejects. A stream that stays open by a failure ends with the next end, or gets 204 when it reconnects. */
  async #run(): Promise<void> {
    while (this.#marked.size > 0) {
      const audiences = [...this.#marked].slice(0, checkedPerTurn)
      for (const audience of audiences) this.#marked.delete(audience)
      try {
        await this.#closeEnded(audiences)
      } catch (error) {
        this.#failed?.(error)
      }
      await new Promise(setImmediate)
    }
    this.#isChecking = false
  }

  async #closeEnded(audiences: readonly Audience<Subscriber>[]): Promise<void> {
    const topics = [...new Set(audiences.flatMap(({ interest }) => interest.topics ?? []))]
    const epoch = this.#context.epoch()
    const ends = await this.#log.ends(topics)
    if (this.#context.epoch() !== epoch) return
    const byTopic = new Map(topics.map((topic, at) => [topic, ends[at]]))
    for (const { interest, members } of audiences) {
      const last = lastOf(
        (interest.topics ?? []).map((topic) => byTopic.get(topic)),
        interest
      )
      if (last === undefined) continue
      for (const member of members) {
        // A member that is behind is checked again when it is live.
        if (member.state === 'live' && member.cursor >= last) member.dismiss('ended', endedRetryMs)
      }
    }
  }
}
