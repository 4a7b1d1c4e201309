// The databases of an LmdbLog: entries by offset, the index of topics and ids, and the state of the log.
import { statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { type Database, open, type RootDatabase } from 'lmdb'
import type { Deletion } from '../deletion.ts'
import { LogError } from '../error.ts'
import type { Entry } from '../log.ts'
import type { Tombstone } from '../retention/removal-index.ts'
import type { RuleUsage } from '../retention/rules.ts'
import { toStored } from '../stored-update.ts'
import { LmdbDedupStore } from './dedup-store.ts'
import { LmdbEntries } from './entries.ts'
import { CommitGate } from './files/commit-gate.ts'
import { classifyReadError, damaged } from './files/damaged.ts'
import { freeBytes } from './files/data-file.ts'
import { Disk } from './files/disk.ts'
import { LmdbHeader } from './files/header.ts'
import { LmdbIndex } from './index-table.ts'
import type { Durability } from './options.ts'
import { memberPlace, place, placesOf } from './places.ts'
import { LmdbRoster } from './roster.ts'
import { type Codec, LmdbValues } from './values.ts'

/** The state of the log, written with every commit. */
export interface State {
  readonly head: number
  /** Time of the newest entry, also when it was removed. */
  readonly time: number
  /** Up to this offset, entries of any topic may have been removed: `RemovalIndex.removedThrough`. */
  readonly floor: number
  readonly tallies: readonly RuleUsage[]
  /** The rules of the counters, as text; missing in data of format 1. */
  readonly rules?: string
  /** During a change of rules: up to this offset, superseded entries are removed. */
  readonly supersededThrough?: number
  /** Whether an entry that ends its topics was ever appended. */
  readonly hasEnds?: boolean
  /** The deletions in progress. */
  readonly deletions?: readonly Deletion[]
  /** The sum over the index, to detect damage. */
  readonly index?: number
}

export class LmdbStore {
  /** Deduplication keys, written in the same batch as the entries. */
  readonly dedup: LmdbDedupStore
  /** The roster, written in the same batch. */
  readonly roster: LmdbRoster
  readonly disk: Disk
  /** For other processes that open the folder. */
  readonly gate: CommitGate
  readonly #path: string
  readonly #root: RootDatabase
  readonly #entries: LmdbEntries
  readonly #index: LmdbIndex
  readonly #traces: LmdbValues<Tombstone, string>
  readonly #meta: Database<unknown, string>
  /** The state. Its version is the number of commits, to detect another writer. */
  readonly #states: LmdbValues<State, string>
  #version: number | undefined
  readonly #inode: bigint
  readonly #header: LmdbHeader

  /** @throws LogError when the data is not that of a log */
  static async open(path: string, durability: Durability, gate = new CommitGate()): Promise<LmdbStore> {
    const disk = new Disk(path)
    // A batch is one transaction with one promise, so a failed commit leaves no other rejection unhandled.
    const options = { eventTurnBatching: false, overlappingSync: false, noSubdir: false, maxDbs: 10 }
    const root = open({ path, ...options, noSync: durability === 'os' })
    try {
      return new LmdbStore(path, disk, root, gate)
    } catch (error) {
      await root.close()
      throw error
    }
  }

  private constructor(path: string, disk: Disk, root: RootDatabase, gate: CommitGate) {
    this.gate = gate
    this.#path = path
    this.disk = disk
    this.#root = root
    this.#meta = this.#root.openDB({ name: 'meta', encoding: 'msgpack' })
    this.#header = new LmdbHeader(this.#meta, path, this.#file)
    const { encoder: codec } = this.#meta as unknown as { encoder: Codec }
    const values = { root: this.#root, file: this.#file, codec, areOldAllowed: this.#header.areOldAllowed }
    this.#entries = new LmdbEntries(values, this.epoch)
    this.#traces = new LmdbValues(values, 'traces')
    this.#states = new LmdbValues(values, 'state', true)
    this.#version = this.#states.keys.getEntry('state')?.version
    if (this.state === undefined && this.first !== undefined) throw damaged(this.#file, 'its state is missing')
    this.#index = new LmdbIndex(this.#root, this.state?.index)
    if (!this.#index.isWhole) throw damaged(this.#file, 'its index is not what was written there')
    this.#inode = statSync(this.#file, { bigint: true }).ino
    this.dedup = new LmdbDedupStore(values)
    this.roster = new LmdbRoster(values, memberPlace)
    this.disk.fillReserve()
  }

  get epoch(): string {
    return this.#header.epoch
  }

  get state(): State | undefined {
    return this.#states.get('state') ?? (this.#meta.get('state') as State | undefined)
  }

  /** Offset of the oldest kept entry. */
  get first(): number | undefined {
    return this.#entries.first
  }

  entry(offset: number): Entry | undefined {
    return this.#entries.entry(offset)
  }

  /** Entries from an offset on, oldest first. The caller must not await while it iterates. */
  from(offset: number): Generator<Entry, void, undefined> {
    return this.#entries.from(offset)
  }

  /** Entries up to an offset, newest first. */
  downFrom(offset: number): Generator<Entry, void, undefined> {
    return this.#entries.downFrom(offset)
  }

  /** The offsets of a place, ascending or descending from one. */
  offsets(place: string, start: number, reverse = false): Iterable<number> {
    return this.#index.offsets(place, start, reverse)
  }

  /** The number of entries of a place. */
  count(place: string): number {
    return this.#index.countOf(place)
  }

  *traces(): Generator<Tombstone, void, undefined> {
    for (const { value } of this.#traces.range()) yield value
  }

  put({ offset, time, update }: Entry): void {
    this.#entries.put(offset, toStored(time, update))
    for (const place of placesOf(update)) this.#index.add(place, offset)
  }

  remove({ offset, update }: Entry): void {
    this.#entries.remove(offset)
    for (const place of placesOf(update)) this.#index.remove(place, offset)
  }

  putState(state: State): void {
    this.#states.put('state', { ...state, index: this.#index.sum }, (this.#version ?? 0) + 1)
  }

  putTrace(key: string, trace: Tombstone): void {
    this.#traces.put(place('t', key), trace)
  }

  removeTrace(key: string): void {
    this.#traces.remove(place('t', key))
  }

  /**
   * Commits everything that `write` puts and removes, or nothing. Resolves when it is durable. A commit that adds entries passes the disk
   * space that it needs; one that only removes may use all of it.
   * @throws TidingsError `storage_full`, or a LogError after which nothing more can be promised
   */
  async commit(write: () => void, needed?: () => number): Promise<void> {
    if (needed !== undefined) this.disk.requireSpace(needed, () => freeBytes(this.#path))
    await this.#commit(() => {
      write()
      if (this.#header.isOlder) this.#header.upgrade()
    })
    this.#header.isOlder = false
    // LMDB may reuse a read transaction of this tick, from before the commit.
    this.#entries.keys.resetReadTxn()
    this.disk.succeeded()
  }

  /** An empty commit, after which LMDB can reuse the pages that earlier commits freed. */
  async reclaimPages(): Promise<void> {
    const { state } = this
    if (state) await this.#commit(() => this.putState(state))
  }

  /** The number of commits, which the file has in the same commit. */
  get version(): number | undefined {
    return this.#version
  }

  /** Frees the pages that a process that was killed was reading. */
  releaseReaders(): void {
    this.#root.readerCheck()
  }

  close(): Promise<void> {
    return this.#root.close()
  }

  get #file(): string {
    return join(this.#path, 'data.mdb')
  }

  /** Turns an error on reading into one that says what to do. */
  classifyError(error: unknown): Error {
    return classifyReadError(error, this.#file)
  }

  /**
   * Commits unless another process has committed since, whose entries would be overwritten. LMDB checks the version inside the
   * transaction.
   */
  #commit(write: () => void): Promise<void> {
    return this.gate.commit(() => this.#commitAlone(write))
  }

  async #commitAlone(write: () => void): Promise<void> {
    const version = this.#version
    this.#index.begin()
    const committed =
      version === undefined
        ? this.#states.keys.ifNoExists('state', write)
        : this.#states.keys.ifVersion('state', version, write)
    let isOurs: boolean
    try {
      isOurs = await committed
    } catch (error) {
      throw await this.disk.classifyError(error)
    }
    if (!isOurs) throw this.#stopped('was written to by another process since this one opened it')
    this.#version = (version ?? 0) + 1
    this.#index.settle()
    this.#fillUp()
  }

  /** LMDB may leave free pages at the end of the file unwritten. They are filled here, so that a file that is too short was truncated. */
  #fillUp(): void {
    const { lastPageNumber, pageSize } = this.#root.getStats() as { lastPageNumber: number; pageSize: number }
    const needed = (lastPageNumber + 1) * pageSize
    const stat = statSync(this.#file, { bigint: true, throwIfNoEntry: false })
    if (stat?.ino !== this.#inode) throw this.#stopped('was replaced since this process opened it')
    if (stat.size < needed) truncateSync(this.#file, needed)
  }

  #stopped(what: string): LogError {
    return new LogError(
      `${this.#file} ${what}, so its last updates were not written; make sure that only one process uses the folder, then start again`
    )
  }
}
