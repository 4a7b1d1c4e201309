// History as pages, for clients without a stream: reads after a position, and can wait for the next update (long polling).
import { TidingsError } from '../../errors.ts'
import { formatId } from '../../log/ids.ts'
import type { Entry, Log } from '../../log/log.ts'
import { sizeOf } from '../../log/size.ts'
import type { RevocableClient } from '../revocation/revocation.ts'
import { Semaphore } from '../semaphore.ts'
import type { Streams } from '../streams.ts'
import type { SubscribeRequest } from '../subscribe-request.ts'
import { lastEnd } from './last-end.ts'
import type { Gap, StreamPosition } from './position.ts'

/** What a client asks for when it reads history: a position and selectors as for a stream. `encoding` has no meaning here. */
export interface HistoryRequest extends SubscribeRequest {
  /** The most updates of the page, 1 to 1,000; default 100. A page also ends at about 1 MiB. */
  readonly limit?: number
  /** Milliseconds to wait for an update if there is none, 0 to 60,000; default 0. */
  readonly wait?: number
  /** The client, which is refused when it is revoked while it waits. Default: nobody in particular. */
  readonly client?: RevocableClient
}

export interface HistoryPage {
  /** Oldest first. */
  readonly updates: readonly Entry[]
  /** The id after which the next page continues. It is one of the hub's. */
  readonly lastEventId: string
  /** What is missing before the first update. */
  readonly gap?: Gap
  /** Whether there is a next page already. */
  readonly more: boolean
  /** Whether all topics have ended and this is the last page. */
  readonly ended: boolean
}

const defaultLimit = 100
const maxLimit = 1_000
const maxBytes = 2 ** 20
const maxWaitMs = 60_000
/** Pages that are read from the log at the same time, and so held in memory. */
const maxReads = 8
/** How often a page is begun again because retention removed its beginning meanwhile. */
const maxAttempts = 10
/** Milliseconds between two looks at a log that started over, until the hub hears of it. */
const staleEpochMs = 50

type Locate = (request: SubscribeRequest, signal?: AbortSignal) => Promise<StreamPosition>

/** A page that is being read. */
interface Reading {
  readonly position: StreamPosition
  readonly updates: Entry[]
  bytes: number
  /** Everything up to this offset is part of the page, or not wanted. */
  cursor: number
  more: boolean
  ended: boolean
}

export class History {
  readonly #log: Log
  readonly #streams: Streams
  readonly #locate: Locate
  readonly #reads = new Semaphore(maxReads)

  constructor(log: Log, streams: Streams, locate: Locate) {
    this.#log = log
    this.#streams = streams
    this.#locate = locate
  }

