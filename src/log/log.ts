// The contract of a log: an ordered, append-only history with retention. A log knows no subscriber.
import type { Update } from '../update.ts'
import type { Bus } from './bus.ts'
import type { Deletion } from './deletion.ts'
import type { Member, Roster } from './roster.ts'

/** An update with its position in the log. */
export interface Entry {
  readonly epoch: string
  /** 1 for the first entry of an epoch, and one more for each entry after it. */
  readonly offset: number
  /** The publisher's id; otherwise `#<epoch>-<offset>`. */
  readonly id: string
  /** When it was appended, in milliseconds since 1970; never before the entry that precedes it. */
  readonly time: number
  readonly update: Update
  /** For an announcement: who comes; `null` when the member with the entry's first topic goes. Only logs with a roster set it. */
  readonly member?: Member | null
  /** For the announcement of a deletion, when it is delivered: what is deleted. */
  readonly deletion?: Deletion
}

/** The key by which a repeated update is recognized. Both texts are short, and are only compared. */
export interface DedupKey {
  readonly key: string
  /** A hash of the update: the same key with another fingerprint is an error. */
  readonly fingerprint: string
}

/** Asks that updates that were appended before are not appended again. */
export interface DedupOptions {
  /** The key of each update; undefined for an update that is appended in any case. */
  readonly keys: readonly (DedupKey | undefined)[]
  /** How long a key is remembered after its append, in milliseconds. */
  readonly ttlMs: number
}

/** An entry as the result of an append. */
export interface Appended extends Entry {
  /** The update was appended before, and not this time. Retention may have removed the entry since. */
  readonly repeated?: true
}

/** Which entries a reader wants. */
export interface Filter {
  /** Whether an update with these topics is wanted. */
  admits(topics: readonly string[], isPrivate: boolean): boolean
  /** When given, only entries with one of these topics are admitted, so a log with an index need not read the others. */
  readonly topics?: readonly string[] | undefined
}

/** The limits of one page. A page always makes progress, so a single entry may exceed `bytes`. */
export interface PageLimit {
  readonly entries: number
  readonly bytes: number
}

/** A part of the history. */
export interface Page {
  /** The epoch of its entries: a log may start a new one before its reader hears of it. */
  readonly epoch: string
  /** The entries that the filter admits, oldest first. */
  readonly entries: readonly Entry[]
  /** The offset up to which entries were considered: the next page continues after it. */
  readonly cursor: number
  /** Whether retention removed, from the part that this page considered, an entry that the filter admits. */
  readonly lost: boolean
}

/**
 * An ordered, append-only history with retention.
 *
 * An implementation must not deliver an entry before it keeps its durability promise; deliver out of order, twice, or with a hole
 * that `lost` does not report; reuse an offset within an epoch; or block because of a slow reader.
 */
export interface Log {
  /** Changes when offsets start over, so that an old cursor is never trusted. Lower-case letters and digits. */
  readonly epoch: string
  /** Offset of the newest entry; 0 when there never was one. */
  readonly head: number
  /** Offset of the oldest entry that is kept; `head + 1` when none is. */
  readonly first: number
  /** Bytes that its entries take, for people; undefined if the log does not know. */
  readonly bytes?: number | undefined
  /** Number of entries that retention removed in this process: a point in time for `read`. */
  readonly removals: number
  /** Whether an append and a read can be expected to succeed, as far as this node knows. */
  readonly isReady: boolean
  /** Who is present on all nodes of the log. A log without one cannot announce subscriptions. */
  readonly roster?: Roster
  /** Messages between the nodes of the log. A log without one has a single node. */
  readonly bus?: Bus
  /**
   * Appends all updates, one after the other, or none. Resolves when the durability promise is kept. An update whose key is remembered
   * is not appended; its result is the entry that it became. The same holds for the second of two updates with one key in one append.
   * Keys are kept as safely as entries.
   * @throws TidingsError `closed` after `close()`; `key_reused`, with nothing appended, when a key was used for another update
   */
  append(updates: readonly Update[], dedup?: DedupOptions): Promise<Appended[]>
  /**
   * Calls `deliver` with every entry that any node appends from now on, in order, each once, also when retention removes it at once.
   * Resolves when following has begun. `deliver` must not throw.
   */
  follow(deliver: (entries: readonly Entry[]) => void): Promise<void>
  /**
   * Reads after an offset, oldest first. An empty page whose cursor is `head` is the end. With `removalsSeen`, an earlier value of
   * `removals`, only later removals count as lost.
   */
  read(after: number, filter: Filter, limit: PageLimit, removalsSeen?: number): Promise<Page>
  /** The offset after which the newest `count` entries follow that the filter admits; all of them when there are fewer. */
  newest(filter: Filter, count: number): Promise<number>
  /** Whether the log may keep an entry that ends its topics, as far as this node has delivered. If not, `ends` need not be asked. */
  readonly hasEnds: boolean
  /** For each topic, its newest kept entry if that is an end; undefined if the topic has not ended. */
  ends(topics: readonly string[]): Promise<readonly (Entry | undefined)[]>
  /**
   * Deletes entries, and appends the announcement in the same step. From then on no read returns them, on any node and after any
   * crash; storage is freed step by step. It is no gap. The announcement is delivered with `Entry.deletion`.
   * @throws TidingsError `closed`, `deletions_too_many`, or `log_unavailable` in another epoch, with nothing deleted
   */
  delete(deletion: Deletion, announcement: Update): Promise<Entry>
  /** The offset of an id: computed for ids that the log made; otherwise the oldest kept entry with that id. */
  locate(id: string): Promise<number | undefined>
  /** Finishes what was promised, releases everything, and delivers nothing more. */
  close(): Promise<void>
}
