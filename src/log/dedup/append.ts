// Deduplication for logs that append in this process: skips updates whose key is known.
import { TidingsError } from '../../errors.ts'
import type { Update } from '../../update.ts'
import { formatId } from '../ids.ts'
import type { Appended, DedupOptions, Entry } from '../log.ts'

/** What is stored for a key. */
export interface DedupRecord {
  readonly fingerprint: string
  readonly offset: number
  readonly time: number
  /** When it expires, on the clock of the log. */
  readonly until: number
}

export interface DedupStore {
  /** The record of a key that has not expired. */
  find(key: string): DedupRecord | undefined
  add(key: string, record: DedupRecord): void
}

/**
 * Appends the updates whose keys are not known, and stores their keys.
 * @throws TidingsError `key_reused`, before anything is appended
 */
export function appendDeduplicated(
  epoch: string,
  updates: readonly Update[],
  dedup: DedupOptions | undefined,
  store: DedupStore,
  append: (update: Update) => Entry
): Appended[] {
  if (!dedup) return updates.map(append)
  check(dedup, store)
  return updates.map((update, at) => {
    const dedupKey = dedup.keys[at]
    if (!dedupKey) return append(update)
    const before = store.find(dedupKey.key)
    if (before) return repeatedEntry(epoch, update, before.offset, before.time)
    const entry = append(update)
    const { offset, time } = entry
    store.add(dedupKey.key, { fingerprint: dedupKey.fingerprint, offset, time, until: time + dedup.ttlMs })
    return entry
  })
}

/** The result for an update that was appended before. */
export function repeatedEntry(epoch: string, update: Update, offset: number, time: number): Appended {
  return { epoch, offset, id: update.id ?? formatId(epoch, offset), time, update, repeated: true }
}

function check({ keys }: DedupOptions, store: DedupStore): void {
  const own = new Map<string, string>()
  for (const dedupKey of keys) {
    if (!dedupKey) continue
    const fingerprint = own.get(dedupKey.key) ?? store.find(dedupKey.key)?.fingerprint ?? dedupKey.fingerprint
    if (fingerprint !== dedupKey.fingerprint) throw new TidingsError('key_reused')
    own.set(dedupKey.key, fingerprint)
  }
}
