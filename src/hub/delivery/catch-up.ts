// Brings subscribers from their cursor to the head: new, returning and slow ones alike. It reads the window, and for older entries the
// log. It never writes entries to a live subscriber.
import type { Log, PageLimit } from '../../log/log.ts'
import type { Observer } from '../observer.ts'
import type { Subscriber, SubscriberContext } from '../subscriber.ts'
import { Batch } from './batch.ts'
import { Frame } from './frame.ts'
import type { Window } from './window.ts'

/** The limits of one page, which leaves in one write. */
const page: PageLimit = { entries: 1_000, bytes: 128 * 1_024 }
/** Pages of the window that one subscriber gets in a turn, and the milliseconds that they may take. */
const pagesPerTurn = 8
const turnMs = 8
/** Pages that are read from the log at the same time, and so held in memory. */
const maxReads = 4

/** The streams that their clients may change. Each change takes effect between two pages. */
export interface ChangeSteps {
  /** The position at which the next change takes effect; Infinity when there is none. */
  positionOf(subscriber: Subscriber): number
  /** Applies the change that is due. Returns false when it has history to replay first. */
  applyNext(subscriber: Subscriber): boolean
  /** Writes a page of that history. */
  replayNext(subscriber: Subscriber): Promise<void>
  /** Sends `tidings:live` the first time. This may fill the connection, and then the subscriber is behind again. */
  announceLive(subscriber: Subscriber): void
}

export class CatchUp {
  readonly #window: Window
  readonly #log: Log
  readonly #context: SubscriberContext
  readonly #observer: Required<Observer>
  readonly #changes: ChangeSteps
  readonly #queue = new Set<Subscriber>()
  #reading = 0
  #immediate: NodeJS.Immediate | undefined

  constructor(
    window: Window,
    log: Log,
    context: SubscriberContext,
    observer: Required<Observer>,
    changes: ChangeSteps
  ) {
    this.#window = window
    this.#log = log
    this.#context = context
    this.#observer = observer
    this.#changes = changes
  }

  /** Continues until the subscriber is live, its connection is full, or its turn is over. */
  run(subscriber: Subscriber): void {
    const end = performance.now() + turnMs
    for (let count = 0; count < pagesPerTurn && this.#mayContinue(subscriber) && performance.now() < end; count++) {
      if (this.#isChangeDue(subscriber)) {
        if (this.#changes.applyNext(subscriber)) continue
        break
      }
      if (!this.#isInWindow(subscriber)) break
      // The last check of the window and the change to live share a tick: later entries find a live subscriber.
      if (subscriber.cursor >= this.#window.head) {
        this.#becomeLive(subscriber)
        return
      }
      this.#writeWindowPage(subscriber)
    }
    if (this.#mayContinue(subscriber)) this.wait(subscriber)
  }

  /** Queues the subscriber for its turn. */
  wait(subscriber: Subscriber): void {
    subscriber.queued = true
    this.#queue.add(subscriber)
    this.#schedule()
  }

  /** Removes a subscriber that has left. */
  forget(subscriber: Subscriber): void {
    this.#queue.delete(subscriber)
  }

  #becomeLive(subscriber: Subscriber): void {
    subscriber.becomeLive()
    this.#changes.announceLive(subscriber)
    // It becomes live again when its connection has drained, and its topics are checked then.
    if (subscriber.full) return
    if (subscriber.mayHaveEnded) this.#context.becameLive(subscriber)
    subscriber.mayHaveEnded = false
  }

  #mayContinue(subscriber: Subscriber): boolean {
    return subscriber.state === 'behind' && !subscriber.full && !subscriber.queued
  }

  #isChangeDue(subscriber: Subscriber): boolean {
    return subscriber.cursor >= this.#changes.positionOf(subscriber)
  }

  /** Until a client has caught up once, it reads the log, which knows what retention removed. */
  #isInWindow({ cursor, historyEnd }: Subscriber): boolean {
    return cursor >= historyEnd && this.#window.covers(cursor)
  }

  #writeWindowPage(subscriber: Subscriber): void {
    const { cursor } = subscriber
    const { interest } = subscriber.audience
    const through = this.#changes.positionOf(subscriber)
    const found = this.#window.after(cursor, interest, interest.encoding, page.bytes, through)
    this.#write(subscriber, found.batch, found.cursor)
  }

  #write(subscriber: Subscriber, batch: Batch | undefined, cursor: number): void {
    if (!batch) {
      subscriber.cursor = cursor
      return
    }
    const { entries, bytes, oldestTime } = batch
    subscriber.mayHaveEnded ||= batch.hasEnd
    this.#observer.delivered({ by: 'catch-up', entries, deliveries: entries, bytes: bytes.length, oldestTime })
    subscriber.send(bytes, cursor, batch)
  }

  #schedule(): void {
    if (this.#queue.size > 0) this.#immediate ??= setImmediate(this.#serveNext)
  }

  readonly #serveNext = (): void => {
    this.#immediate = undefined
    for (const subscriber of this.#queue) {
      if (this.#reading >= maxReads) return
      this.#queue.delete(subscriber)
      this.#reading++
      void this.#serve(subscriber).finally(() => {
        this.#reading--
        this.#schedule()
      })
    }
  }

  /** One turn of one subscriber. `queued` stays set while a page is read, so that nothing else is written. */
  async #serve(subscriber: Subscriber): Promise<void> {
    try {
      if (this.#isChangeDue(subscriber)) await this.#changes.replayNext(subscriber)
      else if (!this.#isInWindow(subscriber)) await this.#writePage(subscriber)
    } catch (error) {
      this.#observer.failed(error)
      this.#context.leave(subscriber, 'error')
    }
    subscriber.queued = false
    this.run(subscriber)
  }

  async #writePage(subscriber: Subscriber): Promise<void> {
    const { cursor, removalsSeen } = subscriber
    const { interest } = subscriber.audience
    const { epoch, entries, cursor: next, lost } = await this.#log.read(cursor, interest, page, removalsSeen)
    if (subscriber.state === 'closed') return
    // With another epoch, the cursor is an offset of the old one.
    if (lost || epoch !== this.#context.epoch()) {
      this.#context.leave(subscriber, 'gap')
      return
    }
    const end = this.#changes.positionOf(subscriber)
    const frames = entries.filter(({ offset }) => offset <= end).map((entry) => new Frame(entry))
    const batch = frames.length > 0 ? new Batch(frames, interest.encoding) : undefined
    this.#write(subscriber, batch, Math.min(next, end))
  }
}
