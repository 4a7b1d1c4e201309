// The model of a stream that is changed: which entries it must contain, in which order, and how often. It is written for clarity: it
// remembers every offset that was delivered because of each selector.
import type { Entry } from '../../../dist/index.js'
import type { Accepted, Block, Recorded, Wanted } from './changing-client.ts'

export const wants = (selector: string, topics: readonly string[]) =>
  topics.some((topic) => selector === '*' || selector === topic || (selector === 'c/{id}' && /^c\/\d+$/.test(topic)))

export class ChangeModel {
  readonly #published: readonly Entry[]
  readonly #accepted: ReadonlyMap<string, Accepted>
  /** The offsets that were delivered because of each selector that the stream has. */
  readonly #covered: Map<string, Set<number>>
  #position: number | undefined
  /** Where the stream began. */
  #began: number | undefined
  /** Events without an id since the last confirmation. */
  #replayed: string[] = []
  readonly #confirmed: string[] = []
  #before: number | undefined
  /** Whether the stream has said that it is live, with its opening or later. */
  #isLive = false

  /** @param before the position that the client had reached; undefined for a new client */
  constructor({ topics, accepted }: Recorded, published: readonly Entry[], before: number | undefined) {
    this.#published = published
    this.#accepted = accepted
    this.#covered = new Map(topics.map((topic) => [topic, new Set()]))
    this.#before = before
  }

  /** The offset up to which the client has everything; undefined before the opening. */
  get position(): number | undefined {
    return this.#position
  }

  take({ event, id, data = '' }: Block): void {
    if (event === 'tidings:open') this.#open(id as string, JSON.parse(data))
    else if (event === 'tidings:live') this.#becomeLive(JSON.parse(data), id as string)
    else if (event === 'tidings:changed') this.#change(JSON.parse(data), id as string)
    else if (event === 'tidings:refused') this.#refuse(JSON.parse(data))
    else if (event !== '') throw new Error(`unexpected ${event}`)
    else if (id === undefined) this.#replayed.push((JSON.parse(data) as { id: string }).id)
    else this.#deliver(id, (JSON.parse(data) as { data: string }).data)
  }

