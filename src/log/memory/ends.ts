// Which topics have ended: an index of the topics with a kept end. A log without ends pays one comparison per entry.
import type { Entry } from '../log.ts'

interface Ending {
  /** The offsets of the topic's entries from its first kept end on. */
  readonly offsets: number[]
  /** How many of them are ends. */
  ends: number
}

export class EndIndex {
  readonly #topics = new Map<string, Ending>()

  get isEmpty(): boolean {
    return this.#topics.size === 0
  }

  /** Entries must be added in the order of their offsets. */
  add({ offset, update }: Entry): void {
    if (this.isEmpty && !update.end) return
    for (const topic of new Set(update.topics)) {
      const ending = this.#topics.get(topic) ?? { offsets: [], ends: 0 }
      if (update.end) this.#topics.set(topic, ending)
      else if (ending.ends === 0) continue
      ending.offsets.push(offset)
      if (update.end) ending.ends++
    }
  }

  remove({ offset, update }: Entry): void {
    if (this.isEmpty) return
    for (const topic of new Set(update.topics)) {
      const ending = this.#topics.get(topic)
      const at = ending?.offsets.indexOf(offset) ?? -1
      if (!ending || at === -1) continue
      ending.offsets.splice(at, 1)
      if (update.end) ending.ends--
      if (ending.ends === 0) this.#topics.delete(topic)
    }
  }

  /** The offsets of a topic's entries from its first kept end on, newest first; empty without an end. */
  *newest(topic: string): Iterable<number> {
    const offsets = this.#topics.get(topic)?.offsets ?? []
    for (let at = offsets.length - 1; at >= 0; at--) yield offsets[at] as number
  }
}
