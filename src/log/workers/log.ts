// A worker's part: the log of the primary process, with a copy of its state. Every batch of the primary arrives here in order.
import { TidingsError } from '../../errors.ts'
import type { Update } from '../../update.ts'
import { type Bus, checkMessage } from '../bus.ts'
import { checkDeletion, type Deletion } from '../deletion.ts'
import { formatId, parseId } from '../ids.ts'
import type { Appended, DedupOptions, Entry, Filter, Log, Page, PageLimit } from '../log.ts'
import type { Member, Roster } from '../roster.ts'
import { type History, View } from './history.ts'
import { PrimaryConnection } from './primary-connection.ts'
import { PrimaryReader } from './primary-reader.ts'
import {
  decodeBatch,
  decodeEntry,
  decodeMember,
  encodeMember,
  encodeUpdate,
  type Frame,
  type WireAppended,
  type WireEntry,
  type WireMember,
  type WirePlace
} from './protocol.ts'

export interface WorkerLogOptions {
  /** `LogServer.path`. */
  path: string
  /**
   * Called once when the primary process is gone, or has disconnected this one. The log does not come back: the owner ends the process.
   */
  onLost?: (reason: string) => void
}

export class WorkerLog implements Log {
  readonly roster: Roster
  readonly bus: Bus
  readonly #connection: PrimaryConnection
  readonly #view = new View()
  #history: History
  readonly #opened: Promise<void>
  readonly #followers = new Set<(entries: readonly Entry[]) => void>()
  #node = ''
  #takeMessage: (message: string) => void = () => {}
  #listings = 0
  #isClosed = false

  /** @throws TidingsError `log_unavailable` when the primary process cannot be reached; LogError when its folder cannot be read here */
  static async connect({ path, onLost = () => {} }: WorkerLogOptions): Promise<WorkerLog> {
    let lose: (reason: string) => void = () => {}
    const lost = new Promise<never>((_, reject) => {
      lose = (reason) => reject(new TidingsError('log_unavailable', reason))
    })
    const log = new WorkerLog(path, (reason) => lose(reason))
    try {
      await Promise.race([log.#opened, lost])
    } catch (error) {
      await log.close()
      throw error
    }
    lose = onLost
    return log
  }

  private constructor(path: string, lost: (reason: string) => void) {
    let open: (folder: string | undefined) => void = () => {}
    const folder = new Promise<string | undefined>((resolve) => {
      open = resolve
    })
    this.#connection = new PrimaryConnection(path, {
      take: (frame) => {
        this.#take(frame)
        if (frame[0] === 'hello') open(frame[4])
      },
      lost
    })
    this.#history = new PrimaryReader(this.#connection, this.#view)
    this.#opened = folder.then((found) => (found === undefined ? undefined : this.#readFolder(found)))
    this.roster = {
      announce: async (announcements) => {
        this.#mustBeOpen()
        const updates = announcements.map(({ update }) => encodeUpdate(update))
        const members = announcements.map(({ member }) => member && encodeMember(member))
        await this.#connection.ask(['announce', updates, members], () => {})
      },
      members: () => this.#members(),
      renew: (node, leaseMs) => this.#connection.ask(['renew', node, leaseMs], (nodes: readonly string[]) => nodes)
    }
    const node = () => this.#node
    this.bus = {
      get node() {
        return node()
      },
      onMessage: (take) => {
        this.#takeMessage = take
      },
      send: async (to, message) => {
        this.#mustBeOpen()
        checkMessage(message)
        return this.#connection.ask(['send', to, message], (isThere: boolean) => isThere)
      }
    }
  }

  get epoch(): string {
    return this.#view.epoch
  }

  get head(): number {
    return this.#view.head
  }

  get first(): number {
    return this.#view.first
  }

  get removals(): number {
    return this.#view.removals
  }

  get hasEnds(): boolean {
    return this.#view.hasEnds
  }

  get isReady(): boolean {
    return !this.#isClosed && this.#connection.isConnected && this.#view.isReady
  }

