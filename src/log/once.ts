// Leaves out of an append what was appended before, for logs whose appends are decided in this process; and remembers it in
// memory. It does not know what keys are made of.
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

/** Keys that are remembered at a time; beyond that, the oldest are forgotten before their time. */
const mostKeys = 1_000_000
/** Keys that are forgotten in one go, so that nobody waits for a million of them. */
const mostForgotten = 1_000

/** What a log in memory remembers. */
export class Remembered implements Memories {
  /** Longest remembered first. */
  readonly #memories = new Map<string, Memory>()
  /** One iterator for long: each that is begun anew would pass over all that was deleted. */
  #places = this.#memories.entries()
  #oldest: [string, Memory] | undefined
  #now = 0

  find(key: string): Memory | undefined {
    const memory = this.#memories.get(key)
    return memory && memory.until > this.#now ? memory : undefined
  }

  remember(key: string, memory: Memory): void {
    // A key that was forgotten and is used again is among the newest.
    this.#memories.delete(key)
    this.#memories.set(key, memory)
    while (this.#memories.size > mostKeys) this.#forget(this.#look() as [string, Memory])
  }

  /** What has had its time counts no more from now on, and gives its place back bit by bit. */
  forgetUntil(now: number): void {
    this.#now = now
    for (let budget = mostForgotten; budget > 0 && this.#memories.size > 0; budget--) {
      const oldest = this.#look()
      if (!oldest || oldest[1].until > now) return
      this.#forget(oldest)
    }
  }

  #look(): [string, Memory] | undefined {
    if (this.#oldest) return this.#oldest
    let next = this.#places.next()
    if (next.done) {
      this.#places = this.#memories.entries()
      next = this.#places.next()
    }
    this.#oldest = next.value
    return this.#oldest
  }

  #forget([key, memory]: [string, Memory]): void {
    this.#oldest = undefined
    if (this.#memories.get(key) === memory) this.#memories.delete(key)
  }
}
