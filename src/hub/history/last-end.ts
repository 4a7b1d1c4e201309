// Whether the topics of an interest have ended.
import type { Entry, Log } from '../../log/log.ts'
import type { Interest } from '../interest.ts'

/**
 * The offset of the last end, if all topics of the interest have ended with an update that it may read. Undefined otherwise, and for
 * patterns.
 */
export async function lastEnd(log: Log, interest: Interest): Promise<number | undefined> {
  const { topics } = interest
  if (topics === undefined || !log.hasEnds) return undefined
  let last = 0
  // In growing parts: usually one of the first topics has not ended, and the others need not be looked up.
  for (let at = 0, size = 4; at < topics.length; size *= 8) {
    const found = lastOf(await log.ends(topics.slice(at, at + size)), interest)
    at += size
    if (found === undefined) return undefined
    last = Math.max(last, found)
  }
  return last
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
