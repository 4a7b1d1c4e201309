// The log on disk: history in a folder, kept by LMDB. An append is answered and delivered when it is on disk.
import { TidingsError } from '../../errors.ts'
import type { Update } from '../../update.ts'
import { checkDeletion, type Deletion } from '../deletion.ts'
import { LogError } from '../error.ts'
import { GroupCommit, type Outcome, type PendingAppend } from '../group-commit.ts'
import { parseId } from '../ids.ts'
import type { Appended, DedupOptions, Entry, Filter, Log, Page, PageLimit } from '../log.ts'
import { type RetentionRule, RetentionRules } from '../retention/rules.ts'
import { Leases, type Roster } from '../roster.ts'
import type { LmdbFolder } from './files/folder.ts'
import type { LmdbLogOptions } from './options.ts'
import { findEnd, findId, findNewest, readPage } from './reader.ts'
import type { LmdbRemovals } from './removals.ts'
import type { LmdbStore } from './store.ts'
import type { LmdbWriter } from './writer.ts'

/** How often expired entries, and those that a full disk kept, are removed. */
const trimIntervalMs = 1_000

/** @internal */
export interface LmdbFiles {
  readonly folder: Pick<LmdbFolder, 'path' | 'readerLeft'>
  readonly store: Pick<LmdbStore, 'version' | 'gate'>
  readonly removalIndex: Pick<LmdbRemovals, 'since' | 'mayLack'>
}

interface RuleChange {
  readonly rules: readonly RetentionRule[]
  resolve(): void
  reject(reason: unknown): void
}

export class LmdbLog implements Log {
  readonly roster: Roster
  readonly #folder: LmdbFolder
  readonly #store: LmdbStore
  readonly #writer: LmdbWriter
  readonly #commits = new GroupCommit((group) => this.#commit(group))
  readonly #followers = new Set<(entries: readonly Entry[]) => void>()
  readonly #leases = new Leases()
  readonly #failed: (error: LogError) => void
  readonly #timer: NodeJS.Timeout
  /** Rules that apply after the commit in progress. */
  #ruleChange: RuleChange | undefined
  #isClosed = false
  /** An error after which nothing more can be promised. */
  #failure: LogError | undefined

  /**
   * Opens the log in a folder, or begins one.
   * @throws LogError when the folder cannot be used, is in use, or holds damaged data; RangeError that names the option
   */
  static async open(options: LmdbLogOptions): Promise<LmdbLog> {
    const { path, durability = 'flush', retention = [], now = Date.now, failed = () => {} } = options
    const rules = new RetentionRules(retention)
    // Loaded here, so that a program that never opens a folder loads no native code.
    const [{ LmdbFolder }, { LmdbWriter }] = await Promise.all([import('./files/folder.ts'), import('./writer.ts')])
    const folder = await LmdbFolder.open(path, durability)
    try {
      return new LmdbLog(folder, await LmdbWriter.open(folder.store, rules, now), failed)
    } catch (error) {
      await folder.close()
      throw folder.store.classifyError(error)
    }
  }

  private constructor(folder: LmdbFolder, writer: LmdbWriter, failed: (error: LogError) => void) {
    this.#folder = folder
    this.#failed = failed
    this.#store = folder.store
    this.#writer = writer
    this.roster = {
      announce: async (announcements) => {
        this.#mustBeOpen()
        await this.#commits.announce(announcements)
      },
      members: () => this.#members(),
      renew: async (node, leaseMs) => this.#leases.renew(node, leaseMs)
    }
    this.#commits.request()
    const trimIfDue = () => {
      if (writer.hasAge || writer.isBehind) this.#commits.request()
    }
    this.#timer = setInterval(trimIfDue, trimIntervalMs).unref()
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
    return this.#writer.removalIndex.removals
  }

