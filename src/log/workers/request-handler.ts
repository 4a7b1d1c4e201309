// Answers the requests of one worker with the log.
import type { LmdbLog } from '../lmdb/log.ts'
import type { Appended, DedupKey, Entry, Filter } from '../log.ts'
import type { MemoryLog } from '../memory/log.ts'
import type { Member } from '../roster.ts'
import {
  decodeMember,
  decodeUpdate,
  encodeEntry,
  encodeMember,
  encodeRemovals,
  type Question,
  type Request,
  type WireAppended,
  type WireLost,
  type WireMember,
  type WireNewest,
  type WirePage,
  type WirePlace,
  type WireRemovals,
  type WireTopics
} from './protocol.ts'

/** A log that belongs to one process. */
export type OwnedLog = MemoryLog | LmdbLog

/** Members in one answer. */
const maxMembers = 500
/** How long a worker may take to open the folder, in milliseconds. */
const openTimeoutMs = 10_000
const searchPage = { entries: 1_000, bytes: 2 ** 20 }

type Of<Verb extends Question[0]> = Extract<Request, readonly [number, Verb, ...unknown[]]>
type Read = Of<'read' | 'lost' | 'newest' | 'ends' | 'locate' | 'members'>

export class RequestHandler {
  readonly #log: OwnedLog
  readonly #send: (node: string, message: string) => boolean
  /** The removals that this worker knows. */
  #sentRemovals = 0
  #release: () => void = () => {}
  #isClosed = false
  readonly #listings = new Map<number, AsyncGenerator<readonly Member[], void, undefined>>()

  constructor(log: OwnedLog, send: (node: string, message: string) => boolean) {
    this.#log = log
    this.#send = send
  }

  static isRead(request: Request): request is Read {
    return ['read', 'lost', 'newest', 'ends', 'locate', 'members'].includes(request[1])
  }

  /** @throws what the log throws */
  async handle(request: Request): Promise<unknown> {
    switch (request[1]) {
      case 'append':
        return this.#append(request)
      case 'announce':
        return this.#announce(request)
      case 'delete':
        return encodeEntry(await this.#log.delete(request[2], decodeUpdate(request[3])))
      case 'renew':
        return this.#log.roster.renew(request[2], request[3])
      case 'send':
        return this.#send(request[2], request[3])
      case 'unlist':
        return this.#unlist(request[2])
      case 'hold':
        return this.#hold(request[2])
      case 'release':
        return this.#release()
      case 'leave':
        return undefined
      default:
        return this.#read(request)
    }
  }

  #read(request: Read): Promise<unknown> {
    switch (request[1]) {
      case 'read':
        return this.#readPage(request)
      case 'lost':
        return this.#lost(request)
      case 'newest':
        return this.#newest(request)
      case 'ends':
        return this.#ends(request[2])
      case 'locate':
        return this.#log.locate(request[2])
      case 'members':
        return this.#members(request[2])
    }
  }

