// A stream that is shared as long as the group can serve it, and continues with a connection of its own otherwise.
import type { EventStream, TopicChange } from '../stream/event-stream.ts'
import type { State } from '../stream/state.ts'
import { TopicStream } from '../stream/topic-stream.ts'
import { type GroupOptions, groupOf } from './group.ts'
import { left, Member } from './member.ts'

export class SharedStream implements EventStream {
  readonly #options: GroupOptions
  #stream: EventStream

  constructor(options: GroupOptions) {
    this.#options = options
    this.#stream = new Member(options, groupOf(options), (reason) => this.#continueAlone(reason))
  }

  get topics(): readonly string[] {
    return this.#stream.topics
  }

  get lastEventId(): string {
    return this.#stream.lastEventId
  }

  get state(): State {
    return this.#stream.state
  }

  start(): void {
    this.#stream.start()
  }

  close(): void {
    this.#stream.close()
  }

  async change(change: TopicChange): Promise<void> {
    try {
      await this.#stream.change(change)
    } catch (error) {
      if (error !== left) throw error
      await this.#stream.change(change)
    }
  }

  #continueAlone(reason: string): void {
    const { topics, lastEventId: from } = this.#stream
    this.#stream = new TopicStream({ ...this.#options, topics, from })
    this.#options.onSharing?.({ role: 'alone', reason })
    this.#stream.start()
  }
}
