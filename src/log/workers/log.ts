// A worker's part: the log of the primary process, with a copy of its state. Every batch of the primary arrives here in order.
import { TidingsError } from '../../errors.ts'
import type { Update } from '../../update.ts'
import { type Bus, checkMessage } from '../bus.ts'
import { checkDeletion, type Deletion } from '../deletion.ts'
import { formatId, parseId } from '../ids.ts'
import type { Appended, DedupOptions, Entry, Filter, Log, Page, PageLimit } from '../log.ts'
import type { Member, Roster } from '../roster.ts'
import { PrimaryConnection } from './primary-connection.ts'
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
  type WirePlace,
  type WireState
} from './protocol.ts'
import { PrimaryReader } from './reader.ts'

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
  readonly #reader: PrimaryReader
  readonly #followers = new Set<(entries: readonly Entry[]) => void>()
  #node = ''
  #epoch = ''
  #state: WireState = [0, 1, 0, false, false]
  #takeMessage: (message: string) => void = () => {}
  #listings = 0
  #isClosed = false

  /** @throws TidingsError `log_unavailable` when the primary process cannot be reached */
  static connect({ path, onLost = () => {} }: WorkerLogOptions): Promise<WorkerLog> {
    return new Promise((resolve, reject) => {
      let isOpen = false
      const log = new WorkerLog(path, {
        opened: () => {
          isOpen = true
          resolve(log)
        },
        lost: (reason) => (isOpen ? onLost(reason) : reject(new TidingsError('log_unavailable', reason)))
      })
    })
  }

  private constructor(path: string, owner: { opened(): void; lost(reason: string): void }) {
    this.#connection = new PrimaryConnection(path, {
      take: (frame) => {
        this.#take(frame)
        if (frame[0] === 'hello') owner.opened()
      },
      lost: (reason) => owner.lost(reason)
    })
    this.#reader = new PrimaryReader(this.#connection)
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
    return this.#epoch
  }

  get head(): number {
    return this.#state[0]
  }

  get first(): number {
    return this.#state[1]
  }

  get removals(): number {
    return this.#state[2]
  }

  get hasEnds(): boolean {
    return this.#state[3]
  }

  get isReady(): boolean {
    return !this.#isClosed && this.#connection.isConnected && this.#state[4]
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

  async read(after: number, filter: Filter, limit: PageLimit, removalsSeen?: number): Promise<Page> {
    return this.#reader.read(this.#epoch, after, filter, limit, removalsSeen, () => this.removals)
  }

  async newest(filter: Filter, count: number): Promise<number> {
    const found = count > 0 ? await this.#reader.newest(filter, count) : this.head
    return found ?? this.first - 1
  }

  async locate(id: string): Promise<number | undefined> {
    const ours = parseId(id)
    const isKnown = () => ours?.epoch === this.#epoch && ours.offset <= this.head
    // Another worker may have made it a moment ago; its entry arrives before the answer.
    const found = isKnown() ? undefined : await this.#connection.ask(['locate', id], (at: number | undefined) => at)
    return isKnown() ? ours?.offset : (found ?? undefined)
  }

  async ends(topics: readonly string[]): Promise<readonly (Entry | undefined)[]> {
    return this.#connection.ask(['ends', topics], (rows: readonly (WireEntry | undefined)[]) => {
      return rows.map((row) => (row ? decodeEntry(this.#epoch, row) : undefined))
    })
  }

  async delete(deletion: Deletion, announcement: Update): Promise<Entry> {
    this.#mustBeOpen()
    checkDeletion(deletion, this.#epoch)
    const question = ['delete', deletion, encodeUpdate(announcement)] as const
    return this.#connection.ask(question, (row: WireEntry) => ({ ...decodeEntry(this.#epoch, row), deletion }))
  }

  /** Waits for the answers that are due. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#followers.clear()
    this.#takeMessage = () => {}
    await this.#connection.close()
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
        ;[, this.#node, this.#epoch, this.#state] = frame
        return
      case 'state':
        this.#state = frame[1]
        return
      case 'message':
        this.#takeMessage(frame[1])
        return
      case 'batch': {
        const [, state, from, rows, extras] = frame
        this.#state = state
        if (this.#followers.size === 0) return
        const entries = decodeBatch(this.#epoch, from, rows, extras)
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
    const epoch = this.#epoch
    const id = update.id ?? formatId(epoch, offset)
    return { epoch, offset, id, time, update, ...(repeated && { repeated }) }
  }

  #mustBeOpen(): void {
    if (this.#isClosed) throw new TidingsError('closed')
  }
}
