// A subscription's part of a group. It reads its history itself, and takes what is new from the leader.
import type { EventSourceMessage } from 'eventsource-parser'
import { RefusedError } from '../errors.ts'
import type { EventStream, StreamOptions, TopicChange } from '../stream/event-stream.ts'
import type { ClosedState, Sharing, State } from '../stream/state.ts'
import { Changes } from './changes.ts'
import { Deduplication } from './deduplication.ts'
import { EndedTopics } from './ended-topics.ts'
import { History } from './history.ts'
import { topicFilter } from './topic-filter.ts'

/** Events that may wait for a slow subscription. */
const maxWaiting = 10_000

/** What a member needs of its group. */
export interface Home {
  /** The state of the shared stream. */
  readonly state: State
  join(member: Member): void
  /** Asks the leader for the topics of a member. */
  want(member: Member): void
  leave(member: Member): void
}

interface Item {
  /** Undefined for an event of other topics, which only moves the position. */
  readonly event: EventSourceMessage | undefined
  readonly id: string | undefined
}

interface Replay {
  readonly topics: readonly string[]
  readonly from: string
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** Rejects changes of a member that has left its group. */
export const left = new Error('the subscription has left its group')

export class Member implements EventStream {
  readonly id = crypto.getRandomValues(new Uint32Array(2)).join('-')
  lastEventId: string
  state: State = { status: 'connecting' }
  readonly changes: Changes
  readonly #options: StreamOptions
  readonly #group: Home
  readonly #onLeft: (reason: string) => void
  readonly #items: Item[] = []
  readonly #delivered = new Deduplication()
  readonly #replays: Replay[] = []
  readonly #ended = new EndedTopics()
  #filter: (topic: string) => boolean
  #hasJoined = false
  #lacksHistory: boolean
  /** Closed, or continued without the group. Another stream may report its state by now. */
  #isOver = false
  #isReading = false
  #isWorking = false
  /** Everything after this position comes from the leader. */
  #position = ''
  /** Aborted when the leader changes. */
  #reign = new AbortController()

  /** @param onLeft called when the member has to continue without the group */
  constructor(options: StreamOptions, group: Home, onLeft: (reason: string) => void) {
    this.#options = options
    this.#group = group
    this.#onLeft = onLeft
    this.changes = new Changes(options.topics.length > 0 ? options.topics : ['*'])
    this.lastEventId = options.from
    this.#lacksHistory = options.from !== '' || options.last !== undefined
    this.#filter = topicFilter(this.topics)
  }

  get topics(): readonly string[] {
    return this.changes.topics
  }

  start(): void {
    this.#options.onState(this.state)
    this.#group.join(this)
  }

  close(): void {
    this.#finish({ status: 'closed', reason: 'client' })
  }

