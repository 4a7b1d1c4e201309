// What an LmdbLog keeps on disk: entries by offset, the offsets of each topic and of each publisher's id, and what is known
// of the whole. It knows LMDB; it knows no rule, no reader and no follower.
import { statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { type Database, open, type RootDatabase } from 'lmdb'
import { TidingsError } from '../../errors.ts'
import type { Update } from '../../update.ts'
import { LogError } from '../error.ts'
import { formatId } from '../ids.ts'
import type { Entry } from '../log.ts'
import type { Tombstone } from '../retention/removal-index.ts'
import type { RuleUsage } from '../retention/rules.ts'
import { LmdbDedupStore } from './dedup-store.ts'
import { damaged } from './files/damaged.ts'
import { freeBytes } from './files/data-file.ts'
import { Disk } from './files/disk.ts'
import { LmdbHeader } from './files/header.ts'
import { LmdbIndex } from './index-table.ts'
import type { Durability } from './options.ts'
import { memberPlace, place, placesOf } from './places.ts'
import { LmdbRoster } from './roster.ts'
import { type Codec, LmdbValues } from './values.ts'

/** What is known of the whole, written with every commit. */
export interface State {
  readonly head: number
  /** Time of the newest entry there ever was. */
  readonly time: number
  /** Up to this offset, an entry of any topic may have been removed. */
  readonly floor: number
  readonly tallies: readonly RuleUsage[]
  /** The rules that the tallies were made with, as text; missing in data of format 1. */
  readonly rules?: string
  /** While a change of rules is carried out: up to this offset, nothing is kept that `last` of its rule supersedes. */
  readonly supersededThrough?: number
  /** The sum over the index, by which damage in it is found. */
  readonly index?: number
}

type Value = [time: number, topics: readonly string[], data: string, ...rest: unknown[]]

export class LmdbStore {
  /** What is to be appended only once, written in the same batch as the entries. */
  readonly dedup: LmdbDedupStore
  /** Who is present, written likewise. */
  readonly roster: LmdbRoster
  readonly disk: Disk
  readonly #path: string
  readonly #root: RootDatabase
  readonly #entries: LmdbValues<Value, number>
  readonly #index: LmdbIndex
  readonly #traces: LmdbValues<Tombstone, string>
  readonly #meta: Database<unknown, string>
  /** The state, with the number of commits so far as its version, by which another writer is found out. */
  readonly #states: LmdbValues<State, string>
  #version: number | undefined
  readonly #inode: bigint
  readonly #header: LmdbHeader

  /** @throws LogError when what is there is no log. */
  static async open(path: string, durability: Durability): Promise<LmdbStore> {
    const disk = new Disk(path)
    // A batch is then one transaction, and its promise the only one: a commit that fails leaves no other one unhandled.
    const options = { eventTurnBatching: false, overlappingSync: false, noSubdir: false, maxDbs: 10 }
    const root = open({ path, ...options, noSync: durability === 'os' })
    try {
      return new LmdbStore(path, disk, root)
    } catch (error) {
      await root.close()
      throw error
    }
  }

  private constructor(path: string, disk: Disk, root: RootDatabase) {
    this.#path = path
    this.disk = disk
    this.#root = root
    this.#meta = this.#root.openDB({ name: 'meta', encoding: 'msgpack' })
    this.#header = new LmdbHeader(this.#meta, path, this.#file)
    const { encoder: codec } = this.#meta as unknown as { encoder: Codec }
    const values = { root: this.#root, file: this.#file, codec, areOldAllowed: this.#header.areOldAllowed }
    this.#entries = new LmdbValues(values, 'entries')
    this.#traces = new LmdbValues(values, 'traces')
    this.#states = new LmdbValues(values, 'state', true)
    this.#version = this.#states.keys.getEntry('state')?.version
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

  /** Offset of the oldest entry kept. */
  get first(): number | undefined {
    return [...this.#entries.keys.getKeys({ limit: 1 })][0]
  }

  entry(offset: number): Entry | undefined {
    const value = this.#entries.get(offset)
    return value && this.#entryOf(offset, value)
  }

  /** Entries from an offset on, oldest first. Not to be kept open while something is awaited. */
  *from(offset: number): Generator<Entry, void, undefined> {
    for (const { key, value } of this.#entries.range({ start: offset })) yield this.#entryOf(key, value)
  }

  /** Entries from an offset down, newest first. */
  *downFrom(offset: number): Generator<Entry, void, undefined> {
    for (const { key, value } of this.#entries.range({ start: offset, reverse: true })) yield this.#entryOf(key, value)
  }

  /** The offsets that a place has, from one on, or from one down. */
  offsets(place: string, start: number, reverse = false): Iterable<number> {
    return this.#index.offsets(place, start, reverse)
  }

  /** How many entries a place has. */
  count(place: string): number {
    return this.#index.countOf(place)
  }

  *traces(): Generator<Tombstone, void, undefined> {
    for (const { value } of this.#traces.range()) yield value
  }

  put({ offset, time, update }: Entry): void {
    const { topics, data, type, id, retry, private: isPrivate } = update
    const rest = [type, id, retry, isPrivate]
    while (rest.length > 0 && rest.at(-1) === undefined) rest.pop()
    this.#entries.put(offset, [time, topics, data, ...rest])
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
   * Does all that `write` puts and removes, or nothing, and resolves when it is kept. What adds tells how many bytes it may need;
   * what only removes says nothing, and may use up what there is.
   * @throws TidingsError `storage_full`, or a LogError after which nothing more can be promised.
   */
  async commit(write: () => void, needed?: () => number): Promise<void> {
    if (needed !== undefined) this.disk.mustHaveRoom(needed, () => freeBytes(this.#path))
    await this.#commit(() => {
      write()
      if (this.#header.isOlder) this.#header.upgrade()
    })
    this.#header.isOlder = false
    // A reader of this very turn may have looked before the commit, and who comes now must not see what it saw.
    this.#entries.keys.resetReadTxn()
    this.disk.wrote()
  }

  /** Lets LMDB use again what earlier commits have freed, which takes a commit in between: this one changes nothing. */
  async reclaimPages(): Promise<void> {
    const { state } = this
    if (state) await this.#commit(() => this.putState(state))
  }

  close(): Promise<void> {
    return this.#root.close()
  }

  #entryOf(offset: number, value: Value): Entry {
    if (!Array.isArray(value)) throw damaged(this.#file, `entry ${offset} cannot be read`)
    const [time, topics, data, type, id, retry, isPrivate] = value
    const update = {
      topics,
      data,
      ...(type != null && { type }),
      ...(id != null && { id }),
      ...(retry != null && { retry }),
      ...(isPrivate != null && { private: isPrivate })
    } as Update
    return { epoch: this.epoch, offset, id: update.id ?? formatId(this.epoch, offset), time, update }
  }

  get #file(): string {
    return join(this.#path, 'data.mdb')
  }

  /** What an error on reading comes down to, for the person who has to do something about it. */
  classifyError(error: unknown): Error {
    if (error instanceof TidingsError || error instanceof LogError) return error
    return damaged(this.#file, `it could not be read (${(error as Error).message})`)
  }

  /**
   * Commits what `write` puts and removes, the state among it, unless another process has committed since: its entries would
   * be overwritten. LMDB looks at the version within the transaction.
   */
  async #commit(write: () => void): Promise<void> {
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

  /** LMDB may leave free pages at the end unwritten. We do not, so that a file that is too short is one that was cut. */
  #fillUp(): void {
    const { lastPageNumber, pageSize } = this.#root.getStats() as { lastPageNumber: number; pageSize: number }
    const needed = (lastPageNumber + 1) * pageSize
    const stat = statSync(this.#file, { bigint: true, throwIfNoEntry: false })
    if (stat?.ino !== this.#inode) throw this.#stopped('is another file by now than the one that this process opened')
    if (stat.size < needed) truncateSync(this.#file, needed)
  }

  #stopped(what: string): LogError {
    return new LogError(
      `${this.#file} ${what}, and what this process was to write is not in it; see that one process uses the folder, then start again`
    )
  }
}
