// Reads the history of a log in LMDB in the worker itself: the primary writes the folder, and its workers read it on their own cores.
import { join } from 'node:path'
import { open, type RootDatabase } from 'lmdb'
import { TidingsError } from '../../errors.ts'
import { Deletions } from '../deletion.ts'
import { LmdbEntries } from '../lmdb/entries.ts'
import { classifyReadError } from '../lmdb/files/damaged.ts'
import { LmdbHeader } from '../lmdb/files/header.ts'
import { LmdbIndex } from '../lmdb/index-table.ts'
import { type EntrySource, findEnd, findId, findNewest, readPage } from '../lmdb/reader.ts'
import type { State } from '../lmdb/store.ts'
import { type Codec, LmdbValues } from '../lmdb/values.ts'
import type { Entry, Filter, Page, PageLimit } from '../log.ts'
import { type History, RemovalReplica, type View } from './history.ts'
import type { PrimaryConnection } from './primary-connection.ts'
import type { WireLost } from './protocol.ts'

/** A commit, as the reads of one turn see it. It may be newer than what was delivered. */
interface Snapshot {
  readonly version: number
  readonly deletions: Deletions
}

export class FolderReader implements History {
  readonly #connection: PrimaryConnection
  readonly #view: View
  readonly #file: string
  readonly #root: RootDatabase
  readonly #entries: LmdbEntries
  readonly #states: LmdbValues<State, string>
  readonly #source: EntrySource
  readonly #removals = new RemovalReplica()
  #snapshot: Snapshot = { version: -1, deletions: Deletions.none }
  #isClosed = false

  /** @throws LogError when the folder cannot be read */
  static open(folder: string, connection: PrimaryConnection, view: View): FolderReader {
    const file = join(folder, 'data.mdb')
    const root = open({ path: folder, readOnly: true, noSubdir: false, maxDbs: 10 })
    try {
      return new FolderReader(folder, file, root, connection, view)
    } catch (error) {
      void root.close()
      throw classifyReadError(error, file)
    }
  }

  private constructor(folder: string, file: string, root: RootDatabase, connection: PrimaryConnection, view: View) {
    this.#connection = connection
    this.#view = view
    this.#file = file
    this.#root = root
    const meta = root.openDB<unknown, string>({ name: 'meta', encoding: 'msgpack' })
    const { encoder: codec } = meta as unknown as { encoder: Codec }
    const { areOldAllowed } = new LmdbHeader(meta, folder, file)
    const values = { root, file, codec, areOldAllowed }
    const entries = new LmdbEntries(values, view.epoch)
    // The primary has checked the index, so its sum is not needed.
    const index = new LmdbIndex(root, 0)
    this.#entries = entries
    this.#states = new LmdbValues(values, 'state', true)
    this.#source = {
      entry: (offset) => entries.entry(offset),
      from: (offset) => entries.from(offset),
      downFrom: (offset) => entries.downFrom(offset),
      offsets: (place, start, reverse = false) => index.offsets(place, start, reverse)
    }
  }

  /** What a commit removed that this worker has not heard of is missing in the page, so the primary is asked after it was read. */
  async read(after: number, filter: Filter, limit: PageLimit, removalsSeen?: number): Promise<Page> {
    for (;;) {
      const { epoch, head, deletions: deletionsSeen } = this.#view
      const { version, page } = this.#use(({ version, deletions }) => {
        return { version, page: readPage(this.#source, head, after, filter, limit, deletions) }
      })
      const question = ['lost', after, removalsSeen ?? null, version] as const
      const lost = await this.#connection.ask(question, (answer: WireLost) =>
        this.#lost(answer, after, filter, removalsSeen)
      )
      // After the announcement of a deletion, no page may have its entries.
      if (this.#view.deletions === deletionsSeen) return { ...page, epoch, lost }
    }
  }

  async newest(filter: Filter, count: number): Promise<number> {
    const search = () => {
      const deletions = () => this.#snapshot.deletions
      return findNewest(this.#source, this.#view.head, filter, count, deletions, () => this.#renew())
    }
    try {
      return (await this.#use(search)) ?? this.#view.first - 1
    } catch (error) {
      throw classifyReadError(error, this.#file)
    }
  }

  async ends(topics: readonly string[]): Promise<readonly (Entry | undefined)[]> {
    return this.#use(({ deletions }) => topics.map((topic) => findEnd(this.#source, this.#view.head, topic, deletions)))
  }

  async locate(id: string): Promise<number | undefined> {
    const found = this.#use(({ deletions }) => findId(this.#source, this.#view.head, id, deletions))
    // Another worker may have appended it a moment ago.
    return found ?? this.#connection.ask(['locate', id], (offset: number | undefined) => offset)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#root.close()
  }

  #lost(answer: WireLost, after: number, filter: Filter, removalsSeen: number | undefined): boolean {
    if (!answer) return false
    const [removals, isNewest] = answer
    this.#removals.replicate(removals)
    return this.#removals.lost(after, filter, removalsSeen, isNewest ? this.#view.removals : Infinity)
  }

  /** Reads the newest commit. `read` must not await. */
  #use<Result>(read: (snapshot: Snapshot) => Result): Result {
    try {
      this.#renew()
      return read(this.#snapshot)
    } catch (error) {
      throw classifyReadError(error, this.#file)
    }
  }

  /** Without it, LMDB may go on with the commit of an earlier read of this turn, and one newer than it may have been delivered. */
  #renew(): void {
    if (this.#isClosed) throw new TidingsError('closed')
    this.#connection.mustBeConnected()
    this.#entries.keys.resetReadTxn()
    const version = this.#states.keys.getEntry('state')?.version ?? 0
    if (version === this.#snapshot.version) return
    const deletions = this.#states.get('state')?.deletions
    this.#snapshot = { version, deletions: deletions ? new Deletions(deletions) : Deletions.none }
  }
}