  /** Ends what is in progress. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#release()
    await Promise.all([...this.#listings.keys()].map((listing) => this.#unlist(listing)))
  }

  /** A process that is suspended while it opens the folder would undo commits when it continues, so it is killed. */
  async #hold(pid: number): Promise<void> {
    if (!('files' in this.#log)) return
    const release = await this.#log.files.store.gate.hold()
    const timer = setTimeout(() => {
      if (pid !== process.pid) process.kill(pid, 'SIGKILL')
    }, openTimeoutMs)
    this.#release = () => {
      clearTimeout(timer)
      release()
    }
    if (this.#isClosed) this.#release()
  }

  async #append([, , stored, keys, ttlMs]: Of<'append'>): Promise<WireAppended> {
    const updates = stored.map(decodeUpdate)
    if (!keys) return encodeAppended(await this.#log.append(updates))
    const dedupKeys = keys.map((pair): DedupKey | undefined =>
      pair?.[0] !== undefined ? { key: pair[0], fingerprint: pair[1] } : undefined
    )
    return encodeAppended(await this.#log.append(updates, { keys: dedupKeys, ttlMs: ttlMs as number }))
  }

  async #announce([, , updates, members]: Of<'announce'>): Promise<void> {
    const announcements = updates.map((stored, at) => {
      const member = members[at]
      return { update: decodeUpdate(stored), member: member ? decodeMember(member) : null }
    })
    await this.#log.roster.announce(announcements)
  }

  /** The filter of the worker is a function, so this page is one for any filter with the same topics. */
  async #readPage([, , after, topics, entries, bytes, removalsSeen]: Of<'read'>): Promise<WirePage> {
    const page = await this.#log.read(after, filterOf(topics), { entries, bytes }, removalsSeen ?? undefined)
    const rows = page.entries.map(encodeEntry)
    if (!page.lost) return [rows, page.cursor]
    return [rows, page.cursor, this.#newRemovals()]
  }

  /** What a page may lack that the worker read in the folder, as of a commit. */
  async #lost([, , after, removalsSeen, version]: Of<'lost'>): Promise<WireLost> {
    if (!('files' in this.#log)) return null
    const { removalIndex, store } = this.#log.files
    const isNewest = store.version === version
    return removalIndex.mayLack(after, isNewest, removalsSeen ?? undefined) ? [this.#newRemovals(), isNewest] : null
  }

  /** The removals that the worker does not know yet. */
  #newRemovals(): WireRemovals {
    const source = 'files' in this.#log ? this.#log.files.removalIndex : this.#log.removalIndex
    const update = source.since(this.#sentRemovals)
    this.#sentRemovals = update.removals
    return encodeRemovals(update)
  }

  /** Of the newest entries with these topics, those before an offset. */
  async #newest([, , topics, count, before]: Of<'newest'>): Promise<WireNewest> {
    const filter = filterOf(topics)
    const after = await this.#log.newest(filter, count)
    const found: WireTopics[] = []
    for (let cursor = after; cursor < before - 1; ) {
      const page = await this.#log.read(cursor, filter, searchPage)
      for (const { offset, update } of page.entries) {
        if (offset < before) found.push([offset, update.topics, update.private === true])
      }
      if (page.cursor === cursor) break
      cursor = page.cursor
    }
    return [found, after, after < this.#log.first]
  }

  async #ends(topics: readonly string[]) {
    return (await this.#log.ends(topics)).map((entry) => entry && encodeEntry(entry))
  }

  /** The next members of a listing; null at its end. */
  async #members(listing: number): Promise<WireMember[] | null> {
    const pages = this.#listings.get(listing) ?? inPages(this.#log)
    this.#listings.set(listing, pages)
    const { value } = await pages.next()
    if (value) return value.map(encodeMember)
    this.#listings.delete(listing)
    return null
  }

  async #unlist(listing: number): Promise<void> {
    const pages = this.#listings.get(listing)
    this.#listings.delete(listing)
    await pages?.return()
  }
}

async function* inPages({ roster }: OwnedLog): AsyncGenerator<readonly Member[], void, undefined> {
  for await (const page of roster.members()) {
    for (let at = 0; at < page.length; at += maxMembers) yield page.slice(at, at + maxMembers)
  }
}

function filterOf(topics: readonly string[] | null): Filter {
  if (!topics) return { admits: () => true }
  const wanted = new Set(topics)
  return { admits: (found) => found.some((topic) => wanted.has(topic)), topics }
}

/** Most appends are consecutive, and of one time. */
function encodeAppended(entries: readonly Appended[]): WireAppended {
  const [one] = entries
  const isRow = one && entries.every((entry, at) => follows(one, entry, at))
  return isRow ? [one.offset, one.time] : entries.map(placeOf)
}

function follows(one: Entry, { offset, time, repeated }: Appended, at: number): boolean {
  return offset === one.offset + at && time === one.time && !repeated
}

function placeOf({ offset, time, repeated }: Appended): WirePlace {
  return repeated ? [offset, time, repeated] : [offset, time]
}
