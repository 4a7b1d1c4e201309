// Brings a log that was written under other retention rules under those of today: counts again what each rule keeps, and
// removes what they supersede. What they no longer keep is left to trimming.

import { type Entry, sizeOf } from '../log.ts'
import type { RetentionRules } from '../retention/rules.ts'
import { canonicalPlace, type LmdbStore, type State } from './store.ts'

/** Entries looked at before others have their turn; many, for nobody publishes yet, and each commit has its cost. */
const slice = 10_000

/** The state of a log, under these rules. */
export async function recount(store: LmdbStore, retention: RetentionRules): Promise<State> {
  const known = store.state
  if (known && store.rules === retention.text) return known
  const tallies = retention.rules.map(() => ({ after: 0, entries: 0, bytes: 0 }))
  for (let from = 1, isDone = false; !isDone; ) {
    const superseded: Entry[] = []
    const gone = new Map<string, number>()
    let looked = 0
    isDone = true
    for (const entry of store.from(from)) {
      const at = retention.ruleOf(entry.update)
      if (isSuperseded(entry, at)) superseded.push(entry)
      else count(entry, at)
      from = entry.offset + 1
      if (++looked < slice) continue
      isDone = false
      break
    }
    if (superseded.length > 0) await store.commit(() => superseded.forEach((entry) => void store.remove(entry)))
    else await new Promise(setImmediate)

    function isSuperseded({ update }: Entry, at: number): boolean {
      const most = retention.rules[at]?.last
      if (most === undefined) return false
      const topic = update.topics[0] as string
      const before = gone.get(topic) ?? 0
      if (store.count(canonicalPlace(topic)) - before <= most) return false
      gone.set(topic, before + 1)
      return true
    }
  }
  const { head = 0, time = 0, floor = 0 } = known ?? {}
  const state = { head, time, floor, tallies }
  await store.commit(() => {
    store.putState(state)
    store.putRules(retention.text)
  })
  return state

  function count({ update }: Entry, at: number): void {
    const tally = tallies[at]
    if (!tally) return
    tally.entries++
    tally.bytes += sizeOf(update)
  }
}
