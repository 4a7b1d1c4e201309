// The size of an entry, for limits in bytes.
import type { Update } from '../update.ts'

/** The bytes of its text, and constants for the objects that hold it and for each topic. */
export function sizeOf(update: Update): number {
  let bytes = 200 + Buffer.byteLength(update.data) + (update.id?.length ?? 0) + (update.type?.length ?? 0)
  for (const topic of update.topics) bytes += 32 + topic.length
  return bytes
}
