// Where in the log a stream begins, and what is missing there.
import { formatId, parseId } from '../../log/ids.ts'
import type { Filter, Log } from '../../log/log.ts'
import { Interest } from '../interest.ts'
import { Semaphore } from '../semaphore.ts'
import type { SubscribeRequest } from '../subscribe-request.ts'
import { lastEnd } from './last-end.ts'

/** What a client missed. It is reported in the stream and in the response header. */
export interface Gap {
  /** The id after which the client asked to continue. */
  readonly requested: string
  /** The id after which the stream begins instead. */
  readonly resumedAfter: string
  /**
   * `unknown`: no kept entry has the id; the stream begins at the head. `epoch`: the id is from a log that no longer exists; the stream
   * begins with the first entry of this one. `trimmed`: the id is known, and retention removed entries after it.
   */
  readonly reason: 'unknown' | 'epoch' | 'trimmed'
}

/** A position in the log from which a client can be served. Made by `Hub.locate`, for `Hub.join`. */
export interface StreamPosition {
  /** @internal */
  readonly interest: Interest
  /** The stream begins after this offset of this epoch. @internal */
  readonly after: number
  /** @internal */
  readonly epoch: string
  /** Removals of the log up to here are reported, or were not asked for; 0 when all of them count. @internal */
  readonly removalsSeen: number
  /** The id of the position: the requested one when it was found, otherwise one that the hub made. */
  readonly id: string
  /** Whether the client named a position (an id, `earliest`, or a number of entries), rather than ask for new entries only. */
  readonly requested: boolean
  /** Whether the client may read the entry with this id. Only evaluated when the request asks for it; otherwise true. */
  readonly visible: boolean
  /** When the right to read ends, in milliseconds since 1970. */
  readonly until: number
  readonly gap?: Gap
  /** Whether all topics have ended. Always false for a request with a pattern or `*`. */
  readonly ended: boolean
  /** Whether they have ended and nothing is left to receive, not even a gap. */
  readonly isOver: boolean
  /** Whether there is nothing to replay, not even a gap. Only evaluated when the request asks for it; otherwise false. */
  readonly isEmpty: boolean
}

/** A position without what is looked up when it is found. */
type Found = Omit<StreamPosition, 'ended' | 'isOver' | 'isEmpty'>

const everything: Filter = { admits: () => true }

/** The newest entry that was delivered to the hub. */
interface DeliveredHead {
  readonly epoch: string
  readonly head: number
}

/** Concurrent searches for the newest N entries: each may scan the whole log. */
const maxSearches = 4

/** Finds positions in a log. */
export class Locator {
  readonly #log: Log
  readonly #seen: () => DeliveredHead
  readonly #searches = new Semaphore(maxSearches)

  constructor(log: Log, seen: () => DeliveredHead) {
    this.#log = log
    this.#seen = seen
  }

  /** Finds the position for a valid request. One that searches may wait for other searches, until the signal is aborted. */
  find(request: SubscribeRequest, signal?: AbortSignal): Promise<StreamPosition> {
    const find = () => locate(request, this.#log, this.#seen)
    const isSearch = request.checkEmpty || (request.last !== undefined && !request.lastEventId)
    return isSearch ? this.#searches.run(find, signal) : find()
  }
}

/** When the log starts a new epoch meanwhile, it searches again. */
async function locate(request: SubscribeRequest, log: Log, seen: () => DeliveredHead): Promise<StreamPosition> {
  const { topics = [], readable = [], encoding = 'plain' } = request
  const interest = new Interest({ topics: topics.length > 0 ? topics : ['*'], readable, encoding })
  for (;;) {
    const { epoch } = log
    const position = await locateInEpoch(request, interest, log, seen())
    const last = await lastEnd(log, interest)
    const isEmpty = request.checkEmpty === true && !position.gap && (await isAtEnd(log, position))
    if (log.epoch !== epoch) continue
    const ended = last !== undefined
    return { ...position, ended, isOver: ended && last <= position.after && position.gap === undefined, isEmpty }
  }
}

/** Whether the log keeps no entry after the position that the interest admits. */
async function isAtEnd(log: Log, { interest, after }: Found): Promise<boolean> {
  for (let cursor = after; ; ) {
    const page = await log.read(cursor, interest, { entries: 1, bytes: 1 })
    if (page.entries.length > 0) return false
    if (page.cursor === cursor) return true
    cursor = page.cursor
    // A log in this process answers without a pause, and streams must not wait for a search of all history.
    await new Promise(setImmediate)
  }
}

const where = (epoch: string, after: number) => ({ epoch, after, id: formatId(epoch, after) })

async function locateInEpoch(
  request: SubscribeRequest,
  interest: Interest,
  log: Log,
  seen: DeliveredHead
): Promise<Found> {
  const { lastEventId, last, until = Infinity } = request
  const settled = log.removals
  const common = { interest, until, requested: true, visible: true }
  const at = (after: number, removalsSeen = 0) => ({ ...common, ...where(log.epoch, after), removalsSeen })
  if (lastEventId === 'earliest') return at(log.first - 1, settled)
  if (lastEventId !== undefined && lastEventId !== '') return resume(lastEventId)
  if (last !== undefined) return at(await log.newest(interest, last), settled)
  return { ...newest(), requested: false }

  /** The log may have started a new epoch that the hub has not heard of: its newest entry is of the old one. */
  function newest(): Found {
    return { ...common, ...where(seen.epoch, seen.head), removalsSeen: 0 }
  }

  async function resume(requested: string): Promise<Found> {
    const after = await log.locate(requested)
    if (after === undefined) {
      const isOurs = parseId(requested) !== undefined
      return begin(requested, isOurs && !isFromHere(requested) ? 'epoch' : 'unknown')
    }
    const found = { ...at(after), id: requested, visible: request.checkVisibility !== true || (await isVisible(after)) }
    if (after >= log.head) return found
    const { lost } = await log.read(after, interest, { entries: 1, bytes: 1 })
    return lost ? begin(requested, 'trimmed', after) : found
  }

  async function isVisible(offset: number): Promise<boolean> {
    if (offset < 1) return true
    const [entry] = (await log.read(offset - 1, everything, { entries: 1, bytes: 1 })).entries
    return entry?.offset !== offset || interest.mayRead(entry.update.topics, entry.update.private ?? false)
  }

  function begin(requested: string, reason: Gap['reason'], after = 0): Found {
    // Entries that are kept of one topic may be older than those that are lost of another: the stream skips none of them.
    const position = reason === 'unknown' ? newest() : at(Math.max(after, log.first - 1), settled)
    return { ...position, gap: { requested, resumedAfter: position.id, reason } }
  }

  function isFromHere(id: string): boolean {
    return parseId(id)?.epoch === log.epoch
  }
}
