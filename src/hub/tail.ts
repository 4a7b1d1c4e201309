// The one way to a subscriber: from the log's tail to the window, and to the audiences that an entry concerns. It writes to
// nobody; what the log could not say is read from history by those who lack it.
import type { Entry } from '../log/log.ts'
import type { Audience } from './audience.ts'
import type { Audiences } from './audiences.ts'
import type { CatchUp } from './catch-up.ts'
import type { Presence } from './presence.ts'
import type { Keeper, Subscriber } from './subscriber.ts'
import type { Sweeper } from './sweeper.ts'
import type { Window } from './window.ts'

/** What the entries go through. */
interface Ways extends Pick<Keeper, 'leave'> {
  readonly window: Window
  /** Bytes that may be pending in one audience. */
  readonly mostPending: number
  readonly audiences: Audiences
  readonly subscribers: ReadonlySet<Subscriber>
  readonly sweeper: Sweeper
  readonly catchUp: CatchUp
  readonly presence: Presence
}

export class Tail {
  readonly #ways: Ways
  #epoch: string

  constructor(epoch: string, ways: Ways) {
    this.#epoch = epoch
    this.#ways = ways
  }

  get epoch(): string {
    return this.#epoch
  }

  deliver(entries: readonly Entry[]): void {
    const { window, audiences, mostPending, sweeper } = this.#ways
    for (const entry of entries) {
      if (entry.epoch !== this.#epoch) this.startOver(entry.epoch, entry.offset - 1)
      else if (entry.offset !== window.head + 1) this.#skipTo(entry)
      const frame = window.push(entry)
      const { topics, private: isPrivate = false } = entry.update
      for (const audience of audiences.match(topics)) {
        if (!audience.mayRead(topics, isPrivate)) continue
        if (audience.push(frame) > mostPending) this.#overrun(audience)
        else sweeper.mark(audience)
      }
    }
  }

  /** Sweeps do not keep up: what is pending is let go of, and its audience takes it from the window, each at its own pace. */
  #overrun(audience: Audience): void {
    audience.drop()
    for (const subscriber of audience.members) this.#fallBehind(subscriber)
  }

  /** The log could not say what lies between: everyone reads it from history, or is told that it is gone. */
  #skipTo(entry: Entry): void {
    const { window, audiences, subscribers, sweeper, presence } = this.#ways
    for (const audience of audiences) sweeper.completeUpTo(audience, window.head)
    window.reset(entry.offset - 1)
    for (const subscriber of subscribers) this.#fallBehind(subscriber)
    void presence.learn()
  }

  /** Offsets have started over, so no cursor means anything any more. What comes is expected after `head`. */
  startOver(epoch: string, head = 0): void {
    const { window, subscribers, leave, presence } = this.#ways
    this.#epoch = epoch
    window.reset(head)
    for (const subscriber of subscribers) leave(subscriber, 'gap')
    presence.startOver()
  }

  #fallBehind(subscriber: Subscriber): void {
    if (subscriber.state !== 'live') return
    subscriber.state = 'behind'
    this.#ways.catchUp.wait(subscriber)
  }
}