  async append(updates: readonly Update[], dedup?: DedupOptions): Promise<Appended[]> {
    this.#mustBeOpen()
    const stored = updates.map(encodeUpdate)
    const take = (places: WireAppended) => this.#appended(updates, places)
    if (!dedup) return this.#connection.ask(['append', stored], take)
    const keys = dedup.keys.map((one): [string, string] | null => (one ? [one.key, one.fingerprint] : null))
    return this.#connection.ask(['append', stored, keys, dedup.ttlMs], take)
  }

  async follow(deliver: (entries: readonly Entry[]) => void): Promise<void> {
    this.#mustBeOpen()
    this.#followers.add(deliver)
  }

  read(after: number, filter: Filter, limit: PageLimit, removalsSeen?: number): Promise<Page> {
    return this.#history.read(after, filter, limit, removalsSeen)
  }

  newest(filter: Filter, count: number): Promise<number> {
    return this.#history.newest(filter, count)
  }

  async locate(id: string): Promise<number | undefined> {
    const ours = parseId(id)
    if (!ours) return this.#history.locate(id)
    const isKnown = () => ours.epoch === this.#view.epoch && ours.offset <= this.head
    // Another worker may have made it a moment ago; its entry arrives before the answer.
    if (!isKnown()) await this.#connection.ask(['locate', id], () => {})
    return isKnown() ? ours.offset : undefined
  }

  ends(topics: readonly string[]): Promise<readonly (Entry | undefined)[]> {
    return this.#history.ends(topics)
  }

  async delete(deletion: Deletion, announcement: Update): Promise<Entry> {
    this.#mustBeOpen()
    checkDeletion(deletion, this.#view.epoch)
    const question = ['delete', deletion, encodeUpdate(announcement)] as const
    return this.#connection.ask(question, (row: WireEntry) => ({ ...decodeEntry(this.#view.epoch, row), deletion }))
  }

  /** Waits for the answers that are due. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#followers.clear()
    this.#takeMessage = () => {}
    await this.#connection.close()
    await this.#history.close()
  }

  /** Loaded here, so that a worker of a log in memory loads no native code. */
  async #readFolder(folder: string): Promise<void> {
    const { FolderReader } = await import('./folder-reader.ts')
    await this.#connection.ask(['hold', process.pid], () => {})
    try {
      this.#history = FolderReader.open(folder, this.#connection, this.#view)
    } finally {
      await this.#connection.ask(['release'], () => {})
    }
  }

  /** Pages are fetched one by one, so that a long list delays nothing else. */
  async *#members(): AsyncGenerator<readonly Member[], void, undefined> {
    const listing = ++this.#listings
    let isDone = false
    try {
      while (!isDone) {
        const page = await this.#connection.ask(['members', listing], (rows: readonly WireMember[] | null) => rows)
        isDone = page === null
        if (page) yield page.map(decodeMember)
      }
    } finally {
      if (!isDone) await this.#connection.ask(['unlist', listing], () => {}).catch(() => {})
    }
  }

  #take(frame: Exclude<Frame, readonly ['answers', ...unknown[]]>): void {
    switch (frame[0]) {
      case 'hello':
        ;[, this.#node, this.#view.epoch, this.#view.state] = frame
        return
      case 'state':
        this.#view.state = frame[1]
        return
      case 'message':
        this.#takeMessage(frame[1])
        return
      case 'batch': {
        const [, state, from, rows, extras = []] = frame
        this.#view.state = state
        this.#view.deletions += extras.filter(([, , deletion]) => deletion).length
        if (this.#followers.size === 0) return
        const entries = decodeBatch(this.#view.epoch, from, rows, extras)
        for (const deliver of this.#followers) deliver(entries)
      }
    }
  }

  #appended(updates: readonly Update[], places: WireAppended): Appended[] {
    const isRow = typeof places[0] === 'number'
    const [offset, time] = places as WirePlace
    return updates.map((update, at) => {
      const place = isRow ? ([offset + at, time] as const) : (places[at] as WirePlace)
      return this.#appendedAt(update, place)
    })
  }

  #appendedAt(update: Update, [offset, time, repeated]: WirePlace): Appended {
    const epoch = this.#view.epoch
    const id = update.id ?? formatId(epoch, offset)
    return { epoch, offset, id, time, update, ...(repeated && { repeated }) }
  }

  #mustBeOpen(): void {
    if (this.#isClosed) throw new TidingsError('closed')
  }
}
