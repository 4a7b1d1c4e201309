// The log that outlasts the process: history in a folder, kept by LMDB. An append is answered, and delivered, when it is on
// disk; appends that arrive together share one commit. It knows no subscriber, and no topic's syntax.
import { TidingsError } from '../../errors.ts'
import type { Update } from '../../update.ts'
import { LogError } from '../error.ts'
import { AppendQueue, asAppend, type PendingAppend, settle } from '../group-commit.ts'
import type { Appended, DedupOptions, Entry, Filter, Log, Page, PageLimit } from '../log.ts'
import { parseId } from '../log.ts'
import { type RetentionRule, RetentionRules } from '../retention/rules.ts'
import { type Announcement, Leases, type Member } from '../roster.ts'
import { LmdbFolder } from './files/folder.ts'
import type { LmdbLogOptions } from './options.ts'
import { idPlace } from './places.ts'
import { findNewest, readPage } from './reader.ts'
import type { LmdbStore } from './store.ts'
import { LmdbWriter } from './writer.ts'

/** How often entries are looked for that are too old, or that a full disk did not let go of. */
const tick = 1_000

/** A history on disk. */
export class LmdbLog implements Log {
  readonly #folder: LmdbFolder
  readonly #store: LmdbStore
  readonly #writer: LmdbWriter
  /** Rules that are to be gone by as soon as no commit is on its way. */
  #next: (Pick<PendingAppend, 'reject'> & { rules: readonly RetentionRule[]; resolve(): void }) | undefined
  readonly #followers = new Set<(entries: readonly Entry[]) => void>()
  readonly #waiting = new AppendQueue()
  readonly #leases = new Leases()
  #isWorking = false
  #work = Promise.resolve()
  #trimming = false
  #closed = false
  #failure: unknown
  #timer: NodeJS.Timeout | undefined

  /**
   * Opens the log in a folder, or begins one.
   * @throws LogError when the folder cannot be used, is in use, or holds what is damaged; RangeError for a bound that is none.
   */
  static async open(options: LmdbLogOptions): Promise<LmdbLog> {
    const { path, durability = 'flush', retention = [], covers, now = Date.now } = options
    const rules = new RetentionRules(retention, covers)
    const folder = await LmdbFolder.open(path, durability)
    try {
      return new LmdbLog(folder, await LmdbWriter.open(folder.store, rules, now))
    } catch (error) {
      await folder.close()
      throw folder.store.unreadable(error)
    }
  }

  private constructor(folder: LmdbFolder, writer: LmdbWriter) {
    this.#folder = folder
    this.#store = folder.store
    this.#writer = writer
    this.#trim()
    this.#timer = setInterval(() => this.#tick(), tick).unref()
  }

  /** How many commits there were since the log was opened: fewer than appends, where appends arrive together. */
  get commits(): number {
    return this.#writer.commits
  }

  get epoch(): string {
    return this.#store.epoch
  }

  get head(): number {
    return this.#writer.head
  }

  get first(): number {
    return this.#writer.first
  }

  get removals(): number {
    return this.#writer.losses.removals
  }

  get isReady(): boolean {
    return !this.#closed && this.#failure === undefined
  }

  async append(updates: readonly Update[], dedup?: DedupOptions): Promise<Appended[]> {
    this.#mustBeOpen()
    return new Promise((resolve, reject) => {
      this.#waiting.add({ updates, dedup, resolve, reject })
      this.#begin()
    })
  }

  async announce(announcements: readonly Announcement[]): Promise<void> {
    this.#mustBeOpen()
    await new Promise((resolve, reject) => {
      this.#waiting.add({ ...asAppend(announcements), resolve, reject })
      this.#begin()
    })
  }

  async *members(): AsyncGenerator<readonly Member[], void, undefined> {
    try {
      yield* this.#store.roster.pages(() => this.#mustBeOpen())
    } catch (error) {
      throw this.#store.unreadable(error)
    }
  }

