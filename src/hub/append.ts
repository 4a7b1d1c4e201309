// Appends updates to the log, and tells the observers how many are new.
import type { Appended, DedupOptions, Log } from '../log/log.ts'
import type { ValidUpdate } from '../update.ts'
import type { Observer } from './observer.ts'

export async function append(
  log: Log,
  observer: Required<Observer>,
  updates: readonly ValidUpdate[],
  dedup: DedupOptions | undefined
): Promise<Appended[]> {
  const startedAt = performance.now()
  const entries = await log.append(updates, dedup)
  const fresh = dedup ? entries.filter(({ repeated }) => !repeated).length : entries.length
  if (fresh > 0) observer.appended(fresh, performance.now() - startedAt)
  return entries
}