  /**
   * Reads a page. Rejects with the reason of the signal when that is aborted first.
   * @throws TidingsError `limit_invalid`, `wait_invalid`, `token_revoked`, `revoked`, or as `Hub.locate` does
   */
  async page(request: HistoryRequest, signal?: AbortSignal): Promise<HistoryPage> {
    const { limit = defaultLimit, wait = 0 } = request
    validateHistoryRequest(request)
    const deadline = performance.now() + wait
    let wanted: SubscribeRequest = request
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const position = await this.#locate(wanted, signal)
      this.#streams.adoptEpoch(position.epoch)
      const reading: Reading = { position, updates: [], bytes: 0, cursor: position.after, more: false, ended: false }
      const isRead = await this.#read(reading, limit, deadline, signal, () => this.#requireUnrevoked(request))
      if (isRead) {
        this.#requireUnrevoked(request)
        return pageOf(reading)
      }
      // Where a client named no id, it continues from where this page began, so that it gets a gap.
      if (!wanted.lastEventId) wanted = { ...wanted, lastEventId: formatId(position.epoch, reading.cursor) }
    }
    throw new TidingsError('log_unavailable', 'retention removes updates faster than they can be read')
  }

  /** Fills the page, and waits while it is empty. Returns false when it has to begin again. */
  async #read(
    reading: Reading,
    limit: number,
    deadline: number,
    signal: AbortSignal | undefined,
    requireUnrevoked: () => void
  ): Promise<boolean> {
    const { position, updates } = reading
    if (!(await this.#reads.run(() => this.#fill(reading, limit, signal), signal))) return false
    reading.ended = await this.#isOver(reading)
    while (updates.length === 0 && !position.gap && !reading.ended) {
      const waitMs = Math.min(deadline - performance.now(), position.until - Date.now())
      if (waitMs <= 0 || this.#streams.isDraining) return true
      await this.#wait(reading, waitMs, signal)
      requireUnrevoked()
      if (!(await this.#continue(reading, limit, signal))) return false
      // Without an update no end has arrived, and the log need not be asked.
      if (updates.length > 0) reading.ended = await this.#isOver(reading)
    }
    return true
  }

  async #wait({ position, cursor }: Reading, ms: number, signal: AbortSignal | undefined): Promise<void> {
    const { window, epoch, polls } = this.#streams
    // Entries that arrived while the log was read wake nobody.
    if (epoch === position.epoch && window.head > cursor) return
    // The log may have started over before the hub hears of it.
    await polls.wait(position.interest, epoch === position.epoch ? ms : Math.min(ms, staleEpochMs), signal)
    signal?.throwIfAborted()
  }

  /** New entries are in the window of this node, so that a thousand clients that wait do not read the log a thousand times. */
  async #continue(reading: Reading, limit: number, signal: AbortSignal | undefined): Promise<boolean> {
    const { window, epoch } = this.#streams
    const { position, updates } = reading
    if (epoch !== position.epoch || !window.covers(reading.cursor)) {
      return this.#reads.run(() => this.#fill(reading, limit, signal), signal)
    }
    while (reading.cursor < window.head) {
      const isFull = updates.length >= limit || reading.bytes >= maxBytes
      const pageLimit = isFull ? { entries: 1, bytes: 1 } : { entries: limit - updates.length, bytes: maxBytes }
      const { frames, cursor } = window.framesAfter(reading.cursor, position.interest, pageLimit)
      reading.more = isFull && frames.length > 0
      if (reading.more) return true
      for (const { entry, size } of frames) {
        updates.push(entry)
        reading.bytes += size
      }
      reading.cursor = cursor
    }
    return true
  }

  /** Reads the log up to its end or the limits, and whether anything follows. Returns false when entries of the page were lost. */
  async #fill(reading: Reading, limit: number, signal: AbortSignal | undefined): Promise<boolean> {
    const { position, updates } = reading
    const isFull = () => updates.length >= limit || reading.bytes >= maxBytes
    for (let cursor = reading.cursor; ; ) {
      const pageLimit = isFull() ? { entries: 1, bytes: 1 } : { entries: limit - updates.length, bytes: maxBytes }
      const page = await this.#log.read(cursor, position.interest, pageLimit, position.removalsSeen)
      // What was read before is complete. The next page reports the gap.
      const isLost = page.epoch !== position.epoch || page.lost
      if (isLost && updates.length === 0) return false
      reading.more = isLost || (isFull() && page.entries.length > 0)
      if (reading.more) return true
      for (const entry of page.entries) {
        updates.push(entry)
        reading.bytes += sizeOf(entry.update)
      }
      reading.cursor = page.cursor
      if (page.cursor === cursor) return true
      cursor = page.cursor
      // A log in this process answers without a pause, and streams must not wait for a search of all history.
      await new Promise(setImmediate)
      signal?.throwIfAborted()
    }
  }

  #requireUnrevoked({ client, topics = [] }: HistoryRequest): void {
    const selectors = topics.length > 0 ? topics : ['*']
    const code = client && this.#streams.revocations.refusalOf({ ...client, selectors })
    if (code) throw new TidingsError(code)
  }

  async #isOver({ position, cursor, more }: Reading): Promise<boolean> {
    if (more) return false
    const last = await lastEnd(this.#log, position.interest)
    return last !== undefined && last <= cursor
  }
}

function pageOf({ position, updates, cursor, more, ended }: Reading): HistoryPage {
  const { gap, epoch } = position
  return { updates, lastEventId: formatId(epoch, cursor), ...(gap && { gap }), more, ended }
}

/** @throws TidingsError `limit_invalid` or `wait_invalid` */
export function validateHistoryRequest({ limit = defaultLimit, wait = 0 }: HistoryRequest): void {
  if (!(Number.isSafeInteger(limit) && limit >= 1 && limit <= maxLimit)) {
    throw new TidingsError('limit_invalid', `the range is 1 to ${maxLimit}, got ${limit}`)
  }
  if (!(wait >= 0 && wait <= maxWaitMs)) {
    throw new TidingsError('wait_invalid', `the range is 0 to ${maxWaitMs / 1_000}s, got ${wait / 1_000}s`)
  }
}
