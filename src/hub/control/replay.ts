// Reads what a changed stream wants now and did not want before, from an id up to the position of the stream. It writes nothing.
import { formatId, parseId } from '../../log/ids.ts'
import type { Entry, Filter, Log, PageLimit } from '../../log/log.ts'
import { Selection, type Selector } from '../../topics/matcher.ts'
import type { Gap } from '../history/position.ts'
import type { Interest } from '../interest.ts'
import type { Delivered } from './coverage.ts'

/** The limits of one page, which leaves in one write. */
const page: PageLimit = { entries: 1_000, bytes: 128 * 1_024 }

export interface ReplayOptions {
  readonly log: Log
  /** The id to begin after. */
  readonly from: string
  /** The position of the stream: the last offset to read. */
  readonly through: number
  readonly epoch: string
  /** The selectors to replay. */
  readonly added: readonly Selector[]
  /** What the stream wants and may read after the change. */
  readonly interest: Interest
  /** Whether the change also brings new rights: then private updates of the other topics that could not be read are replayed too. */
  readonly isRefreshed: boolean
  readonly delivered: Delivered
}

export class Replay {
  /** What is missing of it. */
  gap: Gap | undefined
  isDone = false
  readonly #options: ReplayOptions
  readonly #added: Selection
  #from: number
  #cursor: number | undefined
  #removalsSeen = 0

  constructor(options: ReplayOptions) {
    this.#options = options
    this.#added = new Selection(options.added)
    this.#from = options.through
  }

  /** The offset after which it begins, as soon as a page was read. */
  get after(): number {
    return this.#from
  }

  /** Reads a page. Undefined when the log has started over, so that the position of the stream is no longer one. */
  async read(): Promise<readonly Entry[] | undefined> {
    const { log, through, epoch } = this.#options
    this.#cursor ??= await this.#locate()
    if (log.epoch !== epoch) return undefined
    if (this.#cursor >= through) {
      this.isDone = true
      return []
    }
    const found = await log.read(this.#cursor, this.#filter, page, this.#removalsSeen)
    if (found.epoch !== epoch) return undefined
    if (found.lost) this.gap ??= this.#gapOf('trimmed', Math.max(this.#from, log.first - 1))
    this.isDone = found.cursor >= through || found.cursor === this.#cursor
    this.#cursor = found.cursor
    return found.entries.filter((entry) => this.#isNew(entry))
  }

  async #locate(): Promise<number> {
    const { log, from, through } = this.#options
    const oldest = () => {
      this.#removalsSeen = log.removals
      return log.first - 1
    }
    if (from === 'earliest') this.#from = oldest()
    else {
      const found = await log.locate(from)
      if (found !== undefined) this.#from = found
      else if (parseId(from) && parseId(from)?.epoch !== log.epoch) {
        this.#from = oldest()
        this.gap = this.#gapOf('epoch', this.#from)
      } else this.gap = this.#gapOf('unknown', through)
    }
    this.#from = Math.min(this.#from, through)
    return this.#from
  }

  #gapOf(reason: Gap['reason'], after: number): Gap {
    return { requested: this.#options.from, resumedAfter: formatId(this.#options.epoch, after), reason }
  }

  /** With only exact topics to add, a log with an index reads nothing else. */
  get #filter(): Filter {
    const span = { after: this.#from, through: this.#options.through }
    return {
      topics: this.#options.isRefreshed ? undefined : this.#added.topics,
      admits: (topics, isPrivate) =>
        this.#isWanted(topics, isPrivate) && !this.#options.delivered.has(topics, isPrivate, span)
    }
  }

  #isWanted(topics: readonly string[], isPrivate: boolean): boolean {
    const { interest, isRefreshed } = this.#options
    if (!interest.admits(topics, isPrivate)) return false
    return this.#added.coversAny(topics) || (isRefreshed && isPrivate)
  }

  #isNew({ offset, update }: Entry): boolean {
    const { delivered, through } = this.#options
    if (offset > through) return false
    const { topics, private: isPrivate = false } = update
    const here = { after: offset - 1, through: offset }
    if (delivered.has(topics, isPrivate, here)) return false
    // Of the other topics, only what the stream wanted at that time and could not read.
    return this.#added.coversAny(topics) || delivered.wanted(topics, here)
  }
}
