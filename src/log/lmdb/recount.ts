// Counts what each retention rule keeps, for a log that was written under other rules. It only reads. Trimming removes entries, and its
// commits change counters and entries together, so a crash at any moment leaves correct counters.

import type { RetentionRules } from '../retention/rules.ts'
import { sizeOf } from '../size.ts'
import type { LmdbStore, State } from './store.ts'

/** Entries that are counted before the event loop runs. */
const slice = 10_000

/** The state of a log under these rules. Entries that they do not keep are still there; trimming removes them. */
export async function recount(store: Pick<LmdbStore, 'state' | 'from'>, retention: RetentionRules): Promise<State> {
  const known = store.state
  if (known && known.rules === retention.text) return known
  const tallies = retention.rules.map(() => ({ after: 0, entries: 0, bytes: 0 }))
  for (let from = 1, isDone = false; !isDone; ) {
    let looked = 0
    isDone = true
    for (const { offset, update } of store.from(from)) {
      const tally = tallies[retention.ruleOf(update)]
      if (tally) {
        tally.entries++
        tally.bytes += sizeOf(update)
      }
      from = offset + 1
      if (++looked < slice) continue
      isDone = false
      break
    }
    await new Promise(setImmediate)
  }
  const { head = 0, time = 0, floor = 0, hasEnds, deletions } = known ?? {}
  const rest = { ...(hasEnds && { hasEnds }), ...(deletions && { deletions }) }
  const keepsNewest = retention.rules.some(({ last }) => last !== undefined)
  return { head, time, floor, tallies, ...rest, rules: retention.text, ...(keepsNewest && { supersededThrough: 0 }) }
}
