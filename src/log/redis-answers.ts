// Takes apart what Redis answers, and puts together what it is sent. It sends nothing.
import type { Update } from '../update.ts'
import { type Entry, formatId, sizeOf } from './log.ts'
import type { MarkedTrace } from './redis-traces.ts'
import type { Retention } from './retention.ts'
import type { Member } from './roster.ts'

/** How the log is, in one moment. */
export interface State {
  readonly epoch: string
  readonly head: number
  readonly first: number
  readonly removals: number
  readonly floor: number
  readonly floorMark: number
  /** The rules in force, as text; empty before there were any. */
  readonly rules: string
  /** Up to where entries are yet to be counted under these rules; 0 where all are. */
  readonly counting: number
  /** Up to where they have been. */
  readonly counted: number
  /** The epoch that this one took the place of just now; else empty. */
  readonly replaced: string
}

/** An entry of a stream: id, and names and values of its fields in turn. */
type Row = readonly [string, readonly string[]]

export function readState(answer: unknown): State {
  const [epoch, head, first, removals, floor, floorMark, , counting, counted, rules, replaced] = answer as [
    ...[string, number, number, number, number, number, number, number, number, string, string]
  ]
  return { epoch, head, first, removals, floor, floorMark, rules, counting, counted, replaced }
}

export function readEntries(epoch: string, rows: unknown): Entry[] {
  return (rows as Row[]).map((row) => readEntry(epoch, row))
}

function readEntry(epoch: string, [place, fields]: Row): Entry {
  const offset = offsetOf(place)
  const [, time = '', , , , key = '', , , , rest = ''] = fields
  const { topics, isPrivate } = readKey(key)
  const { member, ...said } = JSON.parse(rest) as Omit<Update, 'topics'> & { member?: Seat | null }
  const update: Update = { topics, ...said, ...(isPrivate && { private: true }) }
  const id = update.id ?? formatId(epoch, offset)
  const who = member && { topic: topics[0] as string, ...member }
  return {
    epoch,
    offset,
    id,
    time: Number(time),
    update,
    ...(member !== undefined && { member: who as Member | null })
  }
}

/** `12-0` → 12 */
export function offsetOf(place: string): number {
  return Number.parseInt(place, 10)
}

/** What makes the traces of two entries the same: whether they are private, and their topics. */
export function readKey(key: string): { topics: string[]; isPrivate: boolean } {
  const [isPrivate, ...topics] = JSON.parse(key) as string[]
  return { topics, isPrivate: isPrivate === '1' }
}

/** `marks` has keys and marks in turn. */
export function readTraces(marks: unknown, offsets: unknown): MarkedTrace[] {
  const flat = marks as string[]
  return (offsets as string[]).map((offset, at) => {
    const key = flat[2 * at] as string
    return { key, mark: Number(flat[2 * at + 1]), offset: Number(offset), ...readKey(key) }
  })
}

/** A member as it is kept, by its topic. */
type Seat = Omit<Member, 'topic'>

/** What HSCAN answers: topics and what is kept of them, in turn. */
export function readMembers(pairs: readonly string[]): Member[] {
  const members: Member[] = []
  for (let at = 0; at < pairs.length; at += 2) {
    members.push({ topic: pairs[at] as string, ...(JSON.parse(pairs[at + 1] as string) as Seat) })
  }
  return members
}

/** One update as the arguments of a script; where it says that somebody came or went, with who that is. */
export function writeUpdate(update: Update, rule: number, member: Member | null | undefined): string[] {
  const { topics, private: isPrivate, ...rest } = update
  const id = update.id ?? ''
  const size = String(sizeOf(update))
  const seat: Seat | null | undefined = member && { node: member.node, record: member.record, end: member.end }
  const json = JSON.stringify(seat === undefined ? rest : { ...rest, member: seat })
  const change = seat === undefined ? '' : JSON.stringify(seat)
  return [String(rule), size, isPrivate ? '1' : '0', id, json, change, String(topics.length), ...topics]
}

/** The bounds of each rule, where 0 is none. */
export function writeBounds({ rules }: Retention): string {
  const bound = (value = 0) => (Number.isFinite(value) ? value : 0)
  return JSON.stringify(
    rules.map(({ last, entries, bytes, age }) => [bound(last), bound(entries), bound(bytes), bound(age)])
  )
}
