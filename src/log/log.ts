// The log's contract, its ids, and what an entry is. No log knows a subscriber, a topic's syntax or the wire.
import type { Update } from '../update.ts'
import type { Member, Roster } from './roster.ts'

/** An update with its place in the log. */
export interface Entry {
  readonly epoch: string
  /** 1 for the first entry of an epoch; each entry's offset is one more than that of the entry before it. */
  readonly offset: number
  /** The publisher's id, or else `#<epoch>-<offset>`. */
  readonly id: string
  /** When it was appended, in milliseconds since 1970; never less than the time of the entry before it. */
  readonly time: number
  readonly update: Update
  /** Who came, where the update says so; `null` where it says that whoever has its first topic went. */
  readonly member?: Member | null
}

/** By what an update is known again when it is repeated. Both are short, and are only compared. */
export interface DedupKey {
  readonly key: string
  /** A fingerprint of what was said: the same key with another one is a mistake. */
  readonly fingerprint: string
}

/** Asks that what was appended before is not appended again. */
export interface DedupOptions {
  /** For each update its mark, or undefined where it is to be appended in any case. */
  readonly keys: readonly (DedupKey | undefined)[]
  /** For how many milliseconds a mark is remembered, from its append on. */
  readonly ttlMs: number
}

/** An entry as the answer to an append. */
export interface Appended extends Entry {
  /** It was appended before, and was not now. Retention may have removed it since. */
  readonly repeated?: true
}

/** Which entries a reader wants. */
export interface Filter {
  /** Whether an update with these topics is wanted. */
  admits(topics: readonly string[], isPrivate: boolean): boolean
  /** Where given, nothing is admitted that has none of these topics, so that a log with an index need not read the rest. */
  readonly topics?: readonly string[] | undefined
}

/** How much one page may hold. A page always makes progress, so one entry may be larger than `bytes`. */
export interface PageLimit {
  readonly entries: number
  readonly bytes: number
}

/** One stretch of history. */
export interface Page {
  /** The epoch that it is of: a log may begin anew before whoever reads it has heard of that. */
  readonly epoch: string
  /** The entries that the filter admits, oldest first. */
  readonly entries: readonly Entry[]
  /** Where the next page begins: everything up to this offset has been considered. */
  readonly cursor: number
  /** Whether retention removed, from the stretch that this page considered, an entry that the filter admits. */
  readonly lost: boolean
}

/**
 * An ordered, append-only history with retention.
 *
 * What an implementation may not do: deliver before the durability promise is kept; deliver out of order, twice, or with
 * a hole it does not admit; reuse an offset within an epoch; hold back a page because of who reads it.
 */
export interface Log extends Roster {
  /** Changes whenever offsets start over, so that an old cursor is never trusted. Lower-case letters and digits. */
  readonly epoch: string
  /** Offset of the newest entry; 0 when there never was one. */
  readonly head: number
  /** Offset of the oldest entry that is kept; `head + 1` when none is. */
  readonly first: number
  /** How many entries retention has removed so far, in this process: a mark in time for `read`. */
  readonly removals: number
  /** Whether an append and a read can be expected to succeed, as far as this node knows: what is elsewhere can be away. */
  readonly isReady: boolean
  /**
   * Appends all of the updates, one after the other, or none. Resolves when the durability promise is kept, also for what is
   * answered as repeated. An update whose key is remembered is left out, and answered with the entry that it became; of two in one
   * append that have one key, the second is. What is remembered is kept as safely as the entry itself.
   * @throws TidingsError `closed` after `close()`; `key_reused`, with nothing appended, where a key was used for another update.
   */
  append(updates: readonly Update[], dedup?: DedupOptions): Promise<Appended[]>
  /**
   * Calls `deliver` with every entry that is appended from now on, on whatever node, in order, each once. Resolves when
   * following has begun. `deliver` must not throw.
   */
  follow(deliver: (entries: readonly Entry[]) => void): Promise<void>
  /**
   * Reads on from an offset, oldest first. An empty page whose cursor is `head` is the end. With `since`, a value that
   * `removals` had, only what was removed after that counts as lost: the reader has been told of the rest, or asked for no
   * more than is kept.
   */
  read(after: number, filter: Filter, limit: PageLimit, removalsSeen?: number): Promise<Page>
  /** The offset after which lie just the newest `count` entries that the filter admits, or all, where there are fewer. */
  newest(filter: Filter, count: number): Promise<number>
  /** The offset of an id: arithmetic for the ids we make, else the oldest entry kept that bears it. */
  locate(id: string): Promise<number | undefined>
  /** Keeps what was promised, lets go of everything, and delivers nothing more. */
  close(): Promise<void>
}

/**
 * The id of a place in the log: short, free of bytes that would force a preflight on a cross-origin reconnect, and
 * impossible for a publisher to give [Fetch, CORS-safelisted request-header].
 */
export function formatId(epoch: string, offset: number): string {
  return `#${epoch}-${offset.toString(36)}`
}

const idForm = /^#([0-9a-z]{1,32})-(0|[1-9a-z][0-9a-z]{0,10})$/

/** Takes an id of ours apart; undefined for any other text. */
export function parseId(id: string): { epoch: string; offset: number } | undefined {
  const form = idForm.exec(id)
  if (!form) return undefined
  const offset = Number.parseInt(form[2] as string, 36)
  return Number.isSafeInteger(offset) ? { epoch: form[1] as string, offset } : undefined
}

/** A new epoch: 41 random bits, so that no two are alike. */
export function newEpoch(): string {
  const bits = crypto.getRandomValues(new Uint32Array(2))
  return (((bits[0] as number) % 0x200) * 2 ** 32 + (bits[1] as number)).toString(36)
}

/** What an entry counts for where a bound is in bytes: its text, and constants for its place in memory and its topics'. */
export function sizeOf(update: Update): number {
  let bytes = 200 + Buffer.byteLength(update.data) + (update.id?.length ?? 0) + (update.type?.length ?? 0)
  for (const topic of update.topics) bytes += 32 + topic.length
  return bytes
}
