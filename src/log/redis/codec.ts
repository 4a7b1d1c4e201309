// Turns arguments of the Lua scripts into text, and their replies into objects. It sends nothing.
import type { Update } from '../../update.ts'
import type { Deletion } from '../deletion.ts'
import { formatId } from '../ids.ts'
import type { Entry } from '../log.ts'
import type { CountedTombstone } from '../retention/removal-index.ts'
import type { RetentionRules } from '../retention/rules.ts'
import type { Member } from '../roster.ts'
import { sizeOf } from '../size.ts'

/** The state of the log at one moment, as every script replies it. */
export interface LogState {
  readonly epoch: string
  readonly head: number
  readonly first: number
  readonly removals: number
  /** The traces of entries up to this offset may be gone. */
  readonly removedThrough: number
  /** The value of `removals` when `removedThrough` changed last. */
  readonly removedThroughCount: number
  /** The rules in force, as text; empty before the first append. */
  readonly rules: string
  /** Entries up to this offset are not counted under these rules yet; 0 when all are. */
  readonly counting: number
  /** Entries up to this offset are counted. */
  readonly counted: number
  /** The epoch that the script replaced; otherwise empty. */
  readonly replaced: string
  /** How many ends were appended in this epoch. */
  readonly ends: number
  /** The deletions in progress, as JSON; empty when there is none. */
  readonly deletions: string
  /** 1 when the stream holds entries that retention removed, and followers have yet to read. */
  readonly garbage: number
}

/** Values of a script's reply by name, as Redis sends them. */
export type Reply = Readonly<Record<string, unknown>>

/** A row of a stream: its id, then names and values of its fields in turn. */
export type Row = readonly [id: string, fields: readonly string[]]

/** Reads a flat list of names and values. */
export function readReply(list: unknown): LogState & Reply {
  return Object.fromEntries(pairsOf(list as readonly unknown[])) as LogState & Reply
}

export function readEntries(epoch: string, rows: readonly Row[]): Entry[] {
  return rows.map((row) => readEntry(epoch, row))
}

/** The rest of an update, with what it announces. */
type StoredUpdate = Omit<Update, 'topics'> & {
  readonly member?: RosterRecord | null
  readonly deletion?: Deletion
}

function readEntry(epoch: string, [streamId, list]: Row): Entry {
  const offset = offsetOf(streamId)
  const fields = Object.fromEntries(pairsOf(list)) as Record<'time' | 'topics' | 'update', string>
  const { topics, isPrivate } = readTopics(fields.topics)
  const { member, deletion, ...rest } = JSON.parse(fields.update) as StoredUpdate
  const update: Update = { topics, ...rest, ...(isPrivate && { private: true }) }
  return {
    epoch,
    offset,
    id: update.id ?? formatId(epoch, offset),
    time: Number(fields.time),
    update,
    ...(member !== undefined && { member: member && { topic: topics[0] as string, ...member } }),
    ...(deletion && { deletion })
  }
}

/** `12-0` → 12 */
export function offsetOf(streamId: string): number {
  return Number.parseInt(streamId, 10)
}

/** Reads the topics field of an entry, which is also the key of its trace. */
export function readTopics(text: string): { topics: string[]; isPrivate: boolean } {
  const [isPrivate, ...topics] = JSON.parse(text) as string[]
  return { topics, isPrivate: isPrivate === '1' }
}

export function readTombstones(traces: unknown): CountedTombstone[] {
  return (traces as [string, number, number][]).map(([key, count, offset]) => {
    return { key, count, offset, ...readTopics(key) }
  })
}

/** A member as the roster has it, by topic. */
type RosterRecord = Omit<Member, 'topic'>

/** Reads what HSCAN returns: topics and records in turn. */
export function readMembers(list: unknown): Member[] {
  return pairsOf(list as readonly string[]).map(([topic, record]) => {
    return { topic, ...(JSON.parse(record as string) as RosterRecord) }
  })
}

export interface EncodedUpdate {
  /** What the script needs to know. */
  readonly args: object
  /** What it stores as it is. */
  readonly json: string
}

/**
 * @param member who comes or, with `null`, goes with this update
 * @param deletion what is deleted with this update
 */
export function encodeUpdate(
  update: Update,
  rule: number,
  member: Member | null | undefined,
  deletion: Deletion | undefined
): EncodedUpdate {
  const { topics, private: isPrivate, ...rest } = update
  const record: RosterRecord | null | undefined = member && {
    node: member.node,
    record: member.record,
    end: member.end
  }
  const isPresence = record !== undefined
  return {
    args: {
      rule,
      size: sizeOf(update),
      id: update.id ?? '',
      topics,
      ...(isPrivate && { private: true }),
      ...(update.end && { isEnd: true }),
      ...(deletion && { deletion }),
      ...(isPresence && { presence: JSON.stringify(record) })
    },
    json: JSON.stringify({ ...rest, ...(isPresence && { member: record }), ...(deletion && { deletion }) })
  }
}

/** The bounds of each rule, where 0 is none. */
export function encodeBounds({ rules }: RetentionRules): object[] {
  const bound = (value = 0) => (Number.isFinite(value) ? value : 0)
  return rules.map(({ last, entries, bytes, age }) => {
    return { last: bound(last), entries: bound(entries), bytes: bound(bytes), age: bound(age) }
  })
}

function pairsOf<Value>(list: readonly Value[]): [string, Value][] {
  const pairs: [string, Value][] = []
  for (let at = 0; at < list.length; at += 2) pairs.push([String(list[at]), list[at + 1] as Value])
  return pairs
}
