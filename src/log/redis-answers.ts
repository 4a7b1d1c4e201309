// Takes apart what Redis answers, and puts together what it is sent. It sends nothing.
import type { Update } from '../update.ts'
import { type Entry, formatId, sizeOf } from './log.ts'
import type { MarkedTrace } from './redis-traces.ts'
import type { Retention } from './retention.ts'

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
  const update: Update = {
    topics,
    ...(JSON.parse(rest) as Omit<Update, 'topics'>),
    ...(isPrivate && { private: true })
  }
  return { epoch, offset, id: update.id ?? formatId(epoch, offset), time: Number(time), update }
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

/** One update as the arguments of a script. */
export function writeUpdate(update: Update, rule: number): string[] {
  const { topics, private: isPrivate, ...rest } = update
  const id = update.id ?? ''
  const size = String(sizeOf(update))
  return [String(rule), size, isPrivate ? '1' : '0', id, JSON.stringify(rest), String(topics.length), ...topics]
}

/** The bounds of each rule, where 0 is none. */
export function writeBounds({ rules }: Retention): string {
  const bound = (value = 0) => (Number.isFinite(value) ? value : 0)
  return JSON.stringify(
    rules.map(({ last, entries, bytes, age }) => [bound(last), bound(entries), bound(bytes), bound(age)])
  )
}
