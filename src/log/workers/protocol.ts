// What the primary and its workers send each other. Entries and updates are lists without names, so that nothing is sent twice.
import { type ErrorCode, TidingsError } from '../../errors.ts'
import type { Update } from '../../update.ts'
import type { Deletion } from '../deletion.ts'
import { LogError } from '../error.ts'
import { formatId } from '../ids.ts'
import type { Entry } from '../log.ts'
import { type CountedTombstone, type RemovalUpdate, tombstoneKey } from '../retention/removal-index.ts'
import type { Member } from '../roster.ts'
import { fromStored, type StoredUpdate, toStored } from '../stored-update.ts'

/** The state of the log at one moment. */
export type WireState = readonly [head: number, first: number, removals: number, hasEnds: boolean, isReady: boolean]

/** An entry of a page. */
export type WireEntry = readonly [offset: number, stored: StoredUpdate]

export type WireMember = readonly [topic: string, node: string, record: string, end: StoredUpdate]

/** What an entry of a batch announces, by its place in the batch. */
export type WireExtra = readonly [at: number, member: WireMember | null | undefined, deletion: Deletion | undefined]

/** Where an update stands in the log: one place for all updates of an append, or a place for each. */
export type WirePlace = readonly [offset: number, time: number, repeated?: true]
export type WireAppended = WirePlace | readonly WirePlace[]

type WireTombstone = readonly [topics: readonly string[], isPrivate: boolean, offset: number, count: number]
export type WireRemovals = readonly [
  removals: number,
  removedThrough: number,
  removedThroughCount: number,
  tombstones: readonly WireTombstone[]
]

/** A page that any filter with these topics admits. Without `removals`, nothing of it is lost. */
export type WirePage = readonly [entries: readonly WireEntry[], cursor: number, removals?: WireRemovals]

/**
 * The answer to `lost`; null when nothing is. `isNewest` says whether the reader saw the newest commit, so that removals of a commit in
 * progress do not count.
 */
export type WireLost = readonly [removals: WireRemovals, isNewest: boolean] | null

/** Topics of an entry, for a search that reads no data. */
export type WireTopics = readonly [offset: number, topics: readonly string[], isPrivate: boolean]

/** Some of the newest entries, oldest first; the offset after which they begin; and whether there are no older ones. */
export type WireNewest = readonly [found: readonly WireTopics[], after: number, isAll: boolean]

/** What a worker asks; several in one frame. */
export type Request = readonly [id: number, ...Question]
export type Question =
  | readonly ['append', updates: readonly StoredUpdate[], keys?: readonly ([string, string] | null)[], ttlMs?: number]
  | readonly ['announce', updates: readonly StoredUpdate[], members: readonly (WireMember | null)[]]
  | readonly ['delete', deletion: Deletion, announcement: StoredUpdate]
  | readonly [
      'read',
      after: number,
      topics: readonly string[] | null,
      entries: number,
      bytes: number,
      removalsSeen: number | null
    ]
  | readonly ['lost', after: number, removalsSeen: number | null, version: number]
  | readonly ['newest', topics: readonly string[] | null, count: number, before: number]
  | readonly ['ends', topics: readonly string[]]
  | readonly ['locate', id: string]
  | readonly ['members', listing: number]
  | readonly ['unlist', listing: number]
  | readonly ['renew', node: string, leaseMs: number]
  | readonly ['send', node: string, message: string]
  /** Before the process with this id opens the folder: no commit runs until `release`, or the end of the connection. */
  | readonly ['hold', pid: number]
  | readonly ['release']
  | readonly ['leave']

export type WireError = readonly [code: ErrorCode | null, text: string | undefined]
export type Answer = readonly [id: number, value: unknown, error?: WireError]

/** What the primary sends. */
export type Frame =
  | readonly ['hello', node: string, epoch: string, state: WireState, folder: string | undefined]
  | readonly ['batch', state: WireState, from: number, updates: readonly StoredUpdate[], extras?: readonly WireExtra[]]
  | readonly ['state', state: WireState]
  | readonly ['answers', answers: readonly Answer[]]
  | readonly ['message', text: string]

export function encodeBatch(state: WireState, entries: readonly Entry[]): Frame {
  const extras: WireExtra[] = []
  for (const [at, { member, deletion }] of entries.entries()) {
    if (member !== undefined || deletion) extras.push([at, member && encodeMember(member), deletion])
  }
  const rows = entries.map(({ time, update }) => toStored(time, update))
  const from = (entries[0] as Entry).offset
  return extras.length > 0 ? ['batch', state, from, rows, extras] : ['batch', state, from, rows]
}

export function decodeBatch(
  epoch: string,
  from: number,
  rows: readonly StoredUpdate[],
  extras: readonly WireExtra[] = []
): Entry[] {
  const entries = rows.map((row, at) => decodeEntry(epoch, [from + at, row]))
  for (const [at, member, deletion] of extras) {
    entries[at] = {
      ...(entries[at] as Entry),
      ...(member !== undefined && { member: member && decodeMember(member) }),
      ...(deletion && { deletion })
    }
  }
  return entries
}

export const encodeEntry = ({ offset, time, update }: Entry): WireEntry => [offset, toStored(time, update)]

export function decodeEntry(epoch: string, [offset, stored]: WireEntry): Entry {
  const { time, update } = fromStored(stored)
  return { epoch, offset, id: update.id ?? formatId(epoch, offset), time, update }
}

export const encodeUpdate = (update: Update): StoredUpdate => toStored(0, update)
export const decodeUpdate = (stored: StoredUpdate): Update => fromStored(stored).update

export function encodeMember({ topic, node, record, end }: Member): WireMember {
  return [topic, node, record, encodeUpdate(end)]
}

export function decodeMember([topic, node, record, end]: WireMember): Member {
  return { topic, node, record, end: decodeUpdate(end) }
}

export function encodeRemovals({
  removals,
  removedThrough,
  removedThroughCount,
  tombstones
}: RemovalUpdate): WireRemovals {
  const rows = tombstones.map(({ topics, isPrivate, offset, count }) => [topics, isPrivate, offset, count] as const)
  return [removals, removedThrough, removedThroughCount, rows]
}

export function decodeRemovals([removals, removedThrough, removedThroughCount, rows]: WireRemovals): RemovalUpdate {
  const tombstones = rows.map(([topics, isPrivate, offset, count]): CountedTombstone => {
    return { key: tombstoneKey(topics, isPrivate) as string, topics, isPrivate, offset, count }
  })
  return { removals, removedThrough, removedThroughCount, tombstones }
}

export function encodeError(error: unknown): WireError {
  if (error instanceof TidingsError) return [error.code, error.detail]
  return [null, (error as Error).message]
}

export function decodeError([code, text]: WireError): Error {
  return code === null ? new LogError(text ?? 'the log failed') : new TidingsError(code, text)
}