  /** The stream was cut, perhaps within a replay: what arrived of it must be its beginning. */
  cut(): void {
    if (this.#replayed.length === 0) return
    const waiting = [...this.#accepted].filter(([request]) => !this.#confirmed.includes(request))
    const isBeginning = waiting.some(([, wanted]) => {
      const expected = this.#replayOf(wanted, Infinity)
      return this.#replayed.every((found, at) => found === expected[at]?.id)
    })
    // The answer to a request can be lost with the connection of the stream, but not in these histories.
    if (!isBeginning) throw new Error(`cut within a replay of ${JSON.stringify(this.#replayed)}`)
  }

  /** The stream is complete: nothing is missing, and every change was confirmed, in order. */
  end(): void {
    const next = this.#next(this.#position ?? 0)
    if (next) throw new Error(`${next.id} is missing at the end`)
    if (!this.#isLive) throw new Error('tidings:live is missing')
    const order = [...this.#accepted.keys()]
    if (JSON.stringify(order) !== JSON.stringify(this.#confirmed)) {
      throw new Error(`changes ${order} were accepted, and ${this.#confirmed} confirmed`)
    }
  }

  #open(id: string, { live }: { live: boolean }): void {
    this.#began = this.#position = this.#offsetOf(id)
    this.#isLive = live
    if (this.#before === undefined || this.#before === this.#position) return
    throw new Error(`opened at ${this.#position}, but the client had reached ${this.#before}`)
  }

  #becomeLive({ lastEventId }: { lastEventId: string }, id: string): void {
    if (this.#isLive) throw new Error(`live twice, the second time at ${id}`)
    this.#isLive = true
    const position = this.#offsetOf(id)
    const next = this.#next(this.#position as number)
    if (next && next.offset <= position)
      throw new Error(`${next.id} is missing before the stream is live at ${position}`)
    if (position <= (this.#began as number)) throw new Error(`live at ${position}, but it began at ${this.#began}`)
    if (position < (this.#position as number)) throw new Error(`the position went back to ${position}`)
    if (lastEventId !== id) throw new Error(`live at ${id}, with ${lastEventId}`)
    if (this.#replayed.length > 0) throw new Error(`live at ${id} within a replay`)
    this.#position = position
  }

  #deliver(id: string, data: string): void {
    const next = this.#next(this.#position as number)
    if (next?.id !== id || next.update.data !== data) {
      throw new Error(`after ${this.#position} with ${this.#selectors} expected ${next?.id}, got ${id}`)
    }
    if (this.#replayed.length > 0) throw new Error(`${id} came within a replay`)
    this.#position = next.offset
    for (const [selector, offsets] of this.#covered) {
      if (wants(selector, next.update.topics)) offsets.add(next.offset)
    }
  }

  #change(confirmation: { request: string; topics: string[]; lastEventId: string; gap?: unknown }, id: string): void {
    const wanted = this.#confirm(confirmation.request)
    const position = this.#offsetOf(id)
    const next = this.#next(this.#position as number)
    if (next && next.offset <= position) throw new Error(`${next.id} is missing before a change at ${position}`)
    if (position > wanted.head) throw new Error(`a change at ${position} was accepted at ${wanted.head}`)
    if (position < (this.#position as number)) throw new Error(`the position went back to ${position}`)
    if (confirmation.lastEventId !== id || confirmation.gap) throw new Error(`got ${JSON.stringify(confirmation)}`)
    this.#position = position
    const expected = this.#replayOf(wanted, position).map((entry) => entry.id)
    if (JSON.stringify(expected) !== JSON.stringify(this.#replayed)) {
      throw new Error(`at ${position}, ${JSON.stringify(wanted)} replays ${expected}, got ${this.#replayed}`)
    }
    this.#replayed = []
    this.#apply(wanted, position)
    const found = JSON.stringify([...confirmation.topics].sort())
    if (found !== JSON.stringify([...this.#selectors].sort())) throw new Error(`${found} instead of ${this.#selectors}`)
  }

  #apply({ add = [], remove = [], from }: Wanted, position: number): void {
    for (const selector of remove) this.#covered.delete(selector)
    for (const selector of add) {
      const offsets = this.#covered.get(selector) ?? new Set()
      this.#covered.set(selector, offsets)
      for (const { offset, update } of this.#after(from, position))
        if (wants(selector, update.topics)) offsets.add(offset)
    }
  }

  /** Everything that the added selectors match, and that was not delivered because of a selector that stays. */
  #replayOf({ add = [], remove = [], from }: Wanted, position: number): Entry[] {
    const kept = [...this.#covered].filter(([selector]) => !remove.includes(selector))
    return this.#after(from, position).filter(({ offset, update: { topics } }) => {
      return add.some((selector) => wants(selector, topics)) && !kept.some(([, offsets]) => offsets.has(offset))
    })
  }

  #after(from: string | undefined, position: number): Entry[] {
    if (from === undefined) return []
    const after = from === 'earliest' ? 0 : this.#offsetOf(from)
    return this.#published.filter(({ offset }) => offset > after && offset <= position)
  }

  #refuse({ code, request }: { code: string; request: string }): void {
    const { add = [], remove = [] } = this.#confirm(request)
    const left = this.#selectors.filter((selector) => !remove.includes(selector))
    if (code !== 'selector_missing' || left.length + add.length > 0) throw new Error(`refused with ${code}: ${left}`)
  }

  #confirm(request: string): Accepted {
    const wanted = this.#accepted.get(request)
    if (!wanted) throw new Error(`the confirmation of an unknown request ${request}`)
    this.#confirmed.push(request)
    return wanted
  }

  get #selectors(): string[] {
    return [...this.#covered.keys()]
  }

  #next(after: number): Entry | undefined {
    return this.#published.find(({ offset, update }) => {
      return offset > after && this.#selectors.some((selector) => wants(selector, update.topics))
    })
  }

  /** Ids of the hub contain their offset. */
  #offsetOf(id: string): number {
    return this.#published.find((entry) => entry.id === id)?.offset ?? Number.parseInt(id.split('-')[1] ?? '', 36)
  }
}
