// Leaves out of an append what was appended before, for logs whose appends are decided in this process. It remembers nothing itself,
// and does not know what keys are made of.
import { TidingsError } from '../errors.ts'
import type { Update } from '../update.ts'
import { type Appended, type Entry, formatId, type Once } from './log.ts'

/** What is remembered of an update, by its key. */
export interface Memory {
  readonly print: string
  readonly offset: number
  readonly time: number
  /** Up to when, by the log's own time. */
  readonly until: number
}

export interface Memories {
  /** What is remembered now. */
  find(key: string): Memory | undefined
  remember(key: string, memory: Memory): void
}

/**
 * Appends what was not appended before, and remembers it.
 * @throws TidingsError `key_reused` before anything is appended
 */
export function appendOnce(
  epoch: string,
  updates: readonly Update[],
  once: Once | undefined,
  memories: Memories,
  append: (update: Update) => Entry
): Appended[] {
  if (!once) return updates.map(append)
  check(once, memories)
  return updates.map((update, at) => {
    const mark = once.marks[at]
    if (!mark) return append(update)
    const before = memories.find(mark.key)
    if (before) return repetition(epoch, update, before.offset, before.time)
    const entry = append(update)
    const { offset, time } = entry
    memories.remember(mark.key, { print: mark.print, offset, time, until: time + once.ms })
    return entry
  })
}

/** The entry that an update became when it was appended. */
export function repetition(epoch: string, update: Update, offset: number, time: number): Appended {
  return { epoch, offset, id: update.id ?? formatId(epoch, offset), time, update, repeated: true }
}

function check({ marks }: Once, memories: Memories): void {
  const own = new Map<string, string>()
  for (const mark of marks) {
    if (!mark) continue
    const print = own.get(mark.key) ?? memories.find(mark.key)?.print ?? mark.print
    if (print !== mark.print) throw new TidingsError('key_reused')
    own.set(mark.key, print)
  }
}