  async renew(node: string, lease: number): Promise<readonly string[]> {
    return this.#leases.renew(node, lease)
  }

  async follow(deliver: (entries: readonly Entry[]) => void): Promise<void> {
    this.#mustBeOpen()
    this.#followers.add(deliver)
  }

  async read(after: number, filter: Filter, limit: PageLimit, removalsSeen?: number): Promise<Page> {
    this.#mustBeOpen()
    try {
      const page = readPage(this.#store, this.head, after, filter, limit)
      return { ...page, epoch: this.epoch, lost: this.#writer.losses.lost(after, filter, removalsSeen) }
    } catch (error) {
      throw this.#store.unreadable(error)
    }
  }

  async newest(filter: Filter, count: number): Promise<number> {
    this.#mustBeOpen()
    try {
      const found = await findNewest(this.#store, this.head, filter, count, () => this.#mustBeOpen())
      return found ?? this.first - 1
    } catch (error) {
      throw this.#store.unreadable(error)
    }
  }

  async locate(id: string): Promise<number | undefined> {
    this.#mustBeOpen()
    const ours = parseId(id)
    if (ours) return ours.epoch === this.epoch && ours.offset <= this.head ? ours.offset : undefined
    try {
      for (const offset of this.#store.offsets(idPlace(id), 0)) return offset <= this.head ? offset : undefined
    } catch (error) {
      throw this.#store.unreadable(error)
    }
    return undefined
  }

  /**
   * Keeps what other rules say from now on; what is appended waits until the log has been counted anew.
   * @throws TidingsError `closed` where the log is closed before that
   */
  async retain(rules: readonly RetentionRule[]): Promise<void> {
    this.#mustBeOpen()
    await new Promise<void>((resolve, reject) => {
      this.#next?.resolve()
      this.#next = { rules, resolve, reject }
      this.#trim()
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#followers.clear()
    clearInterval(this.#timer)
    await this.#work
    this.#next?.reject(new TidingsError('closed'))
    this.#next = undefined
    await this.#folder.close()
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new TidingsError('closed')
  }

  #trim(): void {
    this.#trimming = true
    this.#begin()
  }

  #begin(): void {
    if (this.#isWorking) return
    this.#isWorking = true
    this.#work = this.#commitAll()
  }

  /** While one commit is on its way, the next group gathers. */
  async #commitAll(): Promise<void> {
    // What is appended in this very tick belongs to the first group.
    await undefined
    while (!this.#waiting.isEmpty || (this.#trimming && !this.#closed)) {
      this.#trimming = false
      await this.#changeRules()
      await this.#commitGroup(this.#waiting.take())
    }
    this.#isWorking = false
  }

  async #changeRules(): Promise<void> {
    const { rules, resolve, reject } = this.#next ?? {}
    this.#next = undefined
    if (!rules) return
    try {
      await this.#writer.retain(rules)
      resolve?.()
    } catch (error) {
      reject?.(this.#store.unreadable(error))
    }
  }

  #tick(): void {
    if (this.#writer.hasAge || this.#writer.isBehind) this.#trim()
  }

  /** Never rejects: who appended is told. */
  async #commitGroup(group: PendingAppend[]): Promise<void> {
    try {
      if (this.#failure) throw this.#failure
      settle(group, await this.#writer.write(group, (entries) => this.#deliver(entries)))
    } catch (cause) {
      const error = this.#store.unreadable(cause)
      // Without room, nothing has happened. Whatever else went wrong, what is on disk may not be what we think.
      if (error instanceof LogError) this.#failure = error
      for (const { reject } of group) reject(error)
    }
    this.#trimming ||= this.#writer.isBehind && !this.#writer.isStuck && this.#failure === undefined
  }

  #deliver(entries: readonly Entry[]): void {
    if (entries.length > 0) for (const deliver of this.#followers) deliver(entries)
  }
}
