// A log that can stop delivering to the hubs that follow it, so that they miss entries.
import type { MemoryLog } from '../../../dist/index.js'

/** Entries that are appended while `isCut` are not delivered to hubs that begin to follow the log after this call. */
export function cuttable(log: MemoryLog, isCut = false): { isCut: boolean } {
  const link = { isCut }
  const follow = log.follow.bind(log)
  log.follow = (deliver) => follow((entries) => link.isCut || deliver(entries))
  return link
}
