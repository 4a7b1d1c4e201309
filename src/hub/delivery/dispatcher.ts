// Dispatches entries from the log's tail to the window and to the audiences that match. The only way to a subscriber.
import type { Entry } from '../../log/log.ts'
import type { Audience } from '../audience.ts'
import type { Audiences } from '../audiences.ts'
import type { Polls } from '../history/polls.ts'
import type { Presence } from '../presence/presence.ts'
import { isRevocation } from '../revocation/topics.ts'
import type { Subscriber, SubscriberContext } from '../subscriber.ts'
import { type FlightCode, flightCodes } from '../telemetry/flight-log.ts'
import type { CatchUp } from './catch-up.ts'
import type { Sweeper } from './sweeper.ts'
import type { Window } from './window.ts'

/** The parts of the hub that entries pass through. */
interface DispatcherDeps extends Pick<SubscriberContext, 'leave'> {
  readonly window: Window
  /** Bytes that may be pending in one audience. */
  readonly maxPendingBytes: number
  readonly audiences: Audiences<Subscriber>
  readonly subscribers: ReadonlySet<Subscriber>
  readonly sweeper: Sweeper
  readonly catchUp: CatchUp
  readonly presence: Presence
  readonly polls: Pick<Polls<Subscriber>, 'wakeAll'>
}

export class Dispatcher {
  readonly #deps: DispatcherDeps
  #epoch: string

  constructor(epoch: string, deps: DispatcherDeps) {
    this.#epoch = epoch
    this.#deps = deps
  }

  get epoch(): string {
    return this.#epoch
  }

  deliver(entries: readonly Entry[]): void {
    const { window, audiences, maxPendingBytes, sweeper } = this.#deps
    for (const entry of entries) {
      if (entry.epoch !== this.#epoch) this.startOver(entry.epoch, entry.offset - 1)
      else if (entry.offset !== window.head + 1) this.#skipTo(entry)
      if (entry.deletion) window.delete(entry.deletion)
      const frame = window.push(entry)
      const { topics, private: isPrivate = false } = entry.update
      // Nobody receives it, and its topic would only fill the index's cache.
      if (isPrivate && isRevocation(topics)) continue
      for (const audience of audiences.match(topics)) {
        if (!audience.interest.mayRead(topics, isPrivate)) continue
        if (audience.push(frame) > maxPendingBytes) this.#overrun(audience)
        else sweeper.mark(audience)
      }
    }
  }

  /** Sweeps do not keep up: drops what is pending, and the members continue from the window, each at its own pace. */
  #overrun(audience: Audience<Subscriber>): void {
    audience.drop()
    for (const subscriber of audience.members) this.#fallBehind(subscriber, flightCodes.overrun)
  }

  /** The log skipped entries: every subscriber reads them from the history, or gets a gap. */
  #skipTo(entry: Entry): void {
    const { window, audiences, subscribers, sweeper, presence, polls } = this.#deps
    for (const audience of audiences) sweeper.completeUpTo(audience, window.head)
    window.reset(entry.offset - 1)
    for (const subscriber of subscribers) this.#fallBehind(subscriber, flightCodes.skipped)
    void presence.reload()
    polls.wakeAll()
  }

  /** A new epoch: no cursor is valid any more. The next entry is expected after `head`. */
  startOver(epoch: string, head = 0): void {
    const { window, subscribers, leave, presence, polls } = this.#deps
    this.#epoch = epoch
    window.reset(head)
    for (const subscriber of subscribers) leave(subscriber, 'gap')
    presence.startOver()
    polls.wakeAll()
  }

  #fallBehind(subscriber: Subscriber, why: FlightCode): void {
    if (subscriber.state !== 'live') return
    subscriber.fallBehind(why)
    this.#deps.catchUp.wait(subscriber)
  }
}
