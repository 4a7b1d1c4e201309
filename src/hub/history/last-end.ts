// Whether the topics of an interest have ended.
import type { Entry, Log } from '../../log/log.ts'
import type { Interest } from '../interest.ts'

/**
 * The offset of the last end, if all topics of the interest have ended with an update that it may read. Undefined otherwise, and for
 * patterns.
 */
export async function lastEnd(log: Log, interest: Interest): Promise<number | undefined> {
  if (interest.topics === undefined || !log.hasEnds) return undefined
  return lastOf(await log.ends(interest.topics), interest)
}

/** The same for the ends of all its topics. */
export function lastOf(ends: readonly (Entry | undefined)[], interest: Interest): number | undefined {
  let last = 0
  for (const end of ends) {
    if (!end || !interest.mayRead(end.update.topics, end.update.private ?? false)) return undefined
    last = Math.max(last, end.offset)
  }
  return last
}
