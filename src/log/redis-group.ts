// Appends that share one script: what it is sent of them, and what its answer says became of each. It sends nothing.
import { TidingsError } from '../errors.ts'
import type { Update } from '../update.ts'
import type { Append, Outcome } from './gathering.ts'
import { type Appended, formatId } from './log.ts'
import { repetition } from './once.ts'
import { writeUpdate } from './redis-answers.ts'

/** As the script that appends takes them: marks, where there are any, and then the updates. */
export function writeGroup(group: readonly Append[], ruleOf: (update: Update) => number): string[] {
  const marks: string[] = []
  const updates: string[] = []
  let marked = 0
  let count = 0
  for (const append of group) {
    const written = writeMarks(append, count)
    if (written.length > 0) marked++
    for (const text of written) marks.push(text)
    append.updates.forEach((update, at) => {
      for (const text of writeUpdate(update, ruleOf(update), append.members?.[at])) updates.push(text)
    })
    count += append.updates.length
  }
  return [String(marked), ...marks, String(count), ...updates]
}

function writeMarks({ updates, once }: Append, before: number): string[] {
  const marks = (once?.marks ?? []).flatMap((mark, at) => (mark ? [String(before + at + 1), mark.key, mark.print] : []))
  if (!once || marks.length === 0) return []
  return [String(before + 1), String(before + updates.length), expiry(once.ms), String(marks.length / 3), ...marks]
}

/** Within what Redis takes, for a script that fails half-way leaves behind what it has done. */
function expiry(ms: number): string {
  return String(Math.ceil(Math.min(Math.max(ms, 1), 1e15)))
}

/** `outcomes` has one text for each update; it is empty where all were appended. */
export function readOutcomes(
  group: readonly Append[],
  { epoch, head }: { readonly epoch: string; readonly head: number },
  time: number,
  outcomes: readonly string[]
): Outcome[] {
  const count = group.reduce((sum, { updates }) => sum + updates.length, 0)
  let at = 0
  let offset = head - count + outcomes.filter((outcome) => outcome !== '').length
  return group.map(({ updates, members }) => {
    const answers: Appended[] = []
    let isReused = false
    for (const update of updates) {
      const [what = '', earlier, then] = (outcomes[at++] ?? '').split(' ')
      if (what === '') answers.push(appended(epoch, update, ++offset, time))
      else if (what === 'repeated') answers.push(repetition(epoch, update, Number(earlier), Number(then)))
      else isReused = true
    }
    // Who is on the roster already, or is not, is left out, which is no mistake.
    return isReused && !members ? new TidingsError('key_reused') : answers
  })
}

function appended(epoch: string, update: Update, offset: number, time: number): Appended {
  return { epoch, offset, id: update.id ?? formatId(epoch, offset), time, update }
}