  /** @internal For processes that read the folder themselves. */
  get files(): LmdbFiles {
    return { folder: this.#folder, store: this.#store, removalIndex: this.#writer.removalIndex }
  }

  get isReady(): boolean {
    return !this.#isClosed && this.#failure === undefined
  }

  async append(updates: readonly Update[], dedup?: DedupOptions): Promise<Appended[]> {
    this.#mustBeOpen()
    return this.#commits.append(updates, dedup)
  }

  async follow(deliver: (entries: readonly Entry[]) => void): Promise<void> {
    this.#mustBeOpen()
    this.#followers.add(deliver)
  }

  async read(after: number, filter: Filter, limit: PageLimit, removalsSeen?: number): Promise<Page> {
    this.#mustBeOpen()
    try {
      const page = readPage(this.#store, this.head, after, filter, limit, this.#writer.deletions)
      return { ...page, epoch: this.epoch, lost: this.#writer.removalIndex.lost(after, filter, removalsSeen) }
    } catch (error) {
      throw this.#store.classifyError(error)
    }
  }

  async newest(filter: Filter, count: number): Promise<number> {
    this.#mustBeOpen()
    try {
      const found = await findNewest(
        this.#store,
        this.head,
        filter,
        count,
        () => this.#writer.deletions,
        () => this.#mustBeOpen()
      )
      return found ?? this.first - 1
    } catch (error) {
      throw this.#store.classifyError(error)
    }
  }

  async locate(id: string): Promise<number | undefined> {
    this.#mustBeOpen()
    const ours = parseId(id)
    if (ours) return ours.epoch === this.epoch && ours.offset <= this.head ? ours.offset : undefined
    try {
      return findId(this.#store, this.head, id, this.#writer.deletions)
    } catch (error) {
      throw this.#store.classifyError(error)
    }
  }

  get hasEnds(): boolean {
    return this.#writer.hasEnds
  }

  async ends(topics: readonly string[]): Promise<readonly (Entry | undefined)[]> {
    this.#mustBeOpen()
    try {
      return topics.map((topic) => findEnd(this.#store, this.head, topic, this.#writer.deletions))
    } catch (error) {
      throw this.#store.classifyError(error)
    }
  }

  async delete(deletion: Deletion, announcement: Update): Promise<Entry> {
    this.#mustBeOpen()
    checkDeletion(deletion, this.epoch)
    return this.#commits.delete(deletion, announcement)
  }

  /**
   * Sets other retention rules. Appends wait until the log is counted under them.
   * @throws TidingsError `closed` when the log is closed before that
   */
  async retain(rules: readonly RetentionRule[]): Promise<void> {
    this.#mustBeOpen()
    await new Promise<void>((resolve, reject) => {
      this.#ruleChange?.resolve()
      this.#ruleChange = { rules, resolve, reject }
      this.#commits.request()
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#followers.clear()
    clearInterval(this.#timer)
    await this.#commits.idle
    this.#ruleChange?.reject(new TidingsError('closed'))
    this.#ruleChange = undefined
    await this.#folder.close()
  }

  async *#members(): ReturnType<Roster['members']> & AsyncGenerator {
    try {
      yield* this.#store.roster.pages(() => this.#mustBeOpen())
    } catch (error) {
      throw this.#store.classifyError(error)
    }
  }

  #mustBeOpen(): void {
    if (this.#isClosed) throw new TidingsError('closed')
  }

  async #commit(group: readonly PendingAppend[]): Promise<readonly Outcome[]> {
    if (group.length === 0 && this.#isClosed) return []
    await this.#changeRules()
    try {
      if (this.#failure) throw this.#failure
      return await this.#writer.write(group, (entries) => this.#deliver(entries))
    } catch (cause) {
      const error = this.#store.classifyError(cause)
      // When the disk is full, nothing has changed. After any other error, the disk may not hold what we assume.
      if (error instanceof LogError && !this.#failure) {
        this.#failure = error
        this.#failed(error)
      }
      throw error
    } finally {
      const { isBehind, isStuck } = this.#writer
      if (isBehind && !isStuck && this.isReady) this.#commits.request()
    }
  }

  async #changeRules(): Promise<void> {
    const change = this.#ruleChange
    this.#ruleChange = undefined
    if (!change) return
    try {
      await this.#writer.retain(change.rules)
      change.resolve()
    } catch (error) {
      change.reject(this.#store.classifyError(error))
    }
  }

  #deliver(entries: readonly Entry[]): void {
    if (entries.length > 0) for (const deliver of this.#followers) deliver(entries)
  }
}
