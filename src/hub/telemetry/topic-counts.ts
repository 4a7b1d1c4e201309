// The busiest topics, in a table of fixed size. A new topic replaces the one with the lowest count and continues from that count, so a
// topic that is busy enough is always in the table ("space-saving", Metwally et al. 2005).

/** Topics that are counted at a time. */
const maxTopics = 1_000
/** How much the last second counts in a rate: about half of a rate is from the last four seconds. */
const newest = 0.16

export interface TopicCount {
  readonly topic: string
  /** Updates and bytes per second. */
  readonly rate: number
  readonly bytes: number
  readonly total: number
}

interface Slot {
  topic: string
  count: number
  /** The count that it took over; not its own. */
  inherited: number
  /** Since the last tick. */
  updates: number
  bytes: number
  rate: number
  byteRate: number
  ticks: number
}

export class TopicCounts {
  readonly since = Date.now()
  readonly #slots: Slot[] = []
  readonly #byTopic = new Map<string, Slot>()

  add(topic: string, bytes: number, weight: number): void {
    const slot = this.#byTopic.get(topic) ?? this.#slotFor(topic)
    slot.count += weight
    slot.updates += weight
    slot.bytes += bytes * weight
  }

  /** Called once a second. */
  tick(): void {
    for (const slot of this.#slots) {
      slot.rate += (slot.updates - slot.rate) * newest
      slot.byteRate += (slot.bytes - slot.byteRate) * newest
      slot.updates = slot.bytes = 0
      slot.ticks++
    }
  }

  /** The busiest first. */
  busiest(limit: number): TopicCount[] {
    const rows = this.#slots.map(({ topic, count, inherited, rate, byteRate, ticks }) => {
      // A rate begins at 0. Without this, it would be too low in the first seconds.
      const whole = ticks === 0 ? 1 : 1 - (1 - newest) ** ticks
      return { topic, rate: rounded(rate / whole), bytes: rounded(byteRate / whole), total: count - inherited }
    })
    return rows.sort((one, other) => other.rate - one.rate || other.total - one.total).slice(0, limit)
  }

  #slotFor(topic: string): Slot {
    const fresh = { topic, count: 0, inherited: 0, updates: 0, bytes: 0, rate: 0, byteRate: 0, ticks: 0 }
    if (this.#slots.length < maxTopics) {
      this.#slots.push(fresh)
      this.#byTopic.set(topic, fresh)
      return fresh
    }
    const least = this.#slots.reduce((one, other) => (other.count < one.count ? other : one))
    this.#byTopic.delete(least.topic)
    Object.assign(least, fresh, { count: least.count, inherited: least.count })
    this.#byTopic.set(topic, least)
    return least
  }
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