  async change(change: TopicChange): Promise<void> {
    await this.changes.make(change, () => this.#group.want(this))
    const { add: topics = [], from } = change
    if (from === undefined) return
    await new Promise<void>((resolve, reject) => {
      this.#replays.push({ topics, from, resolve, reject })
      void this.#work()
    })
  }

  /** Another tab leads, or this one has left the group: everything after the last id comes from history. */
  lost(): void {
    this.#reign.abort()
    this.#reign = new AbortController()
    this.#items.length = 0
    this.#hasJoined = false
    this.#lacksHistory ||= this.lastEventId !== ''
    this.update()
  }

  /** From this position on, the leader sends what this member wants. */
  joined(version: number, position: string): void {
    if (version !== this.changes.version) return
    this.#hasJoined = true
    this.#position = position
    if (this.lastEventId === '' && !this.#lacksHistory) this.lastEventId = position
    this.changes.confirm()
    this.#filter = topicFilter(this.topics)
    this.update()
  }

  refused(version: number, code: string, reason: string): void {
    if (version !== this.changes.version) return
    if (!this.changes.refuse(new RefusedError(0, code, reason))) this.leave(reason)
  }

  /** @param topics those of the event; undefined for an event that concerns all */
  receive(event: EventSourceMessage, topics: readonly string[] | undefined): void {
    if (!this.#hasJoined) return
    const isWanted = topics === undefined || topics.some((topic) => this.#filter(topic))
    this.#items.push({ event: isWanted ? event : undefined, id: event.id })
    if (this.#items.length > maxWaiting) this.leave('the subscription is too slow for a shared stream')
    else void this.#work()
  }

  shared(sharing: Sharing): void {
    this.#options.onSharing?.(sharing)
  }

  leaving(): void {
    this.#options.onLeaving()
  }

  leave(reason: string): void {
    if (this.#isOver) return
    this.#end(left)
    this.#onLeft(reason)
  }

  /** The state of the group has changed, or how much this member has. */
  update(): void {
    if (this.#isOver) return
    const { state } = this.#group
    const isLive = state.status === 'live'
    if (isLive && !this.#hasJoined) this.#set({ status: 'connecting' })
    else this.#set(isLive && (this.#lacksHistory || this.#isReading) ? { status: 'catching-up' } : state)
    void this.#work()
  }

  async #work(): Promise<void> {
    if (this.#isWorking) return
    this.#isWorking = true
    while (this.#hasWork()) {
      const [replay] = this.#replays
      if (this.#lacksHistory) await this.#catchUp()
      else if (replay) await this.#replay(replay)
      else await this.#take()
    }
    this.#isWorking = false
  }

  #hasWork(): boolean {
    if (!this.#hasJoined) return false
    const mustRead = this.#lacksHistory || this.#replays.length > 0
    return mustRead ? this.#group.state.status === 'live' : this.#items.length > 0
  }

  async #catchUp(): Promise<void> {
    await this.#read(this.topics, this.lastEventId, (lastEventId) => {
      this.lastEventId = lastEventId
    })
  }

  async #replay(replay: Replay): Promise<void> {
    // Its events do not move the position: they are older.
    if (!(await this.#read(replay.topics, replay.from))) return
    this.#replays.shift()
    replay.resolve()
  }

  /** Resolves to false if the leader changed meanwhile, so that it has to be repeated. */
  async #read(topics: readonly string[], after: string, moved?: (lastEventId: string) => void): Promise<boolean> {
    const { signal } = this.#reign
    const range = { topics, after, last: moved && this.#options.last, through: this.#position }
    this.#isReading = true
    this.update()
    try {
      for await (const page of new History(this.#options, signal).read(range)) {
        for (const event of page.events) {
          if (signal.aborted) return false
          await this.#deliver(moved ? event : { ...event, id: undefined }, event.id)
        }
        moved?.(page.lastEventId)
        if (page.hasEnded && moved) this.#finish({ status: 'closed', reason: 'ended' })
      }
      if (moved && !signal.aborted) this.#lacksHistory = false
      return !signal.aborted
    } catch (error) {
      if (!signal.aborted) this.leave(error instanceof Error ? error.message : String(error))
      return false
    } finally {
      this.#isReading = false
      this.update()
    }
  }

  async #take(): Promise<void> {
    const { event, id } = this.#items.shift() as Item
    if (event) await this.#deliver(event, id)
    else this.lastEventId = id ?? this.lastEventId
  }

  async #deliver(event: EventSourceMessage, id: string | undefined): Promise<void> {
    if (!this.#delivered.isNew(id)) return
    const waiting = this.#options.onEvent(event)
    this.lastEventId = event.id ?? this.lastEventId
    await waiting
    if (this.#ended.isLast(event.data, this.topics)) this.#finish({ status: 'closed', reason: 'ended' })
  }

  #finish(state: ClosedState): void {
    if (this.#isOver) return
    this.#end(new Error('the subscription is closed'))
    this.#set(state)
  }

  #end(reason: Error): void {
    this.#isOver = true
    this.#group.leave(this)
    this.#reign.abort()
    this.#hasJoined = false
    this.changes.end(reason)
    for (const { reject } of this.#replays.splice(0)) reject(reason)
  }

  #set(state: State): void {
    if (JSON.stringify(state) === JSON.stringify(this.state)) return
    this.state = state
    this.#options.onState(state)
  }
}
