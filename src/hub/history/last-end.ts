// Whether the topics of an interest have ended.
import type { Entry, Log } from '../../log/log.ts'
import type { Interest } from '../interest.ts'

/** Topics that are looked up first. */
const firstTopics = 4

/**
 * The offset of the last end, if all topics of the interest have ended with an update that it may read. Undefined otherwise, and for
 * patterns.
 */
export async function lastEnd(log: Log, interest: Interest): Promise<number | undefined> {
  const { topics } = interest
  if (topics === undefined || !log.hasEnds) return undefined
  // Usually one of the first topics has not ended, and the others need not be looked up.
  for (let size = firstTopics; size < topics.length; size *= 8) {
    if (lastOf(await log.ends(topics.slice(0, size)), interest) === undefined) return undefined
  }
  // All of them at one moment.
  return lastOf(await log.ends(topics), interest)
}

/** The same for the ends of its topics. */
function lastOf(ends: readonly (Entry | undefined)[], interest: Interest): number | undefined {
  let last = 0
  for (const end of ends) {
    if (!end || !interest.mayRead(end.update.topics, end.update.private ?? false)) return undefined
    last = Math.max(last, end.offset)
  }
  return last
}
