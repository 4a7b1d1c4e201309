// Runs the stream of a group: its topics are those of all members, and its events go to all tabs.
import { RefusedError } from '../errors.ts'
import type { StreamHandlers } from '../stream/event-stream.ts'
import type { State } from '../stream/state.ts'
import type { TopicStream } from '../stream/topic-stream.ts'
import type { LeaderMessage, Leave, Want } from './messages.ts'

type WithoutLeader<M> = M extends unknown ? Omit<M, 'leader'> : never

export interface LeaderOptions {
  readonly id: string
  open(topics: readonly string[], handlers: StreamHandlers): TopicStream
  send(message: LeaderMessage): void
  /** Calls back when the tab is gone. */
  watch(tab: string, gone: () => void): void
}

export class Leader {
  readonly #options: LeaderOptions
  readonly #tabs = new Set<string>()
  /** Wants that are part of the stream, and wants that have to become part of it, by member. */
  readonly #joined = new Map<string, Want>()
  readonly #waiting = new Map<string, Want>()
  #stream: TopicStream | undefined
  /** The wants that the next confirmation of the hub includes. */
  #inFlight: readonly Want[] = []
  #isChanging = false
  #isClosed = false

  constructor(options: LeaderOptions) {
    this.#options = options
  }

  hear(message: Want | Leave): void {
    if (message.type === 'leave') this.#forget(message.member)
    else {
      this.#waiting.set(message.member, message)
      this.#watch(message.tab)
      if (this.#stream) this.#send({ type: 'state', state: withoutError(this.#stream.state) })
    }
    void this.#change()
  }

  close(): void {
    this.#isClosed = true
    this.#stream?.close()
  }

  #watch(tab: string): void {
    if (this.#tabs.has(tab)) return
    this.#tabs.add(tab)
    this.#options.watch(tab, () => {
      for (const want of [...this.#joined.values(), ...this.#waiting.values()]) {
        if (want.tab === tab) this.#forget(want.member)
      }
      void this.#change()
    })
  }

  #forget(member: string): void {
    this.#joined.delete(member)
    this.#waiting.delete(member)
  }

  /** Makes one change after the other, until the stream has what the members want. */
  async #change(): Promise<void> {
    if (this.#isChanging) return
    this.#isChanging = true
    // Members that join in the same task need one change together.
    await Promise.resolve()
    while (!this.#isClosed && this.#hasToChange()) {
      const wants = [...this.#waiting.values()]
      await (this.#stream ? this.#makeChange(this.#stream, wants) : this.#open(wants))
    }
    this.#isChanging = false
  }

  #hasToChange(): boolean {
    if (this.#waiting.size > 0) return true
    const wanted = this.#wanted()
    return wanted.size > 0 && this.#stream?.topics.some((topic) => !wanted.has(topic)) === true
  }

  #wanted(): Set<string> {
    return new Set([...this.#joined.values(), ...this.#waiting.values()].flatMap(({ topics }) => topics))
  }

  #open(wants: readonly Want[]): Promise<void> {
    return new Promise((resolve) => {
      this.#inFlight = wants
      this.#stream = this.#options.open([...this.#wanted()], {
        onTopics: (position) => {
          this.#join(position)
          resolve()
        },
        onEvent: (event) => this.#send({ type: 'event', event, topics: topicsOf(event.data) }),
        onState: (state) => {
          if (state.status === 'closed') resolve()
          this.#changed(state)
        },
        onLeaving: () => {}
      })
      this.#stream.start()
    })
  }

  async #makeChange(stream: TopicStream, wants: readonly Want[]): Promise<void> {
    const wanted = this.#wanted()
    const remove = stream.topics.filter((topic) => !wanted.has(topic))
    const add = [...new Set(wants.flatMap(({ topics }) => topics))]
    this.#inFlight = wants
    try {
      await stream.change({ ...(add.length > 0 && { add }), ...(remove.length > 0 && { remove }) })
      // A client that polls gets no confirmation.
      this.#join(stream.position)
    } catch (error) {
      this.#inFlight = []
      const [want] = wants
      if (!want || !(error instanceof RefusedError)) this.#fail(String(error))
      else if (wants.length === 1) this.#refuse(want, error)
      // One of them was refused, but which one?
      else for (const one of wants) await this.#makeChange(stream, [one])
    }
  }

  #join(position: string): void {
    const topics = new Set(this.#stream?.topics)
    // A new stream after a lost one does not have the topics of a change that was not confirmed before.
    const isPart = (want: Want) => want.topics.every((topic) => topics.has(topic))
    const wants = this.#inFlight.filter((want) => isPart(want) && this.#waiting.get(want.member) === want)
    this.#inFlight = this.#inFlight.filter((want) => !isPart(want))
    for (const want of wants) {
      this.#waiting.delete(want.member)
      this.#joined.set(want.member, want)
    }
    if (wants.length > 0) this.#send({ type: 'joined', wants, position })
  }

  #refuse(want: Want, { code, message }: RefusedError): void {
    if (this.#waiting.get(want.member) === want) this.#waiting.delete(want.member)
    this.#send({ type: 'refused', want, code, reason: message })
  }

  #changed(state: State): void {
    if (this.#isClosed) return
    if (state.status !== 'closed') this.#send({ type: 'state', state: withoutError(state) })
    else this.#fail(state.error?.message ?? 'all topics of the shared stream have ended')
  }

  #fail(reason: string): void {
    if (this.#isClosed) return
    this.close()
    this.#send({ type: 'failed', reason })
  }

  #send(message: WithoutLeader<LeaderMessage>): void {
    this.#options.send({ leader: this.#options.id, ...message } as LeaderMessage)
  }
}

/** Errors lose their class on the way to another tab. */
function withoutError(state: State): State {
  if (state.status !== 'waiting') return state
  const { error, ...rest } = state
  return rest
}

function topicsOf(data: string): readonly string[] | undefined {
  return (JSON.parse(data) as { topics?: readonly string[] }).topics
}
