// Appends that share one script: its arguments, and what its reply says became of each append. It sends nothing.
import { TidingsError } from '../../errors.ts'
import type { Update } from '../../update.ts'
import { repeatedEntry } from '../dedup/append.ts'
import { maxDeletions } from '../deletion.ts'
import type { Outcome, PendingAppend } from '../group-commit.ts'
import { formatId } from '../ids.ts'
import type { Appended } from '../log.ts'
import { encodeUpdate, type LogState, type Reply } from './codec.ts'

/** The arguments of the append script that say what to append, and the updates as they are stored. */
export function encodeGroup(group: readonly PendingAppend[], ruleOf: (update: Update) => number) {
  const dedup: object[] = []
  const updates: object[] = []
  const payloads: string[] = []
  for (const append of group) {
    const first = updates.length + 1
    append.updates.forEach((update, at) => {
      const { args, json } = encodeUpdate(update, ruleOf(update), append.members?.[at], append.deletion)
      updates.push(args)
      payloads.push(json)
    })
    const keys = dedupKeysOf(append, first)
    const ttl = Math.ceil(Math.min(Math.max(append.dedup?.ttlMs ?? 0, 1), maxTtlMs))
    if (keys.length > 0) dedup.push({ first, last: updates.length, ttl, keys })
  }
  return { args: { dedup, updates, maxDeletions }, payloads }
}

/** The longest expiry that Redis accepts, with room to spare. */
const maxTtlMs = 1e15

function dedupKeysOf({ dedup }: PendingAppend, first: number): object[] {
  return (dedup?.keys ?? []).flatMap((dedupKey, at) =>
    dedupKey ? [{ update: first + at, key: dedupKey.key, fingerprint: dedupKey.fingerprint }] : []
  )
}

/** Reads the reply to an append. `outcomes` is empty where all updates were appended. */
export function readOutcomes(group: readonly PendingAppend[], { epoch, head, ...reply }: LogState & Reply): Outcome[] {
  const outcomes = reply.outcomes as readonly string[]
  const time = Number(reply.time)
  const count = group.reduce((sum, { updates }) => sum + updates.length, 0)
  let at = 0
  let offset = head - count + outcomes.filter((outcome) => outcome !== '').length
  return group.map(({ updates, members }) => {
    const answers: Appended[] = []
    let refused = ''
    for (const update of updates) {
      const [outcome = '', earlier, then] = (outcomes[at++] ?? '').split(' ')
      if (outcome === '') answers.push(appended(epoch, update, ++offset, time))
      else if (outcome === 'repeated') answers.push(repeatedEntry(epoch, update, Number(earlier), Number(then)))
      else refused = outcome
    }
    // An announcement that changes nothing is left out, which is no error.
    if (refused === '' || members) return answers
    return refusalOf(refused)
  })
}

function refusalOf(outcome: string): TidingsError {
  if (outcome === 'epoch') return new TidingsError('log_unavailable', 'the log has started over; nothing was deleted')
  return new TidingsError(outcome === 'busy' ? 'deletions_too_many' : 'key_reused')
}

function appended(epoch: string, update: Update, offset: number, time: number): Appended {
  return { epoch, offset, id: update.id ?? formatId(epoch, offset), time, update }
}
